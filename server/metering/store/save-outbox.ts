/**
 * save-outbox — copies counters whose overage somebody is billed for, in the transaction that moved them.
 *
 * It is a copy, and no sum of what moved: whatever a counter goes through, late use, refunds, grants that settle overage,
 * its row is right again with the next move, even if it was moved meanwhile by a gateway that bills nobody.
 */

import { formatUnits, type Units } from '../../domain/units.ts';
import { windowCloses } from '../../domain/usage-report.ts';
import { type ChangedCounter, type Changes, meterKey } from '../state.ts';
import { type Column, iso, isoOrNull } from './columns.ts';
import type { Part } from './part.ts';

type Copied = ChangedCounter & {
  /** Whether its overage is billed, so that it gets a row if it has none. */
  readonly isBilled: boolean;
  readonly moved: Readonly<Moves>;
  readonly dueAtMs: number;
};

/** What a batch has done to a counter's overage. */
type Moves = {
  isPriced: boolean;
  /** Used while it had no price. */
  unpriced: Units;
  /** 0 or below. */
  givenBack: Units;
};

const NO_MOVES: Readonly<Moves> = { isPriced: false, unpriced: 0n, givenBack: 0n };

/** Null where no overage moved, and no period was closed: so it is for most batches, and all plain ones. */
export function outboxPart(changes: Changes, windowMs: number, now: string): Part | null {
  const copied = copiedCounters(changes, windowMs);
  return copied.length === 0 ? null : partOf(copied, now);
}

/**
 * Counters whose overage has moved, and all that are closed: what another gateway has moved, that bills nobody, is told at
 * the end at least. Those that nobody is billed for are copied only where there is a row.
 */
function copiedCounters(changes: Changes, windowMs: number): readonly Copied[] {
  const { nowMs, counters } = changes;
  const moves = movesOf(changes);
  return [...counters.values()].flatMap((changed): Copied[] => {
    const { customer, featureKey, entityId, counter } = changed;
    if (entityId !== null || (moves.size === 0 && counter.closedAtMs !== nowMs)) return [];
    const moved = moves.get(keyOf(customer.id, featureKey, counter.period.startMs));
    if (!moved && counter.closedAtMs !== nowMs) return [];
    const isBilled = moved?.isPriced || counter.cost !== 0n;
    const dueAtMs = windowCloses(nowMs, counter.period.endMs, windowMs);
    return [{ ...changed, isBilled, moved: moved ?? NO_MOVES, dueAtMs }];
  });
}

function movesOf({ events, reservations }: Changes): ReadonlyMap<string, Moves> {
  const moves = new Map<string, Moves>();
  const movesFor = (key: string): Moves => {
    const known = moves.get(key) ?? { ...NO_MOVES };
    moves.set(key, known);
    return known;
  };
  for (const { customer, featureKey, periodStartMs, payment, currency } of events) {
    if (payment.overage === 0n) continue;
    const moved = movesFor(keyOf(customer.id, featureKey, periodStartMs));
    const isPriced = currency !== null || payment.cost !== 0n;
    moved.isPriced ||= isPriced;
    if (payment.overage < 0n) moved.givenBack += payment.overage;
    else if (!isPriced) moved.unpriced += payment.overage;
  }
  for (const { customer, reservation } of reservations.values()) {
    const { featureKey, periodStartMs, payment, currency, state } = reservation;
    // One that has ended says what was used of it: what else it held was overage, too, perhaps.
    if (payment.overage !== 0n || state !== 'open')
      movesFor(keyOf(customer.id, featureKey, periodStartMs)).isPriced ||= currency !== null;
  }
  return moves;
}

const keyOf = (customerId: string, featureKey: string, periodStartMs: number): string =>
  `${customerId}\n${meterKey(featureKey, null)}\n${periodStartMs}`;

