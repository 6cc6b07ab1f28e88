/**
 * save — writes what a batch decided, in a number of statements that does not depend on its size.
 *
 * Parameters are arrays of text: both drivers write those alike, and Postgres casts faster than drivers do.
 */
import type { Parameter, Row, Statement } from '../db/client.ts';
import type { Alert } from '../domain/alert.ts';
import { nextDueMs } from '../domain/credits.ts';
import { formatUnits, type Units } from '../domain/units.ts';
import type { Hint } from '../events/bus.ts';
import { rollupsOf, saveRollupsStatement } from './rollup.ts';
import { renewalToJson, splitToJson } from './rows.ts';
import type { Changes, CustomerState, NewAlert } from './state.ts';

/**
 * What every batch writes, in one statement, which is all or nothing by itself. The division fails it when a customer
 * moved on since it was read (which its lock forbids, unless the connection and with it the lock was lost in between).
 */
const SAVE = `
  WITH moved_customers AS (
    UPDATE customers c SET sequence = v.sequence::bigint, limits_sequence = v.limits_sequence::bigint, rate_windows = v.rate_windows::jsonb,
      prepaid = v.prepaid::boolean, due_at = v.due_at::timestamptz
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
      AS v (id, expected, sequence, limits_sequence, rate_windows, prepaid, due_at)
    WHERE c.id = ANY($1::text[]::uuid[]) AND c.id = v.id::uuid AND c.sequence = v.expected::bigint
    RETURNING c.id
  ), saved_counters AS (
    INSERT INTO counters (customer_id, feature_key, entity_id, period_start, period_end, reset, tenant_id, used, held, credits, wallet, overage,
      cost, wallet_charge, level, level_at, area, raised, sequence, closed_at, corrected_at)
    SELECT v.customer_id::uuid, v.feature_key, v.entity_id, v.period_start::timestamptz, v.period_end::timestamptz, v.reset, v.tenant_id::uuid,
      v.used::numeric, v.held::numeric, v.credits::numeric, v.wallet::numeric, v.overage::numeric, v.cost::numeric, v.wallet_charge::numeric,
      v.level::numeric, v.level_at::timestamptz, v.area::numeric, string_to_array(v.raised, ' '), v.sequence::bigint,
      v.closed_at::timestamptz, v.corrected_at::timestamptz
    FROM unnest($8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[],
      $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::text[], $24::text[], $25::text[], $26::text[], $27::text[], $28::text[])
      AS v (customer_id, feature_key, entity_id, period_start, period_end, reset, tenant_id, used, held, credits, wallet, overage, cost,
        wallet_charge, level, level_at, area, raised, sequence, closed_at, corrected_at)
    ON CONFLICT (customer_id, feature_key, entity_id, period_start) DO UPDATE
      SET used = excluded.used, held = excluded.held, credits = excluded.credits, wallet = excluded.wallet, overage = excluded.overage,
        cost = excluded.cost, wallet_charge = excluded.wallet_charge, level = excluded.level, level_at = excluded.level_at, area = excluded.area,
        raised = excluded.raised, sequence = excluded.sequence, period_end = excluded.period_end, closed_at = excluded.closed_at,
        corrected_at = excluded.corrected_at
  ), saved_events AS (
    INSERT INTO events (customer_id, sequence, tenant_id, kind, feature_key, entity_id, period_start, reported, amount, credits, wallet, overage,
      cost, wallet_charge, currency, used_after, reverses, idempotency_key, properties, occurred_at, recorded_at)
    SELECT v.customer_id::uuid, v.sequence::bigint, v.tenant_id::uuid, v.kind, v.feature_key, v.entity_id, v.period_start::timestamptz,
      v.reported::numeric, v.amount::numeric, v.credits::numeric, v.wallet::numeric, v.overage::numeric, v.cost::numeric, v.wallet_charge::numeric,
      v.currency, v.used_after::numeric, v.reverses::bigint, v.idempotency_key, v.properties::jsonb, v.occurred_at::timestamptz, $49::timestamptz
    FROM unnest($29::text[], $30::text[], $31::text[], $32::text[], $33::text[], $34::text[], $35::text[], $36::text[], $37::text[], $38::text[],
      $39::text[], $40::text[], $41::text[], $42::text[], $43::text[], $44::text[], $45::text[], $46::text[], $47::text[], $48::text[])
      AS v (customer_id, sequence, tenant_id, kind, feature_key, entity_id, period_start, reported, amount, credits, wallet, overage, cost,
        wallet_charge, currency, used_after, reverses, idempotency_key, properties, occurred_at)
  ), saved_answers AS (
    INSERT INTO answers (customer_id, idempotency_key, tenant_id, fingerprint, answer, answered_at)
    SELECT v.customer_id::uuid, v.idempotency_key, v.tenant_id::uuid, v.fingerprint, v.answer::json, $49::timestamptz
    FROM unnest($50::text[], $51::text[], $52::text[], $53::text[], $54::text[])
      AS v (customer_id, idempotency_key, tenant_id, fingerprint, answer)
  ), reached AS (
    SELECT * FROM unnest($55::text[], $56::text[], $57::text[], $58::text[], $59::text[], $60::text[], $61::text[], $62::text[], $63::text[], $64::text[])
      WITH ORDINALITY AS v (customer_id, feature_key, period_start, period_end, mark, tenant_id, used, "limit", event_sequence, muted_at, position)
  ), moved_tenants AS (
    UPDATE tenants t SET alert_sequence = t.alert_sequence + r.count
    FROM (SELECT tenant_id, count(*) FROM reached GROUP BY tenant_id) r WHERE t.id = r.tenant_id::uuid
    RETURNING t.id, t.alert_sequence - r.count AS alert_sequence_before
  ), saved_alerts AS (
    INSERT INTO alerts (customer_id, feature_key, period_start, period_end, threshold_key, tenant_id, used, "limit", sequence, event_sequence, raised_at, muted_at)
    SELECT r.customer_id::uuid, r.feature_key, r.period_start::timestamptz, r.period_end::timestamptz, r.mark, t.id,
      r.used::numeric, r."limit"::numeric,
      t.alert_sequence_before + row_number() OVER (PARTITION BY r.tenant_id ORDER BY r.position), r.event_sequence::bigint, $49::timestamptz,
      r.muted_at::timestamptz
    FROM reached r JOIN moved_tenants t ON t.id = r.tenant_id::uuid
    ON CONFLICT DO NOTHING
    RETURNING customer_id, event_sequence, threshold_key, sequence
  )
  SELECT 1 / (cardinality($1::text[]) = (SELECT count(*) FROM moved_customers))::integer AS held,
    (SELECT json_agg(json_build_object('customer_id', customer_id, 'event_sequence', event_sequence::text, 'mark', threshold_key,
      'sequence', sequence::text)) FROM saved_alerts) AS alerts`;

