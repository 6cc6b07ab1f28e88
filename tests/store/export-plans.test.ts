/**
 * Goal: an export reads what it is asked for, however much lies before and after it, in every mood of the planner. Method:
 * customers with two years of hours, and 20,000 invoices; the plans of the exports' own statements, and what they read.
 */
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import type { Database, Parameter, Query } from '../../server/db/client.ts';
import { closedPeriodsOf } from '../../server/db/queries/closed-periods.ts';
import { invoiceNumbersIn, invoicesMade } from '../../server/db/queries/invoices.ts';
import { queryIn } from '../../server/db/query-in.ts';
import { describeEngines } from '../support/engines.ts';

const CUSTOMERS = 5;
const HOURS = 17_520;
const INVOICES = 20_000;

describeEngines('the plan of an export', (engine) => {
  const tenantId = randomUUID();
  let database: Database;
  let customers: { customerId: string; referenceId: string }[];

  const run = (text: string, ...params: Parameter[]) => database.query<{ id: string }>({ text, params });

  beforeAll(async () => {
    database = await engine.open();
    for (const table of ['counters', 'invoices', 'invoice_lines']) {
      await run(`ALTER TABLE ${table} SET (autovacuum_enabled = false)`);
    }
    await run(`INSERT INTO tenants (id, name, mode) VALUES ($1, 'Acme Apps', 'live')`, tenantId);
    await run(
      `INSERT INTO customers (id, tenant_id, reference_id, reference_type, time_zone, anchor_at, created_at)
       SELECT md5('hourly' || n)::uuid, $1::uuid, 'acme ' || n, 'user', 'UTC', '2024-01-01', '2024-01-01' FROM generate_series(1, ${CUSTOMERS}) n`,
      tenantId,
    );
    await run(
      `INSERT INTO counters (customer_id, feature_key, period_start, period_end, reset, tenant_id, used, overage, raised, sequence, closed_at)
       SELECT md5('hourly' || c)::uuid, 'calls', timestamptz '2024-01-01Z' + h * interval '1 hour', timestamptz '2024-01-01Z' + (h + 1) * interval '1 hour',
         'hourly', $1::uuid, 1, 0, '{}', 1, now() FROM generate_series(1, ${CUSTOMERS}) c, generate_series(0, ${HOURS - 1}) h`,
      tenantId,
    );
    await run(
      `INSERT INTO invoices (customer_id, number, tenant_id, currency, period_start, period_end, total, paid_from_wallet, due, issued_at)
       SELECT md5('hourly1')::uuid, n, $1::uuid, 'usd', timestamptz '2024-01-01Z' + n * interval '1 hour',
         timestamptz '2024-01-01Z' + (n + 1) * interval '1 hour', 1, 0, 1, timestamptz '2024-01-01Z' + (n + 1) * interval '1 hour'
       FROM generate_series(1, ${INVOICES}) n`,
      tenantId,
    );
    const rows = await run(`SELECT md5('hourly' || n)::uuid AS id FROM generate_series(1, ${CUSTOMERS}) n`);
    customers = rows.map(({ id }) => ({ customerId: id, referenceId: 'acme' }));
  });

  const day = { tenantId, fromMs: Date.parse('2025-06-01T00:00:00Z'), toMs: Date.parse('2025-06-02T00:00:00Z') };
  const always = { tenantId, fromMs: null, toMs: null };
  const numbers = { first: 19_000, last: INVOICES };

  const CASES: readonly (readonly [string, (query: Query) => Promise<unknown>, readonly string[]])[] = [
    [
      'a day of periods',
      (query) => closedPeriodsOf(query, day, customers, null, 20),
      ['counters by counters_closed, 100 rows, 0 left out'],
    ],
    [
      'a page of all periods, from the middle',
      (query) =>
        closedPeriodsOf(query, always, customers.slice(0, 1), { featureKey: 'calls', periodEndMs: day.fromMs }, 500),
      ['counters by counters_closed, 500 rows, 0 left out'],
    ],
    [
      'the numbers of a day',
      (query) => invoiceNumbersIn(query, day),
      ['invoices by invoices_tenant_issued, 24 rows, 0 left out'],
    ],
    [
      'the invoices after a number',
      (query) => invoicesMade(query, { ...always, status: null }, numbers, 200),
      ['invoices by invoices_tenant_number, 200 rows, 0 left out'],
    ],
  ];

  for (const isAnalysed of [false, true]) {
    it.each(CASES)(`%s, analysed ${isAnalysed}`, async (_, ask, scans) => {
      if (isAnalysed) await run('ANALYZE');
      for (const mode of ['force_custom_plan', 'force_generic_plan']) {
        expect(await scansBy(ask, mode)).toEqual(scans);
      }
    });
  }

  /** What a question reads of counters and invoices, by which index, as it is run. */
  async function scansBy(ask: (query: Query) => Promise<unknown>, mode: string): Promise<readonly string[]> {
    const found: string[] = [];
    await database.db.transaction(async (tx) => {
      await tx.execute(`SET LOCAL plan_cache_mode = ${mode}`);
      const query = queryIn(tx);
      await ask(async ({ text, params }) => {
        await tx.execute(`PREPARE asked (${params.map(() => 'text').join()}) AS ${text}`);
        const given = params.map((param) => (param === null ? 'NULL' : `'${param}'`)).join();
        const explain = `EXPLAIN (ANALYZE, TIMING false, FORMAT JSON) EXECUTE asked (${given})`;
        const [row] = await query<{ 'QUERY PLAN': [{ Plan: Plan }] }>({ text: explain, params: [] });
        if (row) found.push(...scansOf(row['QUERY PLAN'][0].Plan));
        await tx.execute('DEALLOCATE asked');
        return [];
      });
    });
    return found.filter((scan) => /^(counters|invoices) /.test(scan));
  }
});

type Plan = {
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly Plan[];
};

function scansOf(plan: Plan): string[] {
  const below = (plan.Plans ?? []).flatMap(scansOf);
  const table = plan['Relation Name'];
  if (!table) return below;
  const times = plan['Actual Loops'];
  const [rows, left] = [plan['Actual Rows'] * times, (plan['Rows Removed by Filter'] ?? 0) * times];
  return [`${table} by ${plan['Index Name'] ?? 'all of it'}, ${rows} rows, ${left} left out`, ...below];
}
