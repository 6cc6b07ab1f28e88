/**
 * Goal: with a million events stored, a batch looks things up in indexes and nowhere reads, sorts or hashes events, finds
 * customers by their keys and locks them in key order, whether or not the table was ever analysed, and whether customers are
 * read or remembered. Method: a million rows in several months, made by the database itself; the statements that the engine
 * really sends, explained on its own connection as it sends them and as a plan that is kept.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database, Statement } from '../../server/db/client.ts';
import { eventMonths } from '../../server/db/event-months.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { eventsByKey } from '../../server/db/queries/events.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { unitsOf } from '../../server/domain/units.ts';
import { hintOfMoves } from '../../server/events/bus.ts';
import { Memory } from '../../server/metering/memory.ts';
import { lookAtEvents } from '../../server/metering/store/load-events.ts';
import { migrated } from '../support/engines.ts';
import { storeManyEvents } from '../support/many-events.ts';
import { createDatabase, describePostgres, type TestDatabase } from '../support/postgres.ts';
import { type Counted, counting } from './counting.ts';
import { openRig, query, type Rig, type RigOptions, register, rigWith, saveFeature } from './rig.ts';

const EVENTS = 1_000_000;
const CUSTOMERS = 100;
const OTHERS = Array.from({ length: CUSTOMERS - 1 }, (_, i) => `customer-${i}`);
const PER_CUSTOMER = EVENTS / CUSTOMERS;
const MONTHS = 6;
/** Whole months up to the present one: what is recent is so by the database's own clock. */
const [NOW] = [new Date()];
const FROM_MS = Date.UTC(NOW.getUTCFullYear(), NOW.getUTCMonth() - MONTHS + 1);
const UNTIL_MS = Date.UTC(NOW.getUTCFullYear(), NOW.getUTCMonth() + 1);
const PERIOD = `'${new Date(Date.UTC(NOW.getUTCFullYear(), NOW.getUTCMonth())).toISOString()}'`;
const PERIOD_END = `'${new Date(UNTIL_MS).toISOString()}'`;

