/**
 * Goal: a batch looks its rows up, however large the tables and whatever the planner believes of them. Method: tables
 * of 100,000 rows, and customers with a long past, that were never analysed, then the plans of the engine's own
 * statements, for one call and for many.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Database, Parameter, Statement } from '../../server/db/client.ts';
import { eventMonths } from '../../server/db/event-months.ts';
import { queryIn } from '../../server/db/query-in.ts';
import type { ConsumeRequest } from '../../server/metering/requests.ts';
import { lookAtEarlierCounters, lookAtOpenCounters, lookAtValues } from '../../server/metering/store/load-counters.ts';
import { lookAtCredits, lookAtDueGrants, lookAtGrants } from '../../server/metering/store/load-credits.ts';
import { lookAtDraws, lookAtEvents } from '../../server/metering/store/load-events.ts';
import { lookAtOpenReservations, lookAtReservations } from '../../server/metering/store/load-reservations.ts';
import { lookAtWallets } from '../../server/metering/store/load-wallets.ts';
import type { Look } from '../../server/metering/store/look.ts';
import { firstLook } from '../../server/metering/wants.ts';
import { describeEngines } from '../support/engines.ts';
import { openRig, query, type Rig, saveFeature } from './rig.ts';

const ROWS = 100_000;
const TABLES = ['customers', 'counters', 'answers'] as const;

describeEngines('the plan of a load', (engine) => {
  let database: Database;
  let rig: Rig;

  beforeAll(async () => {
    database = await engine.open();
    rig = await openRig(database);
    await saveFeature(rig, 'calls', {});
    // Nobody analyses the tables behind our back.
    for (const table of TABLES) await query(database, `ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
    const id = `md5('acme' || n)::uuid`;
    await query(
      database,
      `INSERT INTO customers (id, tenant_id, reference_id, reference_type, time_zone, anchor_at, created_at)
      SELECT ${id}, $1::uuid, 'acme' || n, 'user', 'UTC', now(), now() FROM generate_series(1, ${ROWS}) n`,
      rig.tenantId,
    );
    await query(
      database,
      `INSERT INTO counters (customer_id, feature_key, period_start, period_end, reset, tenant_id, used, overage, raised, sequence)
      SELECT ${id}, 'calls', '2026-03-01', '2026-04-01', 'monthly', $1::uuid, 1, 0, '{}', 1 FROM generate_series(1, ${ROWS}) n`,
      rig.tenantId,
    );
    await query(
      database,
      `INSERT INTO answers (customer_id, idempotency_key, tenant_id, fingerprint, answer, answered_at)
      SELECT ${id}, 'k', $1::uuid, '', '{}', now() FROM generate_series(1, ${ROWS}) n`,
      rig.tenantId,
    );
  });

  it('of plain use takes two flights at first, four statements to read and one to write, and then one', async () => {
    const flights: number[] = [];
    const { lane } = database;
    const transact: Database['lane']['transact'] = (first, second) =>
      lane.transact(first, async (rows, again) => {
        const writes = await second(rows, (statement) => {
          flights.push(1);
          return again(statement);
        });
        flights.push(first.length, writes.length);
        return writes;
      });
    const counted = await openRig(
      { ...database, lane: { transact, reset: () => lane.reset() } },
      {
        tenantId: rig.tenantId,
      },
    );
    const calls = await callsOf(50);
    const batch = (keys: string) =>
      Promise.all(calls.map((call, i) => counted.engine.consume({ ...call, idempotencyKey: `${keys} ${i}` })));
    await Promise.all((await callsOf(1)).map((call) => counted.engine.consume({ ...call, idempotencyKey: null }))); // reads the catalog
    flights.length = 0;
    await batch('first');
    await batch('second');
    expect(flights).toEqual([4, 1, 0, 1]);
  });

  const CASES = [1, 1_000].flatMap((size) => [false, true].map((isGeneric) => ({ size, isGeneric })));

  it.each(CASES)('of $size calls, generic $isGeneric: indexes only', async (of) => {
    expect(await scansOfLoad(of)).toEqual(INDEXES);
  });

  it('and no other once the tables are analysed', async () => {
    for (const table of TABLES) await query(database, `ANALYZE ${table}`);
    for (const of of CASES) expect(await scansOfLoad(of)).toEqual(INDEXES);
  });

  const INDEXES = ['customers by customers_pkey', 'counters by counters_pkey', 'answers by answers_pkey'];

  async function scansOfLoad({ size, isGeneric }: { size: number; isGeneric: boolean }): Promise<string[]> {
    const looks = firstLook(await callsOf(size), true).map(({ statement }) => statement);
    return (await plansOf(database, looks, isGeneric)).flatMap(scansOf);
  }

  async function callsOf(size: number): Promise<ConsumeRequest[]> {
    const rows = await query(database, `SELECT md5('acme' || n)::uuid AS id FROM generate_series(1, ${size}) n`);
    return rows.map(({ id }) => ({ ...rig.call('acme', { idempotencyKey: 'k' }), customerId: String(id) }));
  }
});

/** What calls read besides where credits, money, holds, late use or something due are at stake. */
describeEngines('the plan of a further look', (engine) => {
  let database: Database;
  let customers: string[];

  beforeAll(async () => {
    database = await engine.open();
    for (const [table, columns, values] of HISTORY) {
      const parts = table === 'events' ? (await eventMonths(database.query)).map(({ name }) => name) : [table];
      for (const part of parts) await query(database, `ALTER TABLE ${part} SET (autovacuum_enabled = false)`);
      await query(
        database,
        `INSERT INTO ${table} (customer_id, tenant_id, ${columns})
        SELECT md5('acme' || n % ${CUSTOMERS})::uuid, md5('tenant')::uuid, ${values} FROM generate_series(1, ${ROWS / 5}) n`,
      );
    }
    const rows = await query(database, `SELECT md5('acme' || n)::uuid AS id FROM generate_series(1, 20) n`);
    customers = rows.map(({ id }) => String(id));
  });

  const ID = '00000000-0000-4000-8000-000000000000';
  const ofMeters = <T>(fields: T) =>
    customers.map((customerId) => ({ customerId, featureKey: 'calls', entityId: null, ...fields }));

  const LOOKS: readonly (readonly [string, () => Look | readonly Look[], readonly string[]])[] = [
    [
      'at counters of the past',
      () => lookAtEarlierCounters(ofMeters({ atMs: Date.parse('2026-03-01') })),
      ['counters by counters_pkey', 'counters by counters_pkey'],
    ],
    [
      'at credits',
      () => lookAtCredits(ofMeters({}), 32),
      [
        'credit_balances by credit_balances_pkey',
        'grants by grants_burn_order',
        'grants by grants_renewing',
        'credit_balances by credit_balances_pkey',
        'grants by grants_pkey',
      ],
    ],
    ['at grants by id', () => lookAtGrants(ofMeters({ id: ID })), ['grants by grants_pkey']],
    [
      'at wallets',
      () => lookAtWallets(customers),
      ['wallets by wallets_pkey', 'top_up_requests by top_up_requests_pkey'],
    ],
    ['at distinct values', () => lookAtValues(ofMeters({ value: 'value 7' })), ['unique_values by unique_values_pkey']],
    ['at reservations by id', () => lookAtReservations(ofMeters({ id: ID })), ['reservations by reservations_pkey']],
    ['at open reservations', () => lookAtOpenReservations(customers), ['reservations by reservations_open']],
    [
      'at events',
      () => lookAtEvents(ofMeters({ sequence: 7n })),
      [
        'events by events_pkey', // of these days
        'events by events_pkey', // and before
        'events by events_reversals',
        'postings by postings_pkey',
      ],
    ],
    ['at what was drawn', () => lookAtDraws(ofMeters({})), ['postings by postings_drawn']],
    [
      'at what is due',
      () => [...lookAtDueGrants(customers, Date.parse('2026-03-01')), lookAtOpenCounters(customers)],
      [
        'grants by grants_due',
        'grants by grants_due',
        'counters by counters_open',
        'reservations by reservations_open',
        'counters by counters_pkey',
      ],
    ],
  ];

  describe.each([
    ['never analysed', () => {}],
    ['analysed', () => query(database, 'ANALYZE')],
  ])('%s', (_state, prepare) => {
    beforeAll(async () => {
      await prepare();
    });

    it.each(LOOKS)('%s: indexes only', async (_name, look, indexes) => {
      const statements = [look()].flat().map(({ statement }) => statement);
      for (const isGeneric of [false, true]) {
        expect((await plansOf(database, statements, isGeneric)).flatMap(scansOf)).toEqual(indexes);
      }
    });
  });
});

