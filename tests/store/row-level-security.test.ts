/**
 * Goal: behind the API's own checks there is a second wall. Method: two tenants with a row in every table that belongs
 * to one; read each table as either, and try to write as a reader. The list of tables is the database's own.
 */
import { randomUUID } from 'node:crypto';
import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Database, Db } from '../../server/db/client.ts';
import { emit } from '../../server/db/queries/outgoing-events.ts';
import { deadLetter } from '../../server/domain/notices-of-money.ts';
import { ONE } from '../../server/domain/units.ts';
import { describeEngines } from '../support/engines.ts';
import { query, type Rig, rigWith, saveFeature } from './rig.ts';

/** Nobody's rows: a reader has no business there. */
const WITHOUT_TENANT = [
  'alert_cursors',
  'daily_runs',
  'metergraph_migrations',
  'secrets',
  'stripe_events',
  'stripe_sweeps',
];

describeEngines('reading as a tenant', (engine) => {
  let database: Database;
  let rigs: readonly Rig[];
  let tables: readonly string[];

  beforeAll(async () => {
    database = await engine.open();
    rigs = [await tenantWithEverything('ours'), await tenantWithEverything('theirs')];
    const rows = await query(
      database,
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`,
    );
    tables = rows.map(({ name }) => String(name)).filter((name) => !WITHOUT_TENANT.includes(name));
  });

  async function tenantWithEverything(name: string): Promise<Rig> {
    const rig = await rigWith(database, { limit: ONE });
    await query(
      database,
      `WITH plan AS (INSERT INTO plans (tenant_id, key, display_name, version) VALUES ($1, 'pro', 'Pro', 1))
      INSERT INTO plan_versions (tenant_id, key, version, prices, features) VALUES ($1, 'pro', 1, '[]', '{}')`,
      rig.tenantId,
    );
    await query(
      database,
      `INSERT INTO api_keys (id, tenant_id, secret_hash, scopes, created_at) VALUES ($2, $1, 'hash', '{read}', now())`,
      rig.tenantId,
      name,
    );
    const { alerts } = await rig.engine.consume(rig.call('acme', { idempotencyKey: 'k' }));
    expect(alerts).toHaveLength(2);
    await prepayAndHold(rig);
    await listen(rig);
    return rig;
  }

  /** Grants, a wallet, what they are booked by, and a hold. */
  async function prepayAndHold(rig: Rig): Promise<void> {
    const { tenantId, customerId, referenceId } = rig.call('acme');
    const of = { tenantId, customerId, referenceId, idempotencyKey: null };
    await saveFeature(rig, 'tokens', {});
    await rig.engine.execute({ ...of, kind: 'top-up', currency: 'usd', amount: ONE });
    await rig.engine.execute({
      ...of,
      kind: 'grant',
      grantId: randomUUID(),
      featureKey: 'tokens',
      source: 'purchase',
      amount: ONE,
      priority: null,
      effectiveFromMs: null,
      expiresAtMs: null,
      recurring: null,
      settlesOverage: false,
    });
    const { purpose, occurredAtMs, ...use } = rig.call('acme', { featureKey: 'tokens' });
    await rig.engine.execute({ ...use, kind: 'reserve', reservationId: randomUUID(), ttlMs: 60_000 });
    await query(
      database,
      `WITH seen AS (INSERT INTO unique_values (customer_id, feature_key, value, period_start, tenant_id) VALUES ($2, 'seats', 'anna', now(), $1)),
        account AS (INSERT INTO billing_accounts (customer_id, tenant_id, stripe_customer_id, updated_at) VALUES ($2, $1, 'cus_' || ($2::text), now())),
        payment AS (INSERT INTO billing_payments (payment_id, customer_id, tenant_id, purpose, currency, amount, paid_at)
          VALUES ('pi_' || ($2::text), $2, $1, 'top_up', 'usd', 5, now())),
        position AS (INSERT INTO invoice_positions (customer_id, tenant_id, look_at) VALUES ($2, $1, now())),
        book AS (INSERT INTO invoice_books (tenant_id, last_number, since) VALUES ($1, 1, now())),
        invoice AS (INSERT INTO invoices (customer_id, number, tenant_id, currency, period_start, period_end, total, paid_from_wallet, due, issued_at)
          VALUES ($2, 1, $1, 'usd', '2026-01-01', '2026-02-01', 5, 0, 5, now())),
        line AS (INSERT INTO invoice_lines (customer_id, number, line, tenant_id, currency, kind, adjustment, description, quantity, amount, period_start)
          VALUES ($2, 1, 1, $1, 'usd', 'base', false, 'Pro', 1, 5, '2026-01-01')),
        span AS (INSERT INTO plan_spans (customer_id, since, tenant_id, plan_key, plan_version) VALUES ($2, now(), $1, 'pro', 1)),
        told AS (INSERT INTO usage_outbox (customer_id, feature_key, period_start, tenant_id, overage, changed_at) VALUES ($2, 'tokens', now(), $1, 1, now())),
        message AS (INSERT INTO usage_messages (customer_id, feature_key, period_start, number, tenant_id, quantity, used_at, created_at, identifier, next_attempt_at)
          VALUES ($2, 'tokens', now(), 1, $1, 1, now(), now(), 'mg', now()))
      INSERT INTO top_up_requests (customer_id, sequence, tenant_id, currency, amount, state, asked_at) VALUES ($2, 1, $1, 'usd', 5, 'asked', now())`,
      tenantId,
      customerId,
    );
  }

  /** An endpoint, and something that it is told of. */
  async function listen({ tenantId }: Rig): Promise<void> {
    const at = Date.parse('2026-03-15T12:00:00Z');
    await query(
      database,
      `INSERT INTO webhook_endpoints (id, tenant_id, kind, url, event_types, secrets, created_at)
      VALUES ($2, $1, 'webhook', 'https://example.com', '{billing.dead_letter}', '[{"secret":"whsec_x","endsAt":null}]', $3)`,
      tenantId,
      randomUUID(),
      new Date(at).toISOString(),
    );
    const letter = { biller: 'stripe', kind: 'usage', featureKey: null, amount: null, code: 'x', message: 'X.' };
    await emit(database.db, deadLetter(tenantId, null, { ...letter, reference: '1' }, at));
  }

  const count = async (db: Db, table: string, where = sql`true`): Promise<number> => {
    const [row] = await db
      .select({ rows: sql<string>`count(*)` })
      .from(sql`${sql.identifier(table)}`)
      .where(where);
    return Number(row?.rows);
  };
  const column = (table: string) => sql.identifier(table === 'tenants' ? 'id' : 'tenant_id');

  it('sees its own rows in every table, and nobody else’s', async () => {
    expect(tables).toEqual([
      'alerts',
      'answers',
      'api_keys',
      'billing_accounts',
      'billing_payments',
      'counters',
      'credit_balances',
      'customers',
      'events',
      'features',
      'grants',
      'invoice_books',
      'invoice_lines',
      'invoice_positions',
      'invoices',
      'outgoing_events',
      'plan_spans',
      'plan_versions',
      'plans',
      'postings',
      'reservations',
      'rollups',
      'tenants',
      'top_up_requests',
      'unique_values',
      'usage_messages',
      'usage_outbox',
      'wallets',
      'webhook_deliveries',
      'webhook_endpoints',
    ]);
    for (const { tenantId } of rigs) {
      for (const table of tables) {
        const seen = await database.readAs(tenantId, async (db) => ({
          all: await count(db, table),
          own: await count(db, table, sql`${column(table)} = ${tenantId}`),
        }));
        expect({ table, ...seen }).toEqual({
          table,
          all: seen.own,
          own: await count(database.db, table, sql`${column(table)} = ${tenantId}`),
        });
        expect({ table, isEmpty: seen.own === 0 }).toEqual({ table, isEmpty: false });
      }
    }
  });

  it('as nobody sees nothing', async () => {
    for (const table of tables) expect(await database.readAs('', (db) => count(db, table))).toBe(0);
  });

  it('as something that is no tenant fails, and hands nothing out', async () => {
    await expect(database.readAs(`' OR true --`, (db) => count(db, 'events'))).rejects.toThrow();
  });

  describe('refuses', () => {
    const asReader = (statement: string) => database.readAs(rigs[0]?.tenantId ?? '', (db) => db.execute(statement));
    const refusal = (statement: string): Promise<string> =>
      asReader(statement).then(
        () => 'it was allowed',
        (error: Error) => String(error.cause),
      );

    it('every write, its own rows included', async () => {
      for (const table of tables) {
        expect(await refusal(`DELETE FROM ${table}`)).toContain('permission denied');
        expect(
          await refusal(`UPDATE ${table} SET ${table === 'tenants' ? 'id = id' : 'tenant_id = tenant_id'}`),
        ).toContain('permission denied');
        expect(await refusal(`INSERT INTO ${table} DEFAULT VALUES`)).toContain('permission denied');
        expect(await refusal(`TRUNCATE ${table}`)).toContain('permission denied');
      }
    });

    it('the secrets of its own endpoints', async () => {
      expect(await refusal('SELECT id, secrets FROM webhook_endpoints')).toContain('permission denied');
    });

    it('tables that are nobody’s', async () => {
      for (const table of WITHOUT_TENANT)
        expect(await refusal(`SELECT * FROM ${table}`)).toContain('permission denied');
    });
  });

  it('ends with the reading: the next statement is the owner’s again', async () => {
    await database.readAs(rigs[0]?.tenantId ?? '', async () => {});
    const [row] = await query(
      database,
      `SELECT current_user = session_user AS is_owner, current_setting('app.tenant', true) AS tenant`,
    );
    expect(row).toMatchObject({ is_owner: true });
    expect(row?.tenant || null).toBeNull();
    expect(await count(database.db, 'tenants')).toBe(2);
  });

  it('many at once, each sees its own', async () => {
    const seen = await Promise.all(
      Array.from({ length: 40 }, async (_, i) => {
        const { tenantId } = rigs[i % 2] as Rig;
        return database.readAs(tenantId, (db) => count(db, 'events', sql`tenant_id = ${tenantId}`));
      }),
    );
    expect(seen).toEqual(seen.map(() => 1));
  });
});
