/**
 * Goal: a batch looks its rows up, however large the tables and whatever the planner believes of them. Method: tables
 * of 100,000 rows that were never analysed, then the plans of the engine's own statements, for one call and for many.
 */
import { beforeAll, expect, it } from 'vitest';
import type { Database, Parameter, Statement } from '../../server/db/client.ts';
import { queryIn } from '../../server/db/query-in.ts';
import type { ConsumeRequest } from '../../server/metering/requests.ts';
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
    return (await plansOf(looks, isGeneric)).flatMap(scansOf);
  }

  async function callsOf(size: number): Promise<ConsumeRequest[]> {
    const rows = await query(database, `SELECT md5('acme' || n)::uuid AS id FROM generate_series(1, ${size}) n`);
    return rows.map(({ id }) => ({ ...rig.call('acme', { idempotencyKey: 'k' }), customerId: String(id) }));
  }

  /** As the server would run them when prepared: with a plan for these parameters, or for any. */
  function plansOf(statements: readonly Statement[], isGeneric: boolean): Promise<Plan[]> {
    return database.db.transaction(async (tx) => {
      await tx.execute(`SET LOCAL plan_cache_mode = ${isGeneric ? 'force_generic_plan' : 'force_custom_plan'}`);
      const plans: Plan[] = [];
      for (const { text, params } of statements) {
        await tx.execute(`PREPARE load (${params.map(() => 'text[]').join()}) AS ${text}`);
        const explain = `EXPLAIN (FORMAT JSON) EXECUTE load (${params.map(literal).join()})`;
        const [row] = await queryIn(tx)<{ 'QUERY PLAN': [{ Plan: Plan }] }>({ text: explain, params: [] });
        if (row) plans.push(row['QUERY PLAN'][0].Plan);
        await tx.execute('DEALLOCATE load');
      }
      return plans;
    });
  }
});

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
    return below.map((scan) => scan.replace(/^/, `${plan['Relation Name']} `));
  if (plan['Node Type'] === 'Bitmap Index Scan') return [`by ${plan['Index Name']}`, ...below];
  const table = plan['Relation Name'];
  return table ? [`${table} by ${plan['Index Name'] ?? plan['Node Type']}`, ...below] : below;
}

const literal = (param: Parameter): string =>
  `ARRAY[${(Array.isArray(param) ? param : []).map((text) => `'${text}'`).join()}]::text[]`;