const COLUMNS: readonly Column<Copied>[] = [
  ['customer_id', 'uuid', ({ customer }) => customer.id],
  ['feature_key', 'text', ({ featureKey }) => featureKey],
  ['period_start', 'timestamptz', ({ counter }) => iso(counter.period.startMs)],
  ['period_end', 'timestamptz', ({ counter }) => isoOrNull(counter.period.endMs)],
  ['tenant_id', 'uuid', ({ customer }) => customer.tenantId],
  ['overage', 'numeric', ({ counter }) => formatUnits(counter.overage)],
  ['is_billed', 'boolean', ({ isBilled }) => (isBilled ? 't' : 'f')],
  ['unpriced', 'numeric', ({ moved }) => formatUnits(moved.unpriced)],
  ['given_back', 'numeric', ({ moved }) => formatUnits(moved.givenBack)],
  ['due_at', 'timestamptz', ({ dueAtMs }) => iso(dueAtMs)],
];

/**
 * What comes back comes off what had a price and what had none in proportion, as its cost does where there is none any more.
 * What is held no longer comes off nothing: it was no use.
 *
 * A counter that is copied for the first time has had no price until now if nothing of it has cost anything: as it was before
 * this statement, which sees nothing of what it writes itself. What is held then is left out, and noted when it is used.
 */
const UNPRICED = `greatest(0, least(v.overage::numeric, v.unpriced::numeric + coalesce(
      (SELECT round(o.unpriced * greatest(o.overage + v.given_back::numeric, 0) / o.overage, 9) FROM usage_outbox o
       WHERE o.customer_id = v.customer_id::uuid AND o.feature_key = v.feature_key AND o.period_start = v.period_start::timestamptz
         AND o.overage > 0),
      (SELECT v.given_back::numeric + c.overage - coalesce((SELECT sum((r.split->>'overage')::numeric) FROM reservations r
         WHERE r.customer_id = c.customer_id AND r.feature_key = c.feature_key AND r.period_start = c.period_start AND r.state = 'open'), 0)
       FROM counters c
       WHERE c.customer_id = v.customer_id::uuid AND c.feature_key = v.feature_key AND c.entity_id = ''
         AND c.period_start = v.period_start::timestamptz AND c.cost = 0),
      0)))`;

/** In key order, in which every gateway writes them. */
const partOf = (copied: readonly Copied[], now: string): Part => {
  const rows = copied.toSorted((a, b) => (orderOf(a) < orderOf(b) ? -1 : 1));
  return {
    name: 'outbox',
    params: COLUMNS.map(([, , value]) => rows.map(value)),
    writes: (param) => `saved_outbox AS (
    INSERT INTO usage_outbox (customer_id, feature_key, period_start, period_end, tenant_id, overage, unpriced, due_at, changed_at)
    SELECT v.customer_id::uuid, v.feature_key, v.period_start::timestamptz, v.period_end::timestamptz, v.tenant_id::uuid,
      v.overage::numeric, ${UNPRICED}, v.due_at::timestamptz, ${now}
    FROM unnest(${COLUMNS.map((_, i) => `${param(i)}::text[]`).join(', ')}) AS v (${COLUMNS.map(([name]) => name).join(', ')})
    WHERE (v.is_billed::boolean AND v.overage::numeric <> 0) OR EXISTS (SELECT FROM usage_outbox o
      WHERE o.customer_id = v.customer_id::uuid AND o.feature_key = v.feature_key AND o.period_start = v.period_start::timestamptz)
    ON CONFLICT (customer_id, feature_key, period_start) DO UPDATE
      SET overage = excluded.overage, unpriced = excluded.unpriced, period_end = excluded.period_end, changed_at = excluded.changed_at,
        moves = usage_outbox.moves + 1, due_at = least(usage_outbox.due_at, excluded.due_at)
  )`,
  };
};

const orderOf = ({ customer, featureKey, counter }: Copied): string =>
  keyOf(customer.id, featureKey, counter.period.startMs);
