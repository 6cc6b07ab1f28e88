/** describe — a call of `consume`, `recordUsage` or `reserve` as the decision wants it: amounts and values resolved. */
import { createHash } from 'node:crypto';
import { isAdditive } from '../../domain/aggregation.ts';
import type { Hook } from '../../domain/decision.ts';
import { DURATION_UNITS, durationToUnits } from '../../domain/duration.ts';
import { invalidInput } from '../../domain/errors.ts';
import { COUNTED, type Feature } from '../../domain/feature.ts';
import { type BeforeDecision, lastWord } from '../../domain/hook.ts';
import type { Units } from '../../domain/units.ts';
import { currentCounter, type Meter, usageOfMeter } from '../meter.ts';
import type { ConsumeRequest, ReserveRequest } from '../requests.ts';
import type { Use } from './described-use.ts';

export type Called = ConsumeRequest | ReserveRequest;

/** @throws {MeterError} `INVALID_INPUT` for what the feature can't take: an entity, a duration, or a value that is missing. */
export function describeUse(request: Called, meter: Meter, nowMs: number, before: BeforeDecision | null): Use {
  const { feature } = meter;
  const purpose = request.kind === 'reserve' ? 'hold' : request.purpose;
  const described: Use = {
    kind: purpose === 'record' ? 'record' : 'use',
    purpose,
    amount: amountOf(request, feature),
    ...(request.duration !== null && { duration: request.duration }),
    mode: request.mode,
    entityId: entityOf(request, feature),
    occurredAtMs: request.kind === 'consume' ? request.occurredAtMs : null,
    value: distinctValueOf(request.properties, feature),
    idempotencyKey: request.idempotencyKey,
    properties: request.properties,
    reverses: null,
    hook: null,
  };
  const hook = lastWord(request.refusal, before && hookOf(before, meter, described, nowMs));
  return hook === null ? described : { ...described, hook };
}

/** The app's own function, told of this call. */
const hookOf =
  (before: BeforeDecision, meter: Meter, described: Omit<Use, 'hook'>, nowMs: number): Hook =>
  (proposal) => {
    const { purpose, amount, entityId, properties, idempotencyKey } = described;
    const counter = currentCounter(meter.customer, meter.feature, null, nowMs);
    const usage = usageOfMeter(meter, counter, nowMs);
    return before({ usage, proposal, request: { purpose, amount, entityId, properties, idempotencyKey } });
  };

/** What can't be shared out has no entities: the largest of two maxima is nobody's part of the whole. */
function entityOf({ entityId }: Called, { key, aggregation }: Feature): string | null {
  if (entityId === null || isAdditive(aggregation)) return entityId;
  throw invalidInput(
    ['input', 'entityId'],
    `\`entityId\` is ${JSON.stringify(entityId)}, but "${key}" counts ${COUNTED[aggregation]}, which entities can't share; leave entityId out, or send it for a feature whose amounts add up (count, sum, duration).`,
  );
}

function amountOf({ amount, duration }: Called, { key, aggregation, unit }: Feature): Units {
  if (duration === null) return amount;
  const path = ['input', 'duration'];
  const known = DURATION_UNITS.find((word) => word === unit);
  if (aggregation !== 'duration' || known === undefined) {
    throw invalidInput(path, `"${key}" does not add up time; send an amount in its unit instead of a duration.`);
  }
  const parsed = durationToUnits(duration, known);
  if (!parsed.ok) throw invalidInput(path, `Duration ${parsed.problem}.`);
  if (parsed.units !== 0n) return parsed.units;
  throw invalidInput(
    path,
    `Duration ${JSON.stringify(duration)} comes to 0 ${known}s, which uses nothing; send a longer one.`,
  );
}

/**
 * The distinct value that a call names, as a hash of its JSON: of any length, and nobody's data. Null for features that
 * don't count distinct values.
 *
 * @throws {MeterError} `INVALID_INPUT` when the property is missing.
 */
export function distinctValueOf(properties: string | null, { key, of }: Feature): string | null {
  if (of === null) return null;
  const object: unknown = properties === null ? {} : JSON.parse(properties);
  const value =
    object !== null && typeof object === 'object' ? Object.entries(object).find(([name]) => name === of)?.[1] : null;
  if (value === undefined || value === null || value === '') {
    throw invalidInput(
      ['input', 'properties'],
      `"${key}" counts distinct values of "${of}"; send properties with one, like { "${of}": "…" }.`,
    );
  }
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url');
}
