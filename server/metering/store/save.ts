/** save — writes what a batch decided, in a number of statements that does not depend on its size. */
import type { Row, Statement } from '../../db/client.ts';
import type { Alert } from '../../domain/alert.ts';
import { formatUnits } from '../../domain/units.ts';
import type { Hint } from '../../events/bus.ts';
import type { ChangedCounter, Changes, CustomerState, NewAlert, NewEvent } from '../state.ts';
import { type Column, insertOf, iso, isoOrNull } from './columns.ts';
import { type Proof, proofParams, proofText } from './proof.ts';
import { plainRollupsText, rollupsOf, saveRollupsStatement } from './rollup.ts';
import { accountStatements, movePlansStatements } from './save-accounts.ts';

/** Customers and the instant, alerts and answers come first. */
const FIRST_PROOF_PARAM = 24; // four, and then the revision
const FIRST_COUNTER_PARAM = 29;

/**
 * What every batch writes, in one statement, which is all or nothing by itself. The division fails it when a customer
 * moved on since it was read, or what was remembered is no longer so. A lock forbids that of whoever was read, unless the
 * connection and with it the lock was lost in between.
 *
 * @param counters INSERT of all columns, or of the few that say anything where nothing but what is included pays.
 * @param events   The same for events.
 * @param rollups  INSERT of what plain events come to; empty where those of other events are written beside.
 */
const saveText = (counters: string, events: string, rollups: string): string => `
  WITH moved_customers AS (
    UPDATE customers c SET revision = $28::bigint, sequence = v.sequence::bigint, limits_sequence = v.limits_sequence::bigint, rate_windows = v.rate_windows::jsonb,
      prepaid = v.prepaid::boolean, due_at = v.due_at::timestamptz
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
      AS v (id, revision, sequence, limits_sequence, rate_windows, prepaid, due_at)
    WHERE c.id = ANY($1::text[]::uuid[]) AND c.id = v.id::uuid AND c.revision = v.revision::bigint
    RETURNING c.id
  ), reached AS (
    SELECT * FROM unnest($9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[])
      WITH ORDINALITY AS v (customer_id, feature_key, period_start, period_end, mark, tenant_id, used, "limit", event_sequence, muted_at, position)
  ), moved_tenants AS (
    UPDATE tenants t SET alert_sequence = t.alert_sequence + r.count
    FROM (SELECT tenant_id, count(*) FROM reached GROUP BY tenant_id) r WHERE t.id = r.tenant_id::uuid
    RETURNING t.id, t.alert_sequence - r.count AS alert_sequence_before
  ), saved_alerts AS (
    INSERT INTO alerts (customer_id, feature_key, period_start, period_end, threshold_key, tenant_id, used, "limit", sequence, event_sequence, raised_at, muted_at)
    SELECT r.customer_id::uuid, r.feature_key, r.period_start::timestamptz, r.period_end::timestamptz, r.mark, t.id,
      r.used::numeric, r."limit"::numeric,
      t.alert_sequence_before + row_number() OVER (PARTITION BY r.tenant_id ORDER BY r.position), r.event_sequence::bigint, $8::timestamptz,
      r.muted_at::timestamptz
    FROM reached r JOIN moved_tenants t ON t.id = r.tenant_id::uuid
    ON CONFLICT DO NOTHING
    RETURNING customer_id, event_sequence, threshold_key, sequence
  ), saved_answers AS (
    INSERT INTO answers (customer_id, idempotency_key, tenant_id, fingerprint, answer, answered_at)
    SELECT v.customer_id::uuid, v.idempotency_key, v.tenant_id::uuid, v.fingerprint, v.answer::json, $8::timestamptz
    FROM unnest($19::text[], $20::text[], $21::text[], $22::text[], $23::text[])
      AS v (customer_id, idempotency_key, tenant_id, fingerprint, answer)
  ), saved_counters AS (
    ${counters}
    ON CONFLICT (customer_id, feature_key, entity_id, period_start) DO UPDATE
      SET used = excluded.used, held = excluded.held, credits = excluded.credits, wallet = excluded.wallet, overage = excluded.overage,
        cost = excluded.cost, wallet_charge = excluded.wallet_charge, level = excluded.level, level_at = excluded.level_at, area = excluded.area,
        raised = excluded.raised, sequence = excluded.sequence, period_end = excluded.period_end, closed_at = excluded.closed_at,
        corrected_at = excluded.corrected_at
  ), saved_events AS (
    ${events}
  )${rollups && `, saved_rollups AS (${rollups})`}
  SELECT 1 / (cardinality($1::text[]) = (SELECT count(*) FROM moved_customers) AND ${proofText(FIRST_PROOF_PARAM)})::integer AS held,
    (SELECT json_agg(json_build_object('customer_id', customer_id, 'event_sequence', event_sequence::text, 'mark', threshold_key,
      'sequence', sequence::text)) FROM saved_alerts) AS alerts`;