/** Customers with a past; calls concern a few of them. */
const CUSTOMERS = 500;

const DAY = `'2020-01-01'::timestamptz + n * interval '1 hour'`;

/** A long past of each customer, of which nearly nothing concerns a call: columns and values of row n. */
const HISTORY = [
  [
    'counters',
    'feature_key, period_start, period_end, reset, used, overage, raised, sequence, closed_at',
    `'calls', ${DAY}, ${DAY} + interval '1 day', 'daily', 1, 0, '{}', n, ${DAY}`,
  ],
  ['credit_balances', 'feature_key, live, sequence', `'feature' || n, 1, n`],
  [
    'grants',
    'id, feature_key, source, amount, remaining, priority, effective_from, created_at, state, due_at, sequence',
    `gen_random_uuid(), 'calls', 'purchase', 1, 0, 0, ${DAY}, ${DAY}, 'spent', NULL::timestamptz, n`,
  ],
  ['wallets', 'currency, spent, spent_since, sequence', `'c' || n, 0, ${DAY}, n`],
  ['unique_values', 'feature_key, value, period_start', `'calls', 'value ' || n % 7, ${DAY}`],
  [
    'reservations',
    'id, feature_key, period_start, amount, split, draws, state, sequence, created_at, expires_at, closed_at',
    `gen_random_uuid(), 'calls', ${DAY}, 1, '{}', '[]', 'committed', n, ${DAY}, ${DAY}, ${DAY}`,
  ],
  ['top_up_requests', 'sequence, currency, amount, state, asked_at', `n, 'c' || n % 3, 1, 'paid', ${DAY}`],
  [
    'events',
    'sequence, feature_key, period_start, reported, amount, overage, used_after, occurred_at, recorded_at',
    `n, 'calls', ${DAY}, 1, 1, 0, n, ${DAY}, ${DAY}`,
  ],
  [
    'postings',
    'sequence, line, kind, account, grant_id, commodity, amount, recorded_at',
    `n, 0, 'use', 'wallet', NULL::uuid, 'usd', 1, ${DAY}`,
  ],
] as const;

