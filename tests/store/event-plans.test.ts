/**
 * Goal: with a million events stored, a batch looks things up in indexes and nowhere reads, sorts or hashes events,
 * whether or not the table was ever analysed. Method: a million rows in several months, made by the database itself; the
 * statements that the engine really sends, explained on its own connection as it sends them and as a plan that is kept.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Database, Statement } from '../../server/db/client.ts';
import { eventMonths } from '../../server/db/event-months.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { eventsByKey } from '../../server/db/queries/events.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { unitsOf } from '../../server/domain/units.ts';
import { Memory } from '../../server/metering/memory.ts';
import { lookAtEvents } from '../../server/metering/store/load-events.ts';
import { migrated } from '../support/engines.ts';
import { storeManyEvents } from '../support/many-events.ts';
import { createDatabase, describePostgres, type TestDatabase } from '../support/postgres.ts';
import { type Counted, counting } from './counting.ts';
import { openRig, query, type Rig, register, rigWith } from './rig.ts';

const EVENTS = 1_000_000;
const CUSTOMERS = 100;
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
    await register(first, ...Array.from({ length: CUSTOMERS - 1 }, (_, i) => `customer-${i}`));
    await store(first);
    counted = counting(database);
    rig = await openRig(counted.database, { tenantId: first.tenantId, memory: new Memory({ sizeMax: 0 }) });
    rig.clock.set(NOW);
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
       SELECT id, 'calls', ${PERIOD}, ${PERIOD_END}, 'monthly', $1::uuid, 1000, 0, '{}', ${PER_CUSTOMER} FROM customers`,
      tenantId,
    );
    await query(database, `UPDATE customers SET sequence = ${PER_CUSTOMER}, due_at = ${PERIOD_END}`);
  }

  /** What the engine sends for the work, each statement once. */
  async function sentFor(work: () => Promise<unknown>): Promise<readonly Statement[]> {
    await rig.engine.consume(rig.call('acme')); // reads the catalog
    counted.clear();
    await work();
    return counted.statements.filter(({ text }) => /SELECT|INSERT|UPDATE/.test(text));
  }

  /** Several of all sorts that may stand in one batch, each with a key. */
  const WORK: Readonly<Record<string, () => Promise<unknown>>> = {
    'of one call': () => rig.engine.consume(rig.call('acme', { idempotencyKey: 'one' })),
    'of calls of a hundred customers': () =>
      Promise.all(
        Array.from({ length: CUSTOMERS - 1 }, (_, i) =>
          rig.engine.consume(rig.call(`customer-${i}`, { idempotencyKey: 'many' })),
        ),
      ),
    'of late use': () =>
      rig.engine.consume(rig.call('acme', { purpose: 'record', occurredAtMs: NOW.getTime() - 34 * 86_400_000 })),
    'of what is given back': () => rig.engine.consume(rig.call('acme', { amount: unitsOf('-1') })),
    'of a reversal': () => {
      const { tenantId, customerId, referenceId } = rig.call('acme');
      const of = { tenantId, customerId, referenceId, idempotencyKey: null };
      reversed += 1;
      return rig.engine.execute({ ...of, kind: 'reverse', sequence: BigInt(PER_CUSTOMER - reversed) });
    },
    'of a check': () => rig.engine.check(rig.call('acme')),
  };

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

      it.each(Object.keys(WORK))('%s look events up by their keys', async (name) => {
        const statements = await sentFor(() => WORK[name]?.() ?? Promise.reject(new Error(name)));
        expect(statements.length).toBeGreaterThan(2);
        for (const statement of statements) {
          for (const plan of [await planOf(statement), await keptPlanOf(statement)]) {
            expect({ statement: statement.text, wrong: wrongIn(plan) }).toEqual({
              statement: statement.text,
              wrong: [],
            });
          }
        }
      });

      it.each([
        ['recent', PER_CUSTOMER - 5, 4], // this month, the one before, and the two ahead, which are empty,
        ['of the first month', 5, MONTHS + 4],
      ])('an event that is %s is looked for in as few months', async (_, sequence, lookUpsMax) => {
        const { customerId } = rig.call('acme');
        const [look] = lookAtEvents([{ customerId, sequence: BigInt(sequence) }]);
        if (!look) throw new Error('nothing to look at');
        const plan = await planOf(look.statement, 'ANALYZE, ');
        const lookUps = scansOf(plan).filter(
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

type Plan = {
  readonly 'Node Type'?: string;
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Index Cond'?: string;
  readonly 'Actual Loops'?: number;
  readonly Plans?: readonly Plan[];
};

const planIn = (rows: readonly object[] | undefined): Plan =>
  (rows as [{ 'QUERY PLAN': [{ Plan: Plan }] }])[0]['QUERY PLAN'][0].Plan; // as EXPLAIN writes it

const isEvents = (plan: Plan): boolean =>
  plan['Node Type'] !== 'ModifyTable' && /^events(_|$)/.test(plan['Relation Name'] ?? '');

const scansOf = (plan: Plan): readonly Plan[] => [
  ...(isEvents(plan) ? [plan] : []),
  ...(plan.Plans ?? []).flatMap(scansOf),
];

/** Whatever reads events other than by a key, or sorts or hashes what it read. */
function wrongIn(plan: Plan): readonly string[] {
  const type = plan['Node Type'] ?? '';
  const below = scansOf(plan);
  const isHeap = /Sort|Hash|Aggregate|Materialize|Memoize/.test(type) && below.length > 0;
  const isScan = isEvents(plan) && !(/^Index (Only )?Scan$/.test(type) && plan['Index Cond']?.includes('customer_id'));
  return [
    ...(isHeap ? [`${type} over ${below.map((scan) => scan['Relation Name']).join()}`] : []),
    ...(isScan ? [`${type} of ${plan['Relation Name']} by ${plan['Index Cond'] ?? 'nothing'}`] : []),
    ...(plan.Plans ?? []).flatMap(wrongIn),
  ];
}