/**
 * Everything to write: the first statement is the one that `readSavedAlerts` reads.
 *
 * @param revision Of the rows of its customers from now on.
 */
export function saveStatements(changes: Changes, proof: Proof, revision: bigint): readonly Statement[] {
  const { nowMs } = changes;
  const isPlain = changes.events.every((event) => isPlainEvent(event, nowMs));
  return [
    saveStatement(changes, proof, revision, isPlain ? PLAIN_EVENT : FULL_EVENT),
    ...(isPlain ? [] : rollupStatements(changes)),
    ...(hasAccounts(changes) ? accountStatements(changes, iso(nowMs)) : []),
    ...(changes.movedPlans.length > 0 ? movePlansStatements(changes.movedPlans) : []),
  ];
}

function rollupStatements({ events }: Changes): readonly Statement[] {
  const rows = rollupsOf(events);
  return rows.length === 0 ? [] : [saveRollupsStatement(rows)];
}

function saveStatement(
  { nowMs, customers, counters, events, answers, alerts }: Changes,
  proof: Proof,
  revision: bigint,
  eventColumns: readonly Column<NewEvent>[],
): Statement {
  const changed = [...counters.values()];
  const counterColumns = changed.every(isPlainCounter) ? PLAIN_COUNTER : FULL_COUNTER;
  return {
    text: saveTextOf(counterColumns, eventColumns),
    params: [
      customers.map((c) => c.id),
      customers.map((c) => c.revision.toString()),
      customers.map((c) => c.sequence.toString()),
      customers.map((c) => c.limitsSequence.toString()),
      customers.map(rateWindowsJson),
      customers.map((c) => (c.prepaid ? 't' : 'f')),
      customers.map((c) => isoOrNull(c.dueAtMs)),
      iso(nowMs),

      alerts.map((a) => a.customerId),
      alerts.map((a) => a.featureKey),
      alerts.map((a) => iso(a.period.startMs)),
      alerts.map((a) => isoOrNull(a.period.endMs)),
      alerts.map((a) => a.mark),
      alerts.map((a) => a.tenantId),
      alerts.map((a) => formatUnits(a.used)),
      alerts.map((a) => (a.limit === null ? null : formatUnits(a.limit))),
      alerts.map((a) => a.eventSequence.toString()),
      alerts.map((a) => isoOrNull(a.mutedAtMs)),

      answers.map((a) => a.customer.id),
      answers.map((a) => a.idempotencyKey),
      answers.map((a) => a.customer.tenantId),
      answers.map((a) => a.fingerprint),
      answers.map((a) => a.answer),

      ...proofParams(proof),
      revision.toString(),
      ...counterColumns.map(([, , value]) => changed.map(value)),
      ...eventColumns.map(([, , value]) => events.map(value)),
    ],
  };
}

/** Most use is of what is included, by nobody under the customer, now: what such counters hold beside that goes without saying. */
const isPlainCounter = ({ entityId, counter }: ChangedCounter): boolean =>
  entityId === null &&
  counter.held === 0n &&
  counter.credits === 0n &&
  counter.wallet === 0n &&
  counter.cost === 0n &&
  counter.walletCharge === 0n &&
  counter.gauge === null &&
  counter.closedAtMs === null &&
  counter.correctedAtMs === null;

const isPlainEvent = (event: NewEvent, nowMs: number): boolean =>
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