/** Everything to write: the first statement is the one that `readSavedAlerts` reads. */
export function saveStatements(changes: Changes): readonly Statement[] {
  const { nowMs } = changes;
  return [
    saveStatement(changes),
    ...rollupStatements(changes),
    ...(hasAccounts(changes) ? accountStatements(changes, iso(nowMs)) : []),
    ...(changes.movedPlans.length > 0 ? [movePlansStatement(changes.movedPlans)] : []),
  ];
}

function rollupStatements({ events }: Changes): readonly Statement[] {
  const rows = rollupsOf(events);
  return rows.length === 0 ? [] : [saveRollupsStatement(rows)];
}

function saveStatement({ nowMs, customers, counters, events, answers, alerts }: Changes): Statement {
  const changed = [...counters.values()];
  return {
    text: SAVE,
    params: [
      customers.map((c) => c.id),
      customers.map((c) => c.sequenceBefore.toString()),
      customers.map((c) => c.sequence.toString()),
      customers.map((c) => c.limitsSequence.toString()),
      customers.map(rateWindowsJson),
      customers.map((c) => String(c.prepaid)),
      customers.map((c) => isoOrNull(c.dueAtMs)),

      changed.map((c) => c.customer.id),
      changed.map((c) => c.featureKey),
      changed.map((c) => c.entityId ?? ''),
      changed.map((c) => iso(c.counter.period.startMs)),
      changed.map((c) => isoOrNull(c.counter.period.endMs)),
      changed.map((c) => c.counter.period.reset),
      changed.map((c) => c.customer.tenantId),
      changed.map((c) => formatUnits(c.counter.used)),
      changed.map((c) => formatUnits(c.counter.held)),
      changed.map((c) => formatUnits(c.counter.credits)),
      changed.map((c) => formatUnits(c.counter.wallet)),
      changed.map((c) => formatUnits(c.counter.overage)),
      changed.map((c) => formatUnits(c.counter.cost)),
      changed.map((c) => formatUnits(c.counter.walletCharge)),
      changed.map((c) => c.counter.gauge && formatUnits(c.counter.gauge.level)),
      changed.map((c) => c.counter.gauge && iso(c.counter.gauge.atMs)),
      changed.map((c) => c.counter.gauge && c.counter.gauge.area.toString()),
      changed.map((c) => [...c.counter.raised].join(' ')),
      changed.map((c) => c.counter.sequence.toString()),
      changed.map((c) => isoOrNull(c.counter.closedAtMs)),
      changed.map((c) => isoOrNull(c.counter.correctedAtMs)),

      events.map((e) => e.customer.id),
      events.map((e) => e.sequence.toString()),
      events.map((e) => e.customer.tenantId),
      events.map((e) => e.kind),
      events.map((e) => e.featureKey),
      events.map((e) => e.entityId ?? ''),
      events.map((e) => iso(e.periodStartMs)),
      events.map((e) => formatUnits(e.reported)),
      events.map((e) => formatUnits(e.amount)),
      events.map((e) => formatUnits(e.payment.credits)),
      events.map((e) => formatUnits(e.payment.wallet)),
      events.map((e) => formatUnits(e.payment.overage)),
      events.map((e) => formatUnits(e.payment.cost)),
      events.map((e) => formatUnits(e.payment.walletCharge)),
      events.map((e) => e.currency),
      events.map((e) => formatUnits(e.usedAfter)),
      events.map((e) => e.reverses?.toString() ?? null),
      events.map((e) => e.idempotencyKey),
      events.map((e) => e.properties),
      events.map((e) => iso(e.occurredAtMs)),
      iso(nowMs),

      answers.map((a) => a.customer.id),
      answers.map((a) => a.idempotencyKey),
      answers.map((a) => a.customer.tenantId),
      answers.map((a) => a.fingerprint),
      answers.map((a) => a.answer),

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
  };
}

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
  const saved = (rows?.[0]?.alerts ?? []) as SavedAlertRow[];
  const sequences = new Map(saved.map((row) => [`${row.customer_id} ${row.event_sequence} ${row.mark}`, row.sequence]));
  const pairs = alerts.flatMap((alert): [NewAlert, Alert][] => {
    const sequence = sequences.get(`${alert.customerId} ${alert.eventSequence} ${alert.mark}`);
    return sequence === undefined ? [] : [[alert, { ...alert, acknowledgedAtMs: null, sequence: BigInt(sequence) }]];
  });
  return new Map(pairs);
}

