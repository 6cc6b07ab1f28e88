/** load-events — events to be reversed, and which grants were drawn from: what can be given back. */
import type { EventKind } from '../../domain/event.ts';
import { unitsOf } from '../../domain/units.ts';
import type { PastEvent } from '../state.ts';
import { type Customers, type Look, rowsAs } from './look.ts';

type EventRow = {
  readonly customer_id: string;
  readonly sequence: string;
  readonly kind: EventKind;
  readonly feature_key: string;
  readonly entity_id: string;
  readonly period_start: Date;
  readonly reported: string;
  readonly amount: string;
  readonly credits: string;
  readonly wallet: string;
  readonly overage: string;
  readonly cost: string;
  readonly wallet_charge: string;
  readonly currency: string | null;
  readonly properties: string | null;
  readonly occurred_at: Date;
  readonly is_reversed: boolean;
};

function eventFromRow(row: EventRow): PastEvent {
  const amount = unitsOf(row.amount);
  const [credits, wallet, overage] = [unitsOf(row.credits), unitsOf(row.wallet), unitsOf(row.overage)];
  return {
    sequence: BigInt(row.sequence),
    kind: row.kind,
    featureKey: row.feature_key,
    entityId: row.entity_id || null,
    periodStartMs: row.period_start.getTime(),
    reported: unitsOf(row.reported),
    amount,
    payment: {
      included: amount - credits - wallet - overage,
      credits,
      wallet,
      overage,
      cost: unitsOf(row.cost),
      walletCharge: unitsOf(row.wallet_charge),
      draws: [],
    },
    currency: row.currency,
    properties: row.properties,
    occurredAtMs: row.occurred_at.getTime(),
    isReversed: row.is_reversed,
  };
}

/** Postings by which units of a grant were used, or (above 0) given back: at once, or out of a reservation. */
const DRAWS = `grant_id IS NOT NULL AND ((account = 'grant' AND kind IN ('use', 'reversal')) OR (account = 'held' AND kind = 'commit'))`;

/** What is looked for is most often of these days: the months before are asked only if it is not there. */
const RECENT = `now() - interval '40 days'`;

/** As a range in order, so that also of an empty month the planner likes no other index as well as the primary key. */
const NAMED_EVENT = `
  SELECT * FROM events WHERE customer_id = k.customer_id::uuid AND sequence >= k.sequence::bigint AND sequence <= k.sequence::bigint`;

/**
 * One look-up in the primary key of each month at most, and in two or three of them for what is recent. Whether the event
 * is reversed is asked of all months: an index that has next to nothing in it, and the one answer that must be right.
 */
const NAMED_EVENTS = `
  SELECT e.customer_id, e.sequence, e.kind, e.feature_key, e.entity_id, e.period_start, e.reported, e.amount, e.credits, e.wallet, e.overage,
    e.cost, e.wallet_charge, e.currency, e.properties::text AS properties, e.occurred_at,
    EXISTS (SELECT FROM events x WHERE x.customer_id = e.customer_id AND x.reverses = e.sequence) AS is_reversed
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, sequence)
  CROSS JOIN LATERAL (
    SELECT * FROM (
      (${NAMED_EVENT} AND recorded_at >= ${RECENT} ORDER BY sequence LIMIT 1)
      UNION ALL
      (${NAMED_EVENT} AND recorded_at < ${RECENT} ORDER BY sequence LIMIT 1)
    ) found LIMIT 1
  ) e`;

type PostingRow = {
  readonly customer_id: string;
  readonly sequence: string;
  readonly grant_id: string;
  readonly amount: string;
};

const POSTINGS_OF_EVENTS = `
  SELECT p.customer_id, p.sequence, p.grant_id, p.amount
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, sequence)
  CROSS JOIN LATERAL (
    SELECT * FROM postings WHERE customer_id = k.customer_id::uuid AND sequence = k.sequence::bigint ORDER BY line OFFSET 0
  ) p WHERE ${DRAWS}`;

/** Events by sequence, with what paid for them. */
export function lookAtEvents(
  names: readonly { readonly customerId: string; readonly sequence: bigint }[],
): readonly Look[] {
  const params = [names.map((n) => n.customerId), names.map((n) => n.sequence.toString())];
  return [
    {
      statement: { text: NAMED_EVENTS, params },
      read(rows, customers) {
        for (const row of rowsAs<EventRow>(rows)) {
          customers.get(row.customer_id)?.events.set(BigInt(row.sequence), eventFromRow(row));
        }
      },
    },
    {
      statement: { text: POSTINGS_OF_EVENTS, params },
      read(rows, customers) {
        for (const row of rowsAs<PostingRow>(rows)) addDraw(row, customers);
      },
    },
  ];
}

function addDraw(row: PostingRow, customers: Customers): void {
  const events = customers.get(row.customer_id)?.events;
  const event = events?.get(BigInt(row.sequence));
  if (!events || !event) return;
  const draw = { grantId: row.grant_id, units: -unitsOf(row.amount) };
  events.set(event.sequence, { ...event, payment: { ...event.payment, draws: [...event.payment.draws, draw] } });
}

/** Far more draws than one call gives back; what is older stays drawn from where it was. */
const DRAWS_MAX = 10_000;

type DrawnRow = {
  readonly customer_id: string;
  readonly commodity: string;
  readonly grant_id: string;
  readonly amount: string;
};

const DRAWN = `
  SELECT p.customer_id, p.commodity, p.grant_id, p.amount
  FROM unnest($1::text[], $2::text[]) AS k (customer_id, commodity)
  CROSS JOIN LATERAL (
    SELECT * FROM postings
    WHERE customer_id = k.customer_id::uuid AND commodity = k.commodity AND ${DRAWS}
    ORDER BY sequence DESC, line DESC LIMIT ${DRAWS_MAX}
  ) p ORDER BY p.sequence, p.line`;

/** Where credits of these features were drawn and given back, oldest first. */
export const lookAtDraws = (meters: readonly { readonly customerId: string; readonly featureKey: string }[]): Look => ({
  statement: { text: DRAWN, params: [meters.map((m) => m.customerId), meters.map((m) => m.featureKey)] },
  read(rows, customers) {
    for (const row of rowsAs<DrawnRow>(rows)) {
      const drawn = customers.get(row.customer_id)?.drawn;
      const known = drawn?.get(row.commodity) ?? [];
      drawn?.set(row.commodity, [...known, { grantId: row.grant_id, units: -unitsOf(row.amount) }]);
    }
  },
});