const COUNTER: readonly Column<ChangedCounter>[] = [
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

const PLAIN_COUNTER = COUNTER;
const FULL_COUNTER: readonly Column<ChangedCounter>[] = [
  ...COUNTER,
  ['entity_id', 'text', ({ entityId }) => entityId ?? ''],
  ['held', 'numeric', ({ counter }) => formatUnits(counter.held)],
  ['credits', 'numeric', ({ counter }) => formatUnits(counter.credits)],
  ['wallet', 'numeric', ({ counter }) => formatUnits(counter.wallet)],
  ['cost', 'numeric', ({ counter }) => formatUnits(counter.cost)],
  ['wallet_charge', 'numeric', ({ counter }) => formatUnits(counter.walletCharge)],
  ['level', 'numeric', ({ counter }) => counter.gauge && formatUnits(counter.gauge.level)],
  ['level_at', 'timestamptz', ({ counter }) => counter.gauge && iso(counter.gauge.atMs)],
  ['area', 'numeric', ({ counter }) => counter.gauge?.area.toString() ?? null],
  ['closed_at', 'timestamptz', ({ counter }) => isoOrNull(counter.closedAtMs)],
  ['corrected_at', 'timestamptz', ({ counter }) => isoOrNull(counter.correctedAtMs)],
];

const EVENT: readonly Column<NewEvent>[] = [
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

const PLAIN_EVENT = EVENT;
const FULL_EVENT: readonly Column<NewEvent>[] = [
  ...EVENT,
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

/** What a plain event leaves unsaid: it was used as it was reported, now. */
const PLAIN_EVENT_REST = [
  ['amount', 'v.reported::numeric'],
  ['occurred_at', '$8::timestamptz'],
] as const;

/** The four texts there are: counters plain or full, events plain or full. */
const saveTexts = new Map<string, string>();

function saveTextOf(counters: readonly Column<ChangedCounter>[], events: readonly Column<NewEvent>[]): string {
  const name = `${counters.length} ${events.length}`;
  const known = saveTexts.get(name);
  if (known !== undefined) return known;
  const isPlain = events === PLAIN_EVENT;
  const rest = isPlain ? PLAIN_EVENT_REST : [];
  const firstEventParam = FIRST_COUNTER_PARAM + counters.length;
  const eventsText = insertOf('events', events, firstEventParam, [...rest, ['recorded_at', '$8::timestamptz']]);
  const text = saveText(
    insertOf('counters', counters, FIRST_COUNTER_PARAM),
    isPlain ? `${eventsText} RETURNING customer_id, feature_key, tenant_id, amount, overage` : eventsText,
    isPlain ? plainRollupsText('saved_events', '$8') : '',
  );
  saveTexts.set(name, text);
  return text;
}

const marksOf = (raised: ReadonlySet<string>): string => (raised.size === 0 ? '' : [...raised].join(' '));

const NO_WINDOWS = '{}';

function rateWindowsJson({ rateWindows }: CustomerState): string {
  if (rateWindows.size === 0) return NO_WINDOWS;
  return JSON.stringify(
    Object.fromEntries([...rateWindows].map(([key, { startMs, calls }]) => [key, [startMs, calls]])),
  );
}

type SavedAlertRow = {
  readonly customer_id: string;
  readonly event_sequence: string;
  readonly mark: string;
  readonly sequence: string;
};

/** The alerts of a saved batch, each with the sequence it was given. One that was there before is left out. */
export function readSavedAlerts(alerts: readonly NewAlert[], [rows]: readonly Row[][]): ReadonlyMap<NewAlert, Alert> {
  const saved = (rows?.[0]?.alerts ?? []) as SavedAlertRow[]; // as the statement aggregates them
  const sequences = new Map(saved.map((row) => [`${row.customer_id} ${row.event_sequence} ${row.mark}`, row.sequence]));
  const pairs = alerts.flatMap((alert): [NewAlert, Alert][] => {
    const sequence = sequences.get(`${alert.customerId} ${alert.eventSequence} ${alert.mark}`);
    return sequence === undefined ? [] : [[alert, { ...alert, acknowledgedAtMs: null, sequence: BigInt(sequence) }]];
  });
  return new Map(pairs);
}

const hasAccounts = ({ postings, grants, balances, wallets, topUps, reservations, values }: Changes): boolean =>
  postings.length + grants.size + balances.size + wallets.size + topUps.size + reservations.size + values.length > 0;

/** Hints for other gateways: see events/bus.ts. In the transaction, so they are heard on commit, never on rollback. */
export const notifyStatement = ({ channel, payloads }: Hint): Statement => ({
  text: 'SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload',
  params: [channel, payloads],
});