const hasAccounts = ({ postings, grants, balances, wallets, topUps, reservations, values }: Changes): boolean =>
  postings.length + grants.size + balances.size + wallets.size + topUps.length + reservations.size + values.length > 0;

/** One column of a statement's arrays: its name, the type it is cast to, and its values. */
type Column<T> = readonly [name: string, type: string, value: (entry: T) => string | null];

/** Writes rows of one table; with `key`, those that are there are replaced. */
function writeStatement<T>(
  table: string,
  entries: readonly T[],
  columns: readonly Column<T>[],
  key?: string,
): Statement {
  const names = columns.map(([name]) => name);
  const updates = names.filter((name) => !key?.split(', ').includes(name)).map((name) => `${name} = excluded.${name}`);
  const conflict = key === undefined ? '' : `ON CONFLICT (${key}) DO UPDATE SET ${updates.join(', ')}`;
  const arrays = columns.map((_, i) => `$${i + 1}::text[]`);
  return {
    text: `INSERT INTO ${table} (${names.join(', ')})
      SELECT ${columns.map(([name, type]) => `v.${name}::${type}`).join(', ')}
      FROM unnest(${arrays.join(', ')}) AS v (${names.join(', ')}) ${conflict}`,
    params: columns.map(([, , value]) => entries.map(value)) satisfies Parameter[],
  };
}

type OfCustomer = { readonly customer: CustomerState };
const CUSTOMER: Column<OfCustomer> = ['customer_id', 'uuid', ({ customer }) => customer.id];
const TENANT: Column<OfCustomer> = ['tenant_id', 'uuid', ({ customer }) => customer.tenantId];

