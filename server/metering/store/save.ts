/** save — writes what a batch decided, in a number of statements that does not depend on its size. */
import type { Row, Statement } from '../../db/client.ts';
import { emittedText, noticeParams } from '../../db/queries/outgoing-events.ts';
import type { Alert } from '../../domain/alert.ts';
import type { Notice } from '../../domain/notice.ts';
import { formatUnits } from '../../domain/units.ts';
import type { Hint } from '../../events/bus.ts';
import type { ChangedCounter, Changes, CustomerState, NewAlert, NewAnswer, NewEvent } from '../state.ts';
import { insertOf, iso, isoOrNull } from './columns.ts';
import type { Part } from './part.ts';
import { isEmpty, type Proof, proofParams, proofText } from './proof.ts';
import { plainRollupsText, rollupsOf, saveRollupsStatement } from './rollup.ts';
import { accountStatements, movePlansStatements } from './save-accounts.ts';
import { FULL_COUNTER, FULL_EVENT, isPlainCounter, isPlainEvent, PLAIN_COUNTER, PLAIN_EVENT } from './save-columns.ts';
import { outboxPart } from './save-outbox.ts';

/** What a batch writes, beside what it changes. */
export type Saving = {
  readonly proof: Proof;
  /** Of the rows of its customers from now on. */
  readonly revision: bigint;
  /** What other gateways are told with the commit; null for nothing. */
  readonly hint: Hint | null;
  /** In what windows overage is told to a biller; null where there is none. */
  readonly reportWindowMs?: number | null;
};

/** Everything to write: the first statement is the one that `readSavedAlerts` reads. */
export function saveStatements(changes: Changes, saving: Saving): readonly Statement[] {
  const { nowMs, events } = changes;
  const isPlain = events.every((event) => isPlainEvent(event, nowMs));
  return [
    saveStatement(changes, saving, isPlain),
    ...(isPlain ? [] : rollupStatements(changes)),
    ...(hasAccounts(changes) ? accountStatements(changes, iso(nowMs)) : []),
    ...(changes.movedPlans.length > 0 ? movePlansStatements(changes.movedPlans) : []),
  ];
}

function rollupStatements({ events }: Changes): readonly Statement[] {
  const rows = rollupsOf(events);
  return rows.length === 0 ? [] : [saveRollupsStatement(rows)];
}

/**
 * What every batch writes, in one statement, which is all or nothing by itself. The division fails it when a customer
 * moved on since it was read, or what was remembered is no longer so. A lock forbids that of whoever was read, unless the
 * connection and with it the lock was lost in between.
 *
 * @param isPlain Whether all of its events are: then their rollups are made where they are stored.
 */
function saveStatement(
  changes: Changes,
  { proof, revision, hint, reportWindowMs = null }: Saving,
  isPlain: boolean,
): Statement {
  const { nowMs, customers, counters, events, answers, alerts, notices } = changes;
  const parts: Part[] = [commonPart(nowMs, revision), customersPart(inKeyOrder(customers))];
  if (alerts.length > 0) parts.push(alertsPart(alerts));
  if (answers.length > 0) parts.push(answersPart(answers));
  if (counters.size > 0) parts.push(countersPart([...counters.values()]));
  if (events.length > 0) parts.push(eventsPart(events, isPlain));
  const outbox = reportWindowMs === null ? null : outboxPart(changes, reportWindowMs, NOW);
  if (outbox) parts.push(outbox);
  if (notices.length > 0) parts.push(noticesPart(notices));
  if (!isEmpty(proof)) parts.push(proofPart(proof));
  if (hint) parts.push(hintPart(hint));
  return { text: textOf(parts), params: parts.flatMap(({ params }) => params) };
}

/** Texts by the names of their parts: few enough for the database to plan each once. */
const texts = new Map<string, string>();

function textOf(parts: readonly Part[]): string {
  const name = parts.map((part) => part.name).join();
  const text = texts.get(name) ?? newTextOf(parts);
  texts.set(name, text);
  return text;
}

