/**
 * Goal: the demo's past is as true as the present: counters are the sum of their events, alerts those that the events
 * imply, and a second start goes on from there.
 * Method: write it once on each engine at an instant of our choosing, and add it all up again by other means.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { bootstrap } from '../../server/actions/bootstrap.ts';
import { syncConfig } from '../../server/actions/sync-config.ts';
import { Catalogs } from '../../server/db/catalogs.ts';
import type { Database } from '../../server/db/client.ts';
import { DEMO_COMPANIES } from '../../server/demo/customers.ts';
import { newDemoKey, prepareDemo } from '../../server/demo/index.ts';
import type { DemoMeter } from '../../server/demo/meters.ts';
import { seededRandom } from '../../server/demo/random.ts';
import { makeOneCall } from '../../server/demo/traffic.ts';
import { MeterError } from '../../server/domain/errors.ts';
import { ONE } from '../../server/domain/units.ts';
import { loadConfig } from '../../server/load-config.ts';
import { Ledger } from '../../server/metering/ledger.ts';
import type { ConsumeRequest, Consumption } from '../../server/metering/requests.ts';
import { ManualClock } from '../support/clock.ts';
import { describeEngines } from '../support/engines.ts';

const DAY_MS = 24 * 3_600_000;

describeEngines("the demo's history", (engine) => {
  const clock = new ManualClock('2026-03-15T17:20:00Z');
  const catalogs = new Catalogs();
  let database: Database;
  let tenantId: string;
  let planKeys: readonly string[];
  let meters: readonly DemoMeter[];
  const prepare = () => prepareDemo({ database, catalogs, clock, random: seededRandom(7) }, tenantId, planKeys);
  const rows = <R extends object>(text: string) => database.query<R>({ text, params: [] });
  const count = async (table: string) =>
    Number((await rows<{ n: string }>(`SELECT count(*) AS n FROM ${table}`))[0]?.n);

  beforeAll(async () => {
    database = await engine.open();
    const { definition } = (await loadConfig('metergraph.config.ts')) ?? {};
    if (!definition) throw new Error('the config of the demo is missing');
    planKeys = definition.plans.map(({ key }) => key);
    tenantId = (await bootstrap({ database, clock }, { bootstrapKey: null, demo: true })).tenant.id;
    await syncConfig({ database, clock, announce: () => {} }, tenantId, definition);
    meters = await prepare();
  });

  it('is of 30 days, for every company, with thousands of events', async () => {
    const [span] = await rows<{ from: Date; until: Date }>(
      'SELECT min(recorded_at) AS from, max(recorded_at) AS until FROM events',
    );
    expect(clock.now() - Number(span?.from)).toBeGreaterThan(29.5 * DAY_MS);
    expect(Number(span?.until)).toBeLessThanOrEqual(clock.now());
    expect(clock.now() - Number(span?.until)).toBeLessThan(DAY_MS / 24);
    expect(await count('customers')).toBe(DEMO_COMPANIES.length);
    expect(await count('events')).toBeGreaterThan(1_500);
  });

  it('adds up: every counter is the sum of its events', async () => {
    const differences = await rows(`
      SELECT c.*, e.amount, e.overage AS events_overage FROM counters c FULL JOIN (
        SELECT customer_id, feature_key, period_start, sum(amount) AS amount, sum(overage) AS overage, max(sequence) AS sequence
        FROM events GROUP BY 1, 2, 3
      ) e USING (customer_id, feature_key, period_start)
      WHERE (c.used, c.overage, c.sequence) IS DISTINCT FROM (e.amount, e.overage, e.sequence)`);
    expect(differences).toEqual([]);
  });

  it('has gapless sequences: of each customer, and of the alerts', async () => {
    // An entry of the ledger takes one, too: credits that are allocated are no event.
    const customers = await rows<{ sequence: string; taken: string; newest: string }>(`
      SELECT c.sequence, count(*) AS taken, max(s.sequence) AS newest
      FROM customers c JOIN (
        SELECT customer_id, sequence FROM events UNION SELECT customer_id, sequence FROM postings
      ) s ON s.customer_id = c.id GROUP BY c.id`);
    for (const { sequence, taken, newest } of customers) expect([taken, newest]).toEqual([sequence, sequence]);
    const [alerts] = await rows<{ n: string; newest: string; tenant: string }>(`
      SELECT count(*) AS n, max(a.sequence) AS newest, max(t.alert_sequence) AS tenant FROM alerts a JOIN tenants t ON t.id = a.tenant_id`);
    expect([alerts?.newest, alerts?.tenant]).toEqual([alerts?.n, alerts?.n]);
  });

  it('has exactly the alerts that its events imply', async () => {
    // Each event's line is crossed if any event of the period stood at or above it; a remaining one if at or below.
    const implied = await rows<{ key: string }>(`
      WITH standings AS (
        SELECT e.customer_id, e.feature_key, e.period_start, e.used_after, p.limits, f.limits AS own,
          (p.limits->>'limit')::numeric AS "limit",
          coalesce((p.limits->>'limit')::numeric, nullif(coalesce((p.limits->>'included')::numeric, 0)
            + coalesce((p.limits->'credits'->>'allocation')::numeric, 0), 0)) AS whole,
          coalesce(p.limits->'thresholds', f.limits->'thresholds', '["fraction:0.8", "fraction:1"]') AS thresholds
        FROM events e JOIN customers c ON c.id = e.customer_id
        JOIN features f ON f.tenant_id = e.tenant_id AND f.key = e.feature_key
        CROSS JOIN LATERAL (SELECT features->e.feature_key AS limits FROM plan_versions WHERE tenant_id = e.tenant_id AND key = c.plan_key ORDER BY version DESC LIMIT 1) p
      )
      SELECT DISTINCT concat_ws(' ', s.customer_id, s.feature_key, s.period_start, t.key) AS key
      FROM standings s CROSS JOIN LATERAL jsonb_array_elements_text(s.thresholds) AS t (key)
      WHERE CASE split_part(t.key, ':', 1)
        WHEN 'fraction' THEN s.used_after >= split_part(t.key, ':', 2)::numeric * s.whole
        WHEN 'used' THEN s.used_after >= split_part(t.key, ':', 2)::numeric
        WHEN 'remaining' THEN s."limit" - s.used_after <= split_part(t.key, ':', 2)::numeric
      END`);
    const raised = await rows<{ key: string }>(
      `SELECT concat_ws(' ', customer_id, feature_key, period_start, split_part(threshold_key, '@', 1)) AS key FROM alerts`,
    );
    expect(raised.length).toBeGreaterThan(50);
    expect(raised.map(({ key }) => key).sort()).toEqual(implied.map(({ key }) => key).sort());
  });

  it('shows every kind of meter: calm, near its limit, at it, beyond it, unlimited', () => {
    const fills = meters.map(({ usage: { policy, used } }) => {
      if (policy.limit === null) return 'unlimited';
      const percent = Number((used * 100n) / policy.limit);
      return percent > 100
        ? 'beyond'
        : percent === 100
          ? 'at'
          : percent >= 80
            ? 'near'
            : percent > 0
              ? 'calm'
              : 'unused';
    });
    for (const kind of ['calm', 'near', 'at', 'beyond', 'unlimited']) expect(fills).toContain(kind);
  });

  it('is continued, not repeated, by the next start', async () => {
    const before = await count('events');
    await prepare();
    expect((await count('events')) - before).toBeLessThan(60);
    clock.advance(2 * DAY_MS);
    await prepare();
    expect((await count('events')) - before).toBeGreaterThan(100);
    expect(await count('customers')).toBe(DEMO_COMPANIES.length);
  });

  it('has one key a run', async () => {
    const [first, second] = [
      await newDemoKey({ database, clock }, tenantId),
      await newDemoKey({ database, clock }, tenantId),
    ];
    expect(first).toMatch(/^mg_test_/);
    expect(await rows('SELECT id, to_json(scopes) AS scopes FROM api_keys')).toEqual([
      { id: second.split('_')[2], scopes: ['ingest', 'read'] },
    ]);
  });

  describe('and then its traffic', () => {
    it('consumes in small steps, and is denied where nothing is left', async () => {
      const ledger = new Ledger({ database, catalogs, clock, onCommitted: () => {}, hintOf: () => null });
      const answers: Consumption[] = [];
      const consume = async (request: ConsumeRequest) => {
        const [answer] = await ledger.record([request]);
        if (answer instanceof MeterError) throw answer;
        if (answer?.kind !== 'consumption') throw new Error('no answer');
        answers.push(answer);
        return answer;
      };
      const options = {
        engine: { consume },
        clock,
        meters,
        random: seededRandom(3),
        isWatched: () => true,
        onError: () => {},
      };
      for (let i = 0; i < 400; i++) {
        clock.advance(1_500);
        await makeOneCall(options);
      }
      expect(answers.length).toBeGreaterThan(350);
      const denied = answers.filter(({ allowed }) => !allowed);
      expect(denied.length).toBeGreaterThan(3);
      expect(denied.length).toBeLessThan(100);
      for (const { amount, usage } of answers) {
        if (usage.policy.limit !== null) expect(amount).toBeLessThanOrEqual(usage.policy.limit / 50n + ONE);
      }
    });
  });
});