/** What batches with credits, wallets, reservations or distinct values write besides: at most seven statements. */
function accountStatements(changes: Changes, now: string): readonly Statement[] {
  return [
    grantsStatement(changes),
    balancesStatement(changes),
    walletsStatement(changes),
    topUpsStatement(changes, now),
    reservationsStatement(changes),
    valuesStatement(changes),
    postingsStatement(changes, now),
  ].filter(({ params }) => (params[0] as readonly string[]).length > 0);
}

const grantsStatement = ({ grants }: Changes): Statement =>
  writeStatement(
    'grants',
    [...grants.values()],
    [
      CUSTOMER,
      TENANT,
      ['id', 'uuid', ({ grant }) => grant.id],
      ['feature_key', 'text', ({ grant }) => grant.featureKey],
      ['source', 'text', ({ grant }) => grant.source],
      ['amount', 'numeric', ({ grant }) => formatUnits(grant.amount)],
      ['remaining', 'numeric', ({ grant }) => formatUnits(grant.remaining)],
      ['priority', 'integer', ({ grant }) => String(grant.priority)],
      ['effective_from', 'timestamptz', ({ grant }) => iso(grant.effectiveFromMs)],
      ['expires_at', 'timestamptz', ({ grant }) => isoOrNull(grant.expiresAtMs)],
      ['created_at', 'timestamptz', ({ grant }) => iso(grant.createdAtMs)],
      ['state', 'text', ({ grant }) => grant.state],
      ['renewal', 'jsonb', ({ grant }) => grant.renewal && JSON.stringify(renewalToJson(grant.renewal))],
      ['renews_at', 'timestamptz', ({ grant }) => isoOrNull(grant.renewsAtMs)],
      ['origin_id', 'uuid', ({ grant }) => grant.originId],
      ['rolled_over', 'boolean', ({ grant }) => String(grant.rolledOver)],
      ['due_at', 'timestamptz', ({ grant }) => isoOrNull(nextDueMs(grant))],
      ['sequence', 'bigint', ({ sequence }) => sequence.toString()],
    ],
    'customer_id, id',
  );

const balancesStatement = ({ balances }: Changes): Statement =>
  writeStatement(
    'credit_balances',
    [...balances.values()],
    [
      CUSTOMER,
      TENANT,
      ['feature_key', 'text', ({ featureKey }) => featureKey],
      ['live', 'numeric', ({ account }) => formatUnits(account.live)],
      ['allocation_id', 'uuid', ({ account }) => account.allocationId],
      ['rule', 'text', ({ account }) => account.rule],
      ['sequence', 'bigint', ({ account }) => account.sequence.toString()],
    ],
    'customer_id, feature_key',
  );

const walletsStatement = ({ wallets }: Changes): Statement =>
  writeStatement(
    'wallets',
    [...wallets.values()],
    [
      CUSTOMER,
      TENANT,
      ['currency', 'text', ({ wallet }) => wallet.currency],
      ['balance', 'numeric', ({ wallet }) => unitsOrNull(wallet.balance)],
      ['floor', 'numeric', ({ wallet }) => unitsOrNull(wallet.floor)],
      ['spent', 'numeric', ({ wallet }) => formatUnits(wallet.spent)],
      ['spent_since', 'timestamptz', ({ wallet }) => iso(wallet.spentSinceMs)],
      ['top_ups', 'integer', ({ wallet }) => String(wallet.topUps)],
      ['top_up_asked_at', 'timestamptz', ({ wallet }) => isoOrNull(wallet.topUpAskedAtMs)],
      ['top_up_failed_at', 'timestamptz', ({ wallet }) => isoOrNull(wallet.topUpFailedAtMs)],
      ['sequence', 'bigint', ({ wallet }) => wallet.sequence.toString()],
    ],
    'customer_id, currency',
  );

const topUpsStatement = ({ topUps }: Changes, now: string): Statement =>
  writeStatement('top_up_requests', topUps, [
    CUSTOMER,
    TENANT,
    ['sequence', 'bigint', ({ sequence }) => sequence.toString()],
    ['currency', 'text', ({ currency }) => currency],
    ['amount', 'numeric', ({ amount }) => formatUnits(amount)],
    ['state', 'text', ({ state }) => state],
    ['asked_at', 'timestamptz', () => now],
  ]);

