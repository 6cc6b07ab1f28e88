/**
 * Goal: a database of the first version keeps all that is in it, and its customers go on where they were. Method: the
 * first migrations alone, rows as that version wrote them, then the others; and calls by the engine of today.
 */

import { createHash } from 'node:crypto';
import { readMigrationFiles } from 'drizzle-orm/migrator';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { migrate } from '../../server/db/migrate.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { ONE, unitsOf } from '../../server/domain/units.ts';
import { describeEngines } from '../support/engines.ts';
import { errorOf } from './outcomes.ts';
import { openRig, query, type Rig } from './rig.ts';

const MIGRATIONS_OF_THE_FIRST_VERSION = 3;
const TENANT = '2ed6657d-e927-568b-95e1-2665a8aea6a2';
const ACME = customerIdOf(TENANT, 'acme');

/** Whatever is in the database gives way to the tables of the first version. */
async function goBack(database: Database): Promise<void> {
  const run = (text: string) => query(database, text);
  await run('DROP SCHEMA public CASCADE');
  await run('CREATE SCHEMA public');
  await run(
    'CREATE TABLE metergraph_migrations (hash text PRIMARY KEY, position integer NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())',
  );
  const migrations = readMigrationFiles({ migrationsFolder: 'drizzle' }).slice(0, MIGRATIONS_OF_THE_FIRST_VERSION);
  for (const [position, { hash, sql }] of migrations.entries()) {
    for (const statement of sql) await run(statement);
    await query(database, 'INSERT INTO metergraph_migrations (hash, position) VALUES ($1, $2)', hash, position);
  }
}

const ROWS = [
  `INSERT INTO tenants (id, name, mode, catalog_version, alert_sequence) VALUES ('${TENANT}', 'Acme Apps', 'live', 4, 1)`,
  `INSERT INTO features (tenant_id, key, display_name, aggregation, reset, limits, details) VALUES
    ('${TENANT}', 'calls', 'Calls', 'sum', 'monthly', '{"limit": "10"}', '{}'),
    ('${TENANT}', 'tokens', 'Tokens', 'sum', 'monthly', '{"price": {"unitAmount": "3", "currency": "usd"}}', '{}')`,
  `INSERT INTO plans (tenant_id, key, display_name, version, prices, rate_limit, features) VALUES
    ('${TENANT}', 'pro', 'Pro', 3, '[{"amount": "2000", "currency": "usd", "interval": "month"}]', '{"limit": 2, "windowMs": 60000}',
     '{"calls": {}, "tokens": {"included": "4", "price": {"unitAmount": "0.5", "currency": "usd"}}}'),
    ('${TENANT}', 'free', 'Free', 1, '[]', NULL, '{"calls": {}}')`,
  `INSERT INTO customers (id, tenant_id, reference_id, reference_type, plan_key, time_zone, sequence, rate_started_at, rate_calls, created_at) VALUES
    ('${ACME}', '${TENANT}', 'acme', 'user', 'pro', 'UTC', 4, '2026-03-15T11:59:30Z', 2, '2026-01-31'),
    ('${customerIdOf(TENANT, 'globex')}', '${TENANT}', 'globex', 'user', NULL, 'UTC', 0, NULL, 0, '2026-01-31')`,
  `INSERT INTO counters (customer_id, feature_key, period_start, period_end, reset, tenant_id, used, overage, raised, sequence) VALUES
    ('${ACME}', 'calls', '2026-02-01', '2026-03-01', 'monthly', '${TENANT}', 3, 0, '{}', 1),
    ('${ACME}', 'calls', '2026-03-01', '2026-04-01', 'monthly', '${TENANT}', 8, 0, '{fraction:0.8}', 2),
    ('${ACME}', 'tokens', '2026-03-01', '2026-04-01', 'monthly', '${TENANT}', 7, 3, '{}', 4)`,
  `INSERT INTO events (customer_id, sequence, tenant_id, feature_key, period_start, amount, overage, used_after, idempotency_key, properties, occurred_at, recorded_at) VALUES
    ('${ACME}', 1, '${TENANT}', 'calls', '2026-02-01', 3, 0, 3, NULL, NULL, '2026-02-10T08:00:10Z', '2026-02-10T08:00:10Z'),
    ('${ACME}', 2, '${TENANT}', 'calls', '2026-03-01', 8, 0, 8, NULL, '{"model": "large"}', '2026-03-15T11:58:00Z', '2026-03-15T11:58:00Z'),
    ('${ACME}', 3, '${TENANT}', 'tokens', '2026-03-01', 5, 1, 5, NULL, NULL, '2026-03-15T11:59:31Z', '2026-03-15T11:59:31Z'),
    ('${ACME}', 4, '${TENANT}', 'tokens', '2026-03-01', 2, 2, 7, NULL, NULL, '2026-03-15T11:59:32Z', '2026-03-15T11:59:32Z')`,
  `INSERT INTO alerts (customer_id, feature_key, period_start, period_end, threshold_key, tenant_id, used, "limit", sequence, event_sequence, raised_at) VALUES
    ('${ACME}', 'calls', '2026-03-01', '2026-04-01', 'fraction:0.8', '${TENANT}', 8, 10, 1, 2, '2026-03-15T11:58:00Z')`,
  `INSERT INTO answers (customer_id, idempotency_key, tenant_id, fingerprint, answer, answered_at) VALUES
    ('${ACME}', 'k4', '${TENANT}', '${createHash('sha256').update('["tokens","2","REJECT",null,null]').digest('base64url').slice(0, 22)}',
     '{"amount": "2", "split": {"included": "0", "overage": "2", "cost": "1", "currency": "usd"}, "plan": "pro", "entitled": true,
       "policy": {"limit": null, "included": "4", "enforcement": "soft", "price": {"unitAmount": "0.5", "currency": "usd"}},
       "period": [1772323200000, 1775001600000], "used": "7", "overage": "3", "sequence": "4", "catalog": 4, "at": 1773575972000, "alerts": 0}',
     '2026-03-15T11:59:32Z')`,
] as const;