function newTextOf(parts: readonly Part[]): string {
  let count = 0;
  const numbered = parts.map((part) => {
    const first = count + 1;
    count += part.params.length;
    return { part, param: (i: number) => `$${first + i}` };
  });
  const writes = numbered.flatMap(({ part, param }) => part.writes?.(param) ?? []);
  const holds = numbered.flatMap(({ part, param }) => part.holds?.(param) ?? []);
  const answers = numbered.flatMap(({ part, param }) => part.answers?.(param) ?? []);
  return `
  WITH ${writes.join(', ')}
  SELECT ${[`1 / (${holds.join(' AND ')})::integer AS held`, ...answers].join(',\n    ')}`;
}

/** The instant, and what the rows of customers are told by from now on. */
const NOW = '$1::timestamptz';
const REVISION = '$2::bigint';

/** Always the first, so that its parameters are $1 and $2; the instant is selected so that $1 has a type where no other part asks. */
const commonPart = (nowMs: number, revision: bigint): Part => ({
  name: 'common',
  params: [iso(nowMs), revision.toString()],
  answers: () => `${NOW} AS saved_at`,
});

/** In key order, in which they are locked by who reads them, too: two gateways never wait for each other in a circle. */
const inKeyOrder = (customers: readonly CustomerState[]): readonly CustomerState[] =>
  customers.toSorted((a, b) => (a.id < b.id ? -1 : 1));

/**
 * One row after the other, in the order of its arrays: LIMIT keeps the planner from joining otherwise, which would lock rows in
 * any order. The revision is asked again because the row may be written while we wait for it: that is what is checked then.
 */
const customersPart = (customers: readonly CustomerState[]): Part => ({
  name: 'customers',
  params: [
    customers.map((c) => c.id),
    customers.map((c) => c.revision.toString()),
    customers.map((c) => c.sequence.toString()),
    customers.map((c) => c.limitsSequence.toString()),
    customers.map(rateWindowsJson),
    customers.map((c) => (c.prepaid ? 't' : 'f')),
    customers.map((c) => isoOrNull(c.dueAtMs)),
  ],
  writes: (param) => `moved_customers AS (
    UPDATE customers c SET revision = ${REVISION}, sequence = v.sequence::bigint, limits_sequence = v.limits_sequence::bigint,
      rate_windows = v.rate_windows::jsonb, prepaid = v.prepaid::boolean, due_at = v.due_at::timestamptz
    FROM unnest(${textArrays(param, 7)}) AS v (id, revision, sequence, limits_sequence, rate_windows, prepaid, due_at)
    CROSS JOIN LATERAL (SELECT ctid FROM customers WHERE id = v.id::uuid AND revision = v.revision::bigint LIMIT 1) found
    WHERE c.ctid = found.ctid AND c.revision = v.revision::bigint
    RETURNING c.id
  )`,
  holds: (param) => `cardinality(${param(0)}::text[]) = (SELECT count(*) FROM moved_customers)`,
});

const alertsPart = (alerts: readonly NewAlert[]): Part => ({
  name: 'alerts',
  params: [
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
  ],
  writes: (param) => `reached AS (
    SELECT * FROM unnest(${textArrays(param, 10)})
      WITH ORDINALITY AS v (customer_id, feature_key, period_start, period_end, mark, tenant_id, used, "limit", event_sequence, muted_at, position)
  ), moved_tenants AS (
    UPDATE tenants t SET alert_sequence = t.alert_sequence + r.count
    FROM (SELECT tenant_id, count(*) FROM reached GROUP BY tenant_id) r WHERE t.id = r.tenant_id::uuid
    RETURNING t.id, t.alert_sequence - r.count AS alert_sequence_before
  ), saved_alerts AS (
    INSERT INTO alerts (customer_id, feature_key, period_start, period_end, threshold_key, tenant_id, used, "limit", sequence, event_sequence, raised_at, muted_at)
    SELECT r.customer_id::uuid, r.feature_key, r.period_start::timestamptz, r.period_end::timestamptz, r.mark, t.id,
      r.used::numeric, r."limit"::numeric,
      t.alert_sequence_before + row_number() OVER (PARTITION BY r.tenant_id ORDER BY r.position), r.event_sequence::bigint, ${NOW},
      r.muted_at::timestamptz
    FROM reached r JOIN moved_tenants t ON t.id = r.tenant_id::uuid
    ON CONFLICT DO NOTHING
    RETURNING customer_id, event_sequence, threshold_key, sequence
  )`,
  answers:
    () => `(SELECT json_agg(json_build_object('customer_id', customer_id, 'event_sequence', event_sequence::text, 'mark', threshold_key,
      'sequence', sequence::text)) FROM saved_alerts) AS alerts`,
});

