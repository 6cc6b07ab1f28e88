/**
 * Goal: a series reads its own minutes and no others, however many there are, and a forecast looks things up. Method:
 * 100,000 rollups of 50 customers, before and after the table is analysed, and as many counters; the plans of the
 * statements themselves.
 */
import { randomUUID } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import type { Database, Query } from '../../server/db/client.ts';
import { meterFacts } from '../../server/db/queries/usage-forecast.ts';
import { seriesRows } from '../../server/db/queries/usage-series.ts';
import { queryIn } from '../../server/db/query-in.ts';
import { describeEngines } from '../support/engines.ts';

const MINUTES = 2_000;
const CUSTOMERS = 50;

describeEngines('the plan of a series', (engine) => {
  const tenantId = randomUUID();
  let database: Database;
  let customerId: string;

  beforeAll(async () => {
    database = await engine.open();
    for (const table of ['rollups', 'counters']) {
      await database.query({ text: `ALTER TABLE ${table} SET (autovacuum_enabled = false)`, params: [] });
    }
    await database.query({
      text: `INSERT INTO rollups (customer_id, feature_key, minute, dimensions, tenant_id, events, amount, credits, wallet, overage, cost, largest)
        SELECT md5('customer' || c)::uuid, 'calls', '2026-03-01T00:00:00Z'::timestamptz + m * interval '1 minute', '{}', $1::uuid, 1, 1, 0, 0, 0, 0, 1
        FROM generate_series(1, ${CUSTOMERS}) c, generate_series(1, ${MINUTES}) m`,
      params: [tenantId],
    });
    await database.query({
      text: `INSERT INTO counters (customer_id, feature_key, period_start, period_end, reset, tenant_id, used, overage, raised, sequence)
        SELECT md5('customer' || c)::uuid, 'calls', '2026-03-01', '2026-04-01', 'monthly', $1::uuid, 1, 0, '{}', 1
        FROM generate_series(1, ${CUSTOMERS * MINUTES}) c`,
      params: [tenantId],
    });
    const [row] = await database.query<{ id: string }>({ text: `SELECT md5('customer7')::uuid AS id`, params: [] });
    customerId = row?.id ?? '';
  });

  const hours = Array.from({ length: 3 }, (_, i) => {
    const startMs = Date.parse('2026-03-01T10:00:00Z') + i * 3_600_000;
    return { startMs, endMs: startMs + 3_600_000 };
  });
  const grouping = { dimension: 'model', groupsMax: 10, by: 'amount' } as const;

  const CASES = [
    ['of a customer', true, null, ['rollups_pkey']],
    ['of a customer, grouped', true, grouping, ['rollups_pkey']],
    ['of a tenant', false, null, ['rollups_tenant_feature_minute']],
    ['of a tenant, grouped', false, grouping, ['rollups_tenant_feature_minute']],
  ] as const;

  for (const isAnalysed of [false, true]) {
    it.each(CASES)(`%s, analysed ${isAnalysed}`, async (_name, isOne, by, indexes) => {
      if (isAnalysed) await database.query({ text: 'ANALYZE rollups', params: [] });
      const of = { tenantId, customerId: isOne ? customerId : null, featureKey: 'calls' };
      expect(await scansBy((query) => seriesRows(query, of, hours, by))).toEqual(indexes);
    });
  }

  it('of what a forecast looks up', async () => {
    const scans = await scansBy((query) => meterFacts(query, { tenantId, customerId, featureKey: 'calls' }, 0));
    expect(scans).toEqual(['counters_pkey', 'rollups_pkey']);
  });

  /** Every index, or table without one, that the work's statements read. */
  async function scansBy(work: (query: Query) => Promise<unknown>): Promise<readonly string[]> {
    const scans = new Set<string>();
    const explainedBy =
      (query: Query): Query =>
      async (statement) => {
        const text = `EXPLAIN (FORMAT JSON) ${statement.text}`;
        const [row] = await query<{ 'QUERY PLAN': [{ Plan: Plan }] }>({ text, params: statement.params });
        if (row) for (const scan of scansOf(row['QUERY PLAN'][0].Plan)) scans.add(scan);
        return query(statement);
      };
    await database.readAs(tenantId, (db) => work(explainedBy(queryIn(db))));
    return [...scans].sort();
  }
});

type Plan = {
  readonly 'Relation Name'?: string;
  readonly 'Index Name'?: string;
  readonly Plans?: readonly Plan[];
};

/** A bitmap's index is named by the scan below that of its table. */
function scansOf(plan: Plan): readonly string[] {
  const below = (plan.Plans ?? []).flatMap(scansOf);
  const index = plan['Index Name'];
  if (index) return [index, ...below];
  const table = plan['Relation Name'];
  return table && below.length === 0 ? [`all of ${table}`] : below;
}
