/** save-columns — counters and events on their way into the database: all of their columns, and the few that most need. */
import { formatUnits } from '../../domain/units.ts';
import type { ChangedCounter, NewEvent } from '../state.ts';
import { type Column, iso, isoOrNull } from './columns.ts';

/** Most use is of what is included, by nobody under the customer, now: what such counters hold beside that goes without saying. */
export const isPlainCounter = ({ entityId, counter }: ChangedCounter): boolean =>
  entityId === null &&
  counter.held === 0n &&
  counter.credits === 0n &&
  counter.wallet === 0n &&
  counter.cost === 0n &&
  counter.walletCharge === 0n &&
  counter.gauge === null &&
  counter.closedAtMs === null &&
  counter.correctedAtMs === null;

export const isPlainEvent = (event: NewEvent, nowMs: number): boolean =>
  event.kind === 'use' &&
  event.entityId === null &&
  event.reported === event.amount &&
  event.payment.credits === 0n &&
  event.payment.wallet === 0n &&
  event.payment.cost === 0n &&
  event.payment.walletCharge === 0n &&
  event.currency === null &&
  event.reverses === null &&
  event.dimensions.length === 0 &&
  event.occurredAtMs === nowMs;

export const PLAIN_COUNTER: readonly Column<ChangedCounter>[] = [
  ['customer_id', 'uuid', ({ customer }) => customer.id],
  ['feature_key', 'text', ({ featureKey }) => featureKey],
  ['period_start', 'timestamptz', ({ counter }) => iso(counter.period.startMs)],
  ['period_end', 'timestamptz', ({ counter }) => isoOrNull(counter.period.endMs)],
  ['reset', 'text', ({ counter }) => counter.period.reset],
  ['tenant_id', 'uuid', ({ customer }) => customer.tenantId],
  ['used', 'numeric', ({ counter }) => formatUnits(counter.used)],
  ['overage', 'numeric', ({ counter }) => formatUnits(counter.overage)],
  ['raised', 'marks', ({ counter }) => marksOf(counter.raised)],
  ['sequence', 'bigint', ({ counter }) => counter.sequence.toString()],
];

export const FULL_COUNTER: readonly Column<ChangedCounter>[] = [
  ...PLAIN_COUNTER,
  ['entity_id', 'text', ({ entityId }) => entityId ?? ''],
  ['held', 'numeric', ({ counter }) => formatUnits(counter.held)],
  ['credits', 'numeric', ({ counter }) => formatUnits(counter.credits)],
  ['wallet', 'numeric', ({ counter }) => formatUnits(counter.wallet)],
  ['cost', 'numeric', ({ counter }) => formatUnits(counter.cost)],
  ['wallet_charge', 'numeric', ({ counter }) => formatUnits(counter.walletCharge)],
  ['currency', 'text', ({ counter }) => counter.currency],
  ['level', 'numeric', ({ counter }) => counter.gauge && formatUnits(counter.gauge.level)],
  ['level_at', 'timestamptz', ({ counter }) => counter.gauge && iso(counter.gauge.atMs)],
  ['area', 'numeric', ({ counter }) => counter.gauge?.area.toString() ?? null],
  ['closed_at', 'timestamptz', ({ counter }) => isoOrNull(counter.closedAtMs)],
  ['corrected_at', 'timestamptz', ({ counter }) => isoOrNull(counter.correctedAtMs)],
];

export const PLAIN_EVENT: readonly Column<NewEvent>[] = [
  ['customer_id', 'uuid', ({ customer }) => customer.id],
  ['sequence', 'bigint', ({ sequence }) => sequence.toString()],
  ['tenant_id', 'uuid', ({ customer }) => customer.tenantId],
  ['feature_key', 'text', ({ featureKey }) => featureKey],
  ['period_start', 'timestamptz', ({ periodStartMs }) => iso(periodStartMs)],
  ['reported', 'numeric', ({ reported }) => formatUnits(reported)],
  ['overage', 'numeric', ({ payment }) => formatUnits(payment.overage)],
  ['used_after', 'numeric', ({ usedAfter }) => formatUnits(usedAfter)],
  ['idempotency_key', 'text', ({ idempotencyKey }) => idempotencyKey],
  ['properties', 'jsonb', ({ properties }) => properties],
];

export const FULL_EVENT: readonly Column<NewEvent>[] = [
  ...PLAIN_EVENT,
  ['amount', 'numeric', ({ amount }) => formatUnits(amount)],
  ['kind', 'text', ({ kind }) => kind],
  ['entity_id', 'text', ({ entityId }) => entityId ?? ''],
  ['credits', 'numeric', ({ payment }) => formatUnits(payment.credits)],
  ['wallet', 'numeric', ({ payment }) => formatUnits(payment.wallet)],
  ['cost', 'numeric', ({ payment }) => formatUnits(payment.cost)],
  ['wallet_charge', 'numeric', ({ payment }) => formatUnits(payment.walletCharge)],
  ['currency', 'text', ({ currency }) => currency],
  ['reverses', 'bigint', ({ reverses }) => reverses?.toString() ?? null],
  ['occurred_at', 'timestamptz', ({ occurredAtMs }) => iso(occurredAtMs)],
];

const marksOf = (raised: ReadonlySet<string>): string => (raised.size === 0 ? '' : [...raised].join(' '));