const answersPart = (answers: readonly NewAnswer[]): Part => ({
  name: 'answers',
  params: [
    answers.map((a) => a.customer.id),
    answers.map((a) => a.idempotencyKey),
    answers.map((a) => a.customer.tenantId),
    answers.map((a) => a.fingerprint),
    answers.map((a) => a.answer),
  ],
  writes: (param) => `saved_answers AS (
    INSERT INTO answers (customer_id, idempotency_key, tenant_id, fingerprint, answer, answered_at)
    SELECT v.customer_id::uuid, v.idempotency_key, v.tenant_id::uuid, v.fingerprint, v.answer::json, ${NOW}
    FROM unnest(${textArrays(param, 5)}) AS v (customer_id, idempotency_key, tenant_id, fingerprint, answer)
  )`,
});

function countersPart(counters: readonly ChangedCounter[]): Part {
  const isPlain = counters.every(isPlainCounter);
  const columns = isPlain ? PLAIN_COUNTER : FULL_COUNTER;
  return {
    name: isPlain ? 'plain counters' : 'counters',
    params: columns.map(([, , value]) => counters.map(value)),
    writes: (param) => `saved_counters AS (
    ${insertOf('counters', columns, param)}
    ON CONFLICT (customer_id, feature_key, entity_id, period_start) DO UPDATE
      SET used = excluded.used, held = excluded.held, credits = excluded.credits, wallet = excluded.wallet, overage = excluded.overage,
        cost = excluded.cost, wallet_charge = excluded.wallet_charge, currency = excluded.currency, level = excluded.level,
        level_at = excluded.level_at, area = excluded.area, raised = excluded.raised, sequence = excluded.sequence, period_end = excluded.period_end, closed_at = excluded.closed_at,
        corrected_at = excluded.corrected_at
  )`,
  };
}

function eventsPart(events: readonly NewEvent[], isPlain: boolean): Part {
  const columns = isPlain ? PLAIN_EVENT : FULL_EVENT;
  return {
    name: isPlain ? 'plain events' : 'events',
    params: columns.map(([, , value]) => events.map(value)),
    writes: (param) =>
      isPlain
        ? `saved_events AS (
    ${insertOf('events', columns, param, [...PLAIN_EVENT_REST, RECORDED_NOW])}
    RETURNING customer_id, feature_key, tenant_id, amount, overage
  ), saved_rollups AS (${plainRollupsText('saved_events', NOW)})`
        : `saved_events AS (
    ${insertOf('events', columns, param, [RECORDED_NOW])}
  )`,
  };
}

const RECORDED_NOW = ['recorded_at', NOW] as const;
/** What a plain event leaves unsaid: it was used as it was reported, now. */
const PLAIN_EVENT_REST = [
  ['amount', 'v.reported::numeric'],
  ['occurred_at', NOW],
] as const;

/** What others are told of: with the fact, or not at all. */
const noticesPart = (notices: readonly Notice[]): Part => ({
  name: 'notices',
  params: noticeParams(notices),
  writes: (param) => emittedText(param, NOW),
});

const proofPart = (proof: Proof): Part => ({ name: 'proof', params: proofParams(proof), holds: proofText });

/** Other gateways hear it on commit, and never on rollback. */
const hintPart = ({ channel, payloads }: Hint): Part => ({
  name: 'hint',
  params: [channel, payloads],
  answers: (param) => `(SELECT count(${tell(param)}) FROM unnest(${param(1)}::text[]) AS payload) AS told`,
});

const tell = (param: (i: number) => string): string => `pg_notify(${param(0)}, payload)`;

/** Hints for other gateways, of what is no batch: see events/bus.ts. */
export const notifyStatement = ({ channel, payloads }: Hint): Statement => ({
  text: `SELECT ${tell((i) => `$${i + 1}`)} FROM unnest($2::text[]) AS payload`,
  params: [channel, payloads],
});

const textArrays = (param: (i: number) => string, count: number): string =>
  Array.from({ length: count }, (_, i) => `${param(i)}::text[]`).join(', ');

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