const reservationsStatement = ({ reservations }: Changes): Statement =>
  writeStatement(
    'reservations',
    [...reservations.values()],
    [
      CUSTOMER,
      TENANT,
      ['id', 'uuid', ({ reservation }) => reservation.id],
      ['feature_key', 'text', ({ reservation }) => reservation.featureKey],
      ['entity_id', 'text', ({ reservation }) => reservation.entityId ?? ''],
      ['period_start', 'timestamptz', ({ reservation }) => iso(reservation.periodStartMs)],
      ['override_key', 'text', ({ reservation }) => reservation.overrideKey],
      ['amount', 'numeric', ({ reservation }) => formatUnits(reservation.amount)],
      ['split', 'jsonb', ({ reservation: { payment, currency } }) => JSON.stringify(splitToJson(payment, currency))],
      [
        'draws',
        'jsonb',
        ({ reservation }) =>
          JSON.stringify(reservation.payment.draws.map(({ grantId, units }) => [grantId, formatUnits(units)])),
      ],
      ['properties', 'jsonb', ({ reservation }) => reservation.properties],
      ['state', 'text', ({ reservation }) => reservation.state],
      ['committed', 'numeric', ({ reservation }) => unitsOrNull(reservation.committed)],
      ['answer', 'json', ({ answer }) => answer],
      ['sequence', 'bigint', ({ sequence }) => sequence.toString()],
      ['created_at', 'timestamptz', ({ reservation }) => iso(reservation.createdAtMs)],
      ['expires_at', 'timestamptz', ({ reservation }) => iso(reservation.expiresAtMs)],
      ['closed_at', 'timestamptz', ({ reservation }) => isoOrNull(reservation.closedAtMs)],
    ],
    'customer_id, id',
  );

const valuesStatement = ({ values }: Changes): Statement =>
  writeStatement('unique_values', values, [
    CUSTOMER,
    TENANT,
    ['feature_key', 'text', ({ featureKey }) => featureKey],
    ['period_start', 'timestamptz', ({ periodStartMs }) => iso(periodStartMs)],
    ['value', 'text', ({ value }) => value],
  ]);

function postingsStatement({ postings }: Changes, now: string): Statement {
  const lines = new Map<string, number>();
  const numbered = postings.map((posting) => {
    const entry = `${posting.customer.id} ${posting.sequence}`;
    const line = lines.get(entry) ?? 0;
    lines.set(entry, line + 1);
    return { ...posting, line };
  });
  return writeStatement('postings', numbered, [
    CUSTOMER,
    TENANT,
    ['sequence', 'bigint', ({ sequence }) => sequence.toString()],
    ['line', 'integer', ({ line }) => String(line)],
    ['kind', 'text', ({ kind }) => kind],
    ['account', 'text', ({ account }) => account],
    ['grant_id', 'uuid', ({ grantId }) => grantId],
    ['commodity', 'text', ({ commodity }) => commodity],
    ['feature_key', 'text', ({ featureKey }) => featureKey],
    ['amount', 'numeric', ({ amount }) => formatUnits(amount)],
    ['recorded_at', 'timestamptz', () => now],
  ]);
}

/** Customers whose change of plan had come due. */
const movePlansStatement = (customers: readonly CustomerState[]): Statement => ({
  text: `
    UPDATE customers c SET plan_key = v.plan_key, plan_version = v.plan_version::integer, pending_plan = v.pending_plan::jsonb
    FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS v (id, plan_key, plan_version, pending_plan) WHERE c.id = v.id::uuid`,
  params: [
    customers.map((c) => c.id),
    customers.map((c) => c.planKey),
    customers.map((c) => c.planVersion?.toString() ?? null),
    customers.map((c) => c.pendingPlan && JSON.stringify(c.pendingPlan)),
  ],
});

/** Hints for other gateways: see events/bus.ts. In the transaction, so they are heard on commit, never on rollback. */
export const notifyStatement = ({ channel, payloads }: Hint): Statement => ({
  text: 'SELECT pg_notify($1, payload) FROM unnest($2::text[]) AS payload',
  params: [channel, payloads],
});

const unitsOrNull = (units: Units | null): string | null => (units === null ? null : formatUnits(units));
const iso = (atMs: number): string => new Date(atMs).toISOString();
const isoOrNull = (atMs: number | null): string | null => (atMs === null ? null : iso(atMs));