/** As the server would run them when prepared: with a plan for these parameters, or for any. */
function plansOf(database: Database, statements: readonly Statement[], isGeneric: boolean): Promise<Plan[]> {
  return database.db.transaction(async (tx) => {
    await tx.execute(`SET LOCAL plan_cache_mode = ${isGeneric ? 'force_generic_plan' : 'force_custom_plan'}`);
    const plans: Plan[] = [];
    for (const { text, params } of statements) {
      await tx.execute(`PREPARE load (${params.map(typeOf).join()}) AS ${text}`);
      const explain = `EXPLAIN (FORMAT JSON) EXECUTE load (${params.map(literal).join()})`;
      const [row] = await queryIn(tx)<{ 'QUERY PLAN': [{ Plan: Plan }] }>({ text: explain, params: [] });
      if (row) plans.push(row['QUERY PLAN'][0].Plan);
      await tx.execute('DEALLOCATE load');
    }
    return plans;
  });
}

type Plan = {
  readonly 'Node Type': string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly Plan[];
};

/** Every place where the plan touches a table: by which index, or by reading all of it. */
function scansOf(plan: Plan): string[] {
  const below = (plan.Plans ?? []).flatMap(scansOf);
  if (plan['Node Type'] === 'Bitmap Heap Scan')
    return below.map((scan) => (scan.startsWith('by ') ? `${plan['Relation Name']} ${scan}` : scan));
  if (plan['Node Type'] === 'Bitmap Index Scan') return [`by ${plan['Index Name']}`, ...below];
  const table = plan['Relation Name'];
  return table ? [withoutMonth(`${table} by ${plan['Index Name'] ?? plan['Node Type']}`), ...below] : below;
}

/** A month of events is named by what it is a part of. */
const withoutMonth = (scan: string): string => scan.replace(/events_before(_\d{4}_\d\d)?/g, 'events');

const typeOf = (param: Parameter): string => (Array.isArray(param) ? 'text[]' : 'text');

const literal = (param: Parameter): string =>
  Array.isArray(param) ? `ARRAY[${param.map((text) => `'${text}'`).join()}]::text[]` : `'${param}'`;
