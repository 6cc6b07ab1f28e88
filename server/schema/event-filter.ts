/** event-filter — which of the events a list is narrowed to. */
import type { EventFilter } from '../actions/find-events.ts';
import type { Context } from '../context.ts';
import { invalidInput, MeterError } from '../domain/errors.ts';
import type { EventKind } from '../domain/event.ts';
import { problemOfTimeRange } from '../domain/time-range.ts';
import { reader } from './access.ts';
import * as bounds from './bounds.ts';

export type EventFilterArgs = {
  readonly kind?: EventKind | null | undefined;
  readonly from?: number | null | undefined;
  readonly to?: number | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
  readonly properties?: unknown;
};

/** @throws {MeterError} `INVALID_INPUT`; `FORBIDDEN` for a customer who asks by properties. */
export function eventFilterOf(
  context: Context,
  { kind, from, to, idempotencyKey, properties }: EventFilterArgs,
): Omit<EventFilter, 'customerId' | 'featureKeys'> {
  const [fromMs, toMs] = [from ?? null, to ?? null];
  const problem = problemOfTimeRange(fromMs, toMs);
  if (problem) throw invalidInput([problem.field], problem.sentence);
  return {
    kind: kind ?? null,
    fromMs,
    toMs,
    idempotencyKey: bounds.isGiven(idempotencyKey) ? bounds.idempotencyKey(idempotencyKey, ['idempotencyKey']) : null,
    properties: bounds.isGiven(properties) ? propertiesOf(context, properties) : null,
  };
}

/** Whoever may not read properties may not find them out by asking for them, either. */
function propertiesOf(context: Context, properties: unknown): string {
  if (reader(context).kind === 'api-key') return bounds.object(properties, ['properties']);
  throw new MeterError(
    'FORBIDDEN',
    'Properties of events are the app’s own and not for customer tokens; leave out `properties`.',
  );
}