describePostgres('the plans of a batch, with a million events', () => {
  let server: TestDatabase;
  let database: Database;
  let counted: Counted;
  let rig: Rig;
  let reversed = 0;
  beforeAll(async () => {
    server = await createDatabase({ template: migrated });
    database = openPostgres({ url: server.url, poolSize: 2, statementTimeoutMs: 60_000 });
    const first = await rigWith(database, { limit: null, minLimit: 0n });
    await saveFeature(first, 'used_up', { limit: unitsOf('1000') });
    await register(first, ...OTHERS);
    await store(first);
    counted = counting(database);
    rig = first;
  }, 120_000);
  afterAll(async () => {
    await database?.close();
    await server?.drop();
  });

  /** As many of each customer, over all the months; a customer's in order of its sequence. */
  async function store({ tenantId }: Rig): Promise<void> {
    const perCustomer = PER_CUSTOMER;
    await storeManyEvents(database, { tenantId, featureKey: 'calls', perCustomer, fromMs: FROM_MS, untilMs: UNTIL_MS });
    for (const { name } of await eventMonths(database.query))
      await query(database, `ALTER TABLE ${name} SET (autovacuum_enabled = false)`);
    await query(
      database,
      `INSERT INTO counters (customer_id, feature_key, period_start, period_end, reset, tenant_id, used, overage, raised, sequence)
       SELECT id, feature_key, ${PERIOD}, ${PERIOD_END}, 'monthly', $1::uuid, 1000, 0, '{}', ${PER_CUSTOMER}
       FROM customers CROSS JOIN unnest('{calls, used_up}'::text[]) AS feature_key`,
      tenantId,
    );
    await query(database, `UPDATE customers SET sequence = ${PER_CUSTOMER}, due_at = ${PERIOD_END}`);
  }

  /** What the engine sends for the work, each statement once, when it has done the like before. */
  async function sentFor(work: () => Promise<unknown>): Promise<readonly Statement[]> {
    await work(); // reads the catalog, and whom it then may remember
    counted.clear();
    await work();
    return counted.statements.filter(({ text }) => /SELECT|INSERT|UPDATE/.test(text));
  }

  const keyed = (featureKey: string) => ({ featureKey, idempotencyKey: randomUUID() });
  const consumeAll = (names: readonly string[], featureOf: (i: number) => string) =>
    Promise.all(names.map((name, i) => rig.engine.consume(rig.call(name, keyed(featureOf(i))))));
  const usedUpForSome = (i: number) => (i % 2 === 0 ? 'calls' : 'used_up');

  /** Several of all sorts that may stand in one batch, some with keys; and whether whoever is remembered is not read for it. */
  const WORK: Readonly<Record<string, readonly [work: () => Promise<unknown>, isGuessed: boolean]>> = {
    'of one call': [() => rig.engine.consume(rig.call('acme', keyed('calls'))), true],
    'of calls of a hundred customers': [() => consumeAll(OTHERS, () => 'calls'), true],
    'of calls of which some are denied': [() => consumeAll(OTHERS, usedUpForSome), true],
    'of a call that is denied': [() => rig.engine.consume(rig.call('acme', { featureKey: 'used_up' })), true],
    'of late use': [
      () => rig.engine.consume(rig.call('acme', { purpose: 'record', occurredAtMs: NOW.getTime() - 34 * 86_400_000 })),
      true,
    ],
    'of what is given back': [() => rig.engine.consume(rig.call('acme', { amount: unitsOf('-1') })), true],
    'of a reversal': [
      () => {
        const { tenantId, customerId, referenceId } = rig.call('acme');
        const of = { tenantId, customerId, referenceId, idempotencyKey: null };
        reversed += 1;
        return rig.engine.execute({ ...of, kind: 'reverse', sequence: BigInt(PER_CUSTOMER - reversed) });
      },
      false,
    ],
    'of a check': [() => rig.engine.check(rig.call('acme')), false],
  };

  type Options = () => RigOptions;
  const READING: Options = () => ({ memory: new Memory({ sizeMax: 0 }) });
  /** As a gateway beside others does. */
  const REMEMBERING: Options = () => ({ hintOf: (changes) => hintOfMoves(randomUUID(), changes) });

  async function begin(options: Options): Promise<void> {
    rig = await openRig(counted.database, { tenantId: rig.tenantId, ...options() });
    rig.clock.set(NOW);
  }

  for (const isAnalysed of [false, true]) {
    describe(isAnalysed ? 'analysed' : 'never analysed', () => {
      beforeAll(async () => {
        if (isAnalysed) await query(database, 'ANALYZE');
        else
          await query(
            database,
            `UPDATE pg_class SET reltuples = -1, relpages = 0 WHERE relname ~ '^events' AND relkind = 'r'`,
          );
        const [{ columns } = {}] = await query(
          database,
          `SELECT count(*)::integer AS columns FROM pg_stats WHERE tablename ~ '^events_2'`,
        );
        expect(Number(columns) > 0).toBe(isAnalysed);
      }, 60_000);

      describe.each([
        ['reads', READING, false],
        ['remembers', REMEMBERING, true],
      ] as const)('by whoever %s,', (_, options, remembers) => {
        beforeAll(() => begin(options));

        it.each(Object.entries(WORK))('%s: all is found by its key', async (_, [work, isGuessed]) => {
          const statements = await sentFor(work);
          expect(statements.length).toBeGreaterThan(0);
          expect(statements.some(({ text }) => READS_CUSTOMERS.test(text))).toBe(!(remembers && isGuessed));
          for (const statement of statements) {
            for (const plan of [await planOf(statement), await keptPlanOf(statement)]) {
              expect({ statement: statement.text, wrong: wrongIn(plan) }).toEqual({
                statement: statement.text,
                wrong: [],
              });
            }
          }
        });
      });

      it('whoever remembers sends one statement, with proof and hint, and customers in key order', async () => {
        await begin(REMEMBERING);
        const [statement, ...more] = await sentFor(() => consumeAll(OTHERS, usedUpForSome));
        expect(more.map(({ text }) => text)).toEqual([]);
        if (!statement) throw new Error('nothing was sent');
        for (const part of PARTS) expect(statement.text).toContain(part);
        const ids = statement.params[2] as readonly string[]; // of those that are written
        expect(ids.length).toBeGreaterThan(1);
        expect(ids).toEqual(ids.toSorted());
        for (const plan of [await planOf(statement), await keptPlanOf(statement)]) {
          const types = scansOf(plan, /^customers$/).map((scan) => scan['Node Type']);
          expect(types).toEqual(['Index Scan', 'Tid Scan', 'Index Scan']); // found, written where they were found, proven
        }
      });

      it.each([
        ['recent', PER_CUSTOMER - 5, 5], // what 40 days are in, three months at most, and the two ahead, which are empty,
        ['of the first month', 5, MONTHS + 4],
      ])('an event that is %s is looked for in as few months', async (_, sequence, lookUpsMax) => {
        const { customerId } = rig.call('acme');
        const [look] = lookAtEvents([{ customerId, sequence: BigInt(sequence) }]);
        if (!look) throw new Error('nothing to look at');
        const plan = await planOf(look.statement, 'ANALYZE, ');
        const lookUps = scansOf(plan, EVENTS_OF_ANY_MONTH).filter(
          (scan) => scan['Actual Loops'] && scan['Index Cond']?.includes('(sequence >='),
        );
        expect(lookUps.length).toBeGreaterThan(0);
        expect(lookUps.length).toBeLessThanOrEqual(lookUpsMax);
      });

      it('events by their ids are looked up', async () => {
        const keys = Array.from({ length: 20 }, (_, i) => ({
          customerId: customerIdOf(rig.tenantId, `customer-${i}`),
          sequence: BigInt((PER_CUSTOMER / 20) * (i + 1)),
        }));
        const found = await database.readAs(rig.tenantId, (db) => eventsByKey(db, rig.tenantId, keys));
        expect(found).toHaveLength(20);
      });
    });
  }

  /** As the engine's own connection plans it. */
  async function planOf({ text, params }: Statement, how = ''): Promise<Plan> {
    let plan: Plan | undefined;
    await database.lane.transact([{ text: `EXPLAIN (${how}FORMAT JSON) ${text}`, params }], async ([rows]) => {
      plan = planIn(rows);
      return [];
    });
    return plan ?? {};
  }

  /** As it plans it once and for all, for parameters that it does not know. */
  async function keptPlanOf({ text, params }: Statement): Promise<Plan> {
    let plan: Plan | undefined;
    const nulls = params.map(() => 'NULL').join(', ');
    const statements = [
      `SET LOCAL plan_cache_mode = 'force_generic_plan'`,
      `PREPARE kept AS ${text}`,
      `EXPLAIN (FORMAT JSON) EXECUTE kept${nulls && `(${nulls})`}`,
      'DEALLOCATE kept',
    ].map((each) => ({ text: each, params: [] }));
    await database.lane.transact(statements, async (results) => {
      plan = planIn(results[2]);
      return [];
    });
    return plan ?? {};
  }
});