describeEngines('a database of the first version', (engine) => {
  let rig: Rig;
  const rows = (text: string) => query(rig.database, text);

  beforeAll(async () => {
    const database = await engine.open();
    await goBack(database);
    for (const statement of ROWS) await query(database, statement);
    await migrate(database);
    rig = await openRig(database, { tenantId: TENANT });
  });

  it('keeps what plans say in their versions, and each customer on its own', async () => {
    expect(
      await rows(
        `SELECT key, version, prices->0->>'amount' AS price, rate_limits, features->'tokens'->>'included' AS included FROM plan_versions ORDER BY key`,
      ),
    ).toEqual([
      { key: 'free', version: 1, price: null, rate_limits: [], included: null },
      { key: 'pro', version: 3, price: '2000', rate_limits: [{ limit: 2, windowMs: 60_000 }], included: '4' },
    ]);
    expect(
      await rows(
        'SELECT reference_id, plan_version, anchor_at = created_at AS anchored, due_at, rate_windows FROM customers ORDER BY 1',
      ),
    ).toEqual([
      {
        reference_id: 'acme',
        plan_version: 3,
        anchored: true,
        due_at: new Date('2026-03-01'),
        rate_windows: { ' 60000': [Date.parse('2026-03-15T11:59:30Z'), 2] },
      },
      { reference_id: 'globex', plan_version: null, anchored: true, due_at: null, rate_windows: {} },
    ]);
  });

  it('knows which plan each customer has, as if since its registration', async () => {
    const spans =
      'SELECT c.reference_id, s.since = c.created_at AS registered, s.plan_key, s.plan_version FROM plan_spans s JOIN customers c ON c.id = s.customer_id ORDER BY 1';
    expect(await rows(spans)).toEqual([
      { reference_id: 'acme', registered: true, plan_key: 'pro', plan_version: 3 },
      { reference_id: 'globex', registered: true, plan_key: null, plan_version: null },
    ]);
  });

  it('knows what was reported, and what it cost', async () => {
    const events = await rows(
      `SELECT sequence::integer, kind, reported = amount AS whole, cost::float, currency FROM events ORDER BY 1`,
    );
    expect(events).toEqual([
      { sequence: 1, kind: 'use', whole: true, cost: 0, currency: null },
      { sequence: 2, kind: 'use', whole: true, cost: 0, currency: null },
      { sequence: 3, kind: 'use', whole: true, cost: 0.5, currency: 'usd' },
      { sequence: 4, kind: 'use', whole: true, cost: 1, currency: 'usd' },
    ]);
    expect(await rows(`SELECT cost::float, currency FROM counters WHERE cost <> 0`)).toEqual([
      { cost: 1.5, currency: 'usd' },
    ]);
  });

  it('has the series of what was used', async () => {
    expect(
      await rows(
        `SELECT feature_key AS of, minute, dimensions, events::integer, amount::float, cost::float, largest::float FROM rollups ORDER BY minute, 1`,
      ),
    ).toEqual([
      {
        of: 'calls',
        minute: new Date('2026-02-10T08:00Z'),
        dimensions: '{}',
        events: 1,
        amount: 3,
        cost: 0,
        largest: 3,
      },
      {
        of: 'calls',
        minute: new Date('2026-03-15T11:58Z'),
        dimensions: '{}',
        events: 1,
        amount: 8,
        cost: 0,
        largest: 8,
      },
      {
        of: 'tokens',
        minute: new Date('2026-03-15T11:59Z'),
        dimensions: '{}',
        events: 2,
        amount: 7,
        cost: 1.5,
        largest: 5,
      },
    ]);
  });

  describe('and then its customers', () => {
    it('are in the same window of their rate limit', async () => {
      const { denial } = await rig.engine.consume(rig.call('acme'));
      expect(denial).toMatchObject({ reason: 'RATE_LIMITED', retryAtMs: Date.parse('2026-03-15T12:00:30Z') });
      rig.clock.advance(30_000);
    });

    it('go on counting, are told nothing twice, and owe what they owed', async () => {
      const calls = await rig.engine.consume(rig.call('acme'));
      expect(calls).toMatchObject({ allowed: true, alerts: [], usage: { used: 9n * ONE } });
      const tokens = await rig.engine.consume(rig.call('acme', { featureKey: 'tokens' }));
      expect(tokens.usage).toMatchObject({
        used: 8n * ONE,
        overage: 4n * ONE,
        estimatedCost: { amount: unitsOf('2') },
      });
    });

    it('hear the answers again that they were given', async () => {
      const again = { featureKey: 'tokens', amount: 2n * ONE, idempotencyKey: 'k4' };
      expect(await rig.engine.consume(rig.call('acme', again))).toMatchObject({
        allowed: true,
        replayed: true,
        amount: 2n * ONE,
        split: { overage: 2n * ONE, overageCost: { amount: ONE, currency: 'usd' } },
        usage: { used: 7n * ONE, overage: 3n * ONE, estimatedCost: { amount: unitsOf('1.5') }, sequence: 4n },
      });
      const other = rig.engine.consume(rig.call('acme', { ...again, amount: ONE }));
      expect(await errorOf(other)).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    });

    it('have their past periods settled by the first touch', async () => {
      const closed = `SELECT period_start, closed_at IS NOT NULL AS closed FROM counters WHERE feature_key = 'calls' ORDER BY 1`;
      expect(await rows(closed)).toEqual([
        { period_start: new Date('2026-02-01'), closed: true },
        { period_start: new Date('2026-03-01'), closed: false },
      ]);
      expect(await rows(`SELECT due_at FROM customers WHERE reference_id = 'acme'`)).toEqual([
        { due_at: new Date('2026-04-01') },
      ]);
    });
  });
});