/** Of customers, whom a batch reads by their ids; those who are remembered are looked up one by one. */
const READS_CUSTOMERS = /FROM customers WHERE id = ANY/;
/** That customers are written, those who are not are as remembered, catalogs are so too, and others are told. */
const PARTS = ['UPDATE customers', 'SELECT FROM customers', 'SELECT FROM tenants', 'pg_notify'];

type Plan = {
  readonly 'Node Type'?: string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Recheck Cond'?: string;
  readonly 'Sort Key'?: readonly string[];
  readonly 'Actual Loops'?: number;
  readonly Plans?: readonly Plan[];
};

const planIn = (rows: readonly object[] | undefined): Plan =>
  (rows as [{ 'QUERY PLAN': [{ Plan: Plan }] }])[0]['QUERY PLAN'][0].Plan; // as EXPLAIN writes it

const EVENTS_OF_ANY_MONTH = /^events(_|$)/;

const isScan = (plan: Plan, of: RegExp): boolean =>
  plan['Node Type'] !== 'ModifyTable' && of.test(plan['Relation Name'] ?? '');

const scansOf = (plan: Plan, of: RegExp): readonly Plan[] => [
  ...(isScan(plan, of) ? [plan] : []),
  ...(plan.Plans ?? []).flatMap((each) => scansOf(each, of)),
];

/** Reads events, customers or catalogs other than by their keys, or by a place where a row has just been found. */
function isSearch(plan: Plan): boolean {
  const { 'Node Type': type = '', 'Index Cond': by = '', 'Recheck Cond': byBitmap } = plan;
  if (isScan(plan, EVENTS_OF_ANY_MONTH)) return !(/^Index (Only )?Scan$/.test(type) && by.includes('customer_id'));
  return isScan(plan, /^(customers|tenants)$/) && type !== 'Tid Scan' && !/^\(id = /.test(byBitmap ?? by);
}

/** Locks customers in another order than that of their ids, or of arrays, which come in that order. */
function isOutOfOrder({ 'Node Type': type, 'Relation Name': name, Plans: [rows] = [] }: Plan): boolean {
  if (type === 'LockRows') return !/^(Index Scan|Sort by id)$/.test(orderOf(rows));
  return type === 'ModifyTable' && name === 'customers' && orderOf(rows) !== 'Function Scan';
}

/** What gives rows their order: of a nested loop, that is its outer side. */
const orderOf = (plan: Plan | undefined): string =>
  plan?.['Node Type'] === 'Nested Loop'
    ? orderOf(plan.Plans?.[0])
    : [plan?.['Node Type'], ...(plan?.['Sort Key'] ?? [])].join(' by ');

/** Whatever looks further than for a key, sorts or hashes events that it has read, or locks in any order. */
function wrongIn(plan: Plan): readonly string[] {
  const type = plan['Node Type'] ?? '';
  const below = scansOf(plan, EVENTS_OF_ANY_MONTH);
  const isHeap = /Sort|Hash|Aggregate|Materialize|Memoize/.test(type) && below.length > 0;
  return [
    ...(isHeap ? [`${type} over ${below.map((scan) => scan['Relation Name']).join()}`] : []),
    ...(isSearch(plan) ? [`${type} of ${plan['Relation Name']} by ${plan['Index Cond'] ?? 'nothing'}`] : []),
    ...(isOutOfOrder(plan) ? [`${type} in the order of ${orderOf(plan.Plans?.[0])}`] : []),
    ...(plan.Plans ?? []).flatMap(wrongIn),
  ];
}
