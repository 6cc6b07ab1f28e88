/**
 * Goal: what is due is taken the oldest first, and no endpoint and no tenant takes the places of all others. Method: rows of
 * deliveries, what one gateway takes of them, and the plan of the database on many of them.
 */
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Database, Query } from '../../server/db/client.ts';
import { disable, type Lease, markFailed, queueAgeMs, takeDue } from '../../server/notices/leases.ts';
import { addTenant, query } from '../store/rig.ts';
import { describeEngines } from '../support/engines.ts';

const NOW_MS = Date.UTC(2026, 2, 15, 12);
const IDLE: ReadonlyMap<string, number> = new Map();

/** Says how each statement would be done, and does it. */
const explained =
  (query: Query, plans: string[]): Query =>
  async (statement) => {
    const plan = await query<{ 'QUERY PLAN': string }>({ ...statement, text: `EXPLAIN ${statement.text}` });
    plans.push(plan.map((row) => row['QUERY PLAN']).join('\n'));
    return query(statement);
  };

describeEngines('leases', (engine) => {
  let database: Database;

  beforeEach(async () => {
    database = await engine.open({ until: 'test' });
  });

  const iso = (atMs: number): string => new Date(atMs).toISOString();

  async function addEndpoints(tenantId: string, count: number): Promise<readonly string[]> {
    const ids = Array.from({ length: count }, () => randomUUID());
    await query(
      database,
      `INSERT INTO webhook_endpoints (id, tenant_id, kind, url, event_types, secrets, created_at)
      SELECT id::uuid, $1, 'webhook', 'https://example.com/', '{}', '[]', '2026-01-01' FROM unnest($2::text[]) AS id`,
      tenantId,
      ids,
    );
    return ids;
  }

  /** So many to each, the first so long ago, each a second later than the one before. */
  async function addDeliveries(
    tenantId: string,
    endpointIds: readonly string[],
    { each = 1, agoMs = 0 }: { readonly each?: number; readonly agoMs?: number } = {},
  ): Promise<void> {
    const eventId = randomUUID();
    await query(
      database,
      `WITH event AS (
        INSERT INTO outgoing_events (id, tenant_id, type, data, dedupe_key, created_at)
        SELECT gen_random_uuid(), $1, 'webhook.test', '{}', $2 || ' ' || n, $4 FROM generate_series(0, $5::integer - 1) AS n
        RETURNING id, split_part(dedupe_key, ' ', 2)::integer AS n
      )
      INSERT INTO webhook_deliveries (id, tenant_id, event_id, endpoint_id, state, next_attempt_at, retry_until, created_at)
      SELECT gen_random_uuid(), $1, event.id, endpoint::uuid, 'pending', $4::timestamptz + n * interval '1 s',
        $4::timestamptz + interval '3 days', $4 FROM event CROSS JOIN unnest($3::text[]) AS endpoint`,
      tenantId,
      eventId,
      [...endpointIds],
      iso(NOW_MS - agoMs),
      each,
    );
  }

  const take = (max = 256, busy = IDLE) => takeDue(database.query, busy, max, NOW_MS);
  const counted = (leases: readonly Lease[], of: (lease: Lease) => string): ReadonlyMap<string, number> => {
    const counts = new Map<string, number>();
    for (const lease of leases) counts.set(of(lease), (counts.get(of(lease)) ?? 0) + 1);
    return counts;
  };
  const ofEndpoint = ({ endpointId }: Lease) => endpointId;
  const ofTenant = ({ event }: Lease) => event.tenantId;

  it('go to the oldest, of each endpoint at most four', async () => {
    const tenantId = await addTenant(database);
    const [old = '', young = ''] = await addEndpoints(tenantId, 2);
    await addDeliveries(tenantId, [young], { each: 10, agoMs: 60_000 });
    await addDeliveries(tenantId, [old], { each: 10, agoMs: 120_000 });
    expect(counted(await take(6), ofEndpoint)).toEqual(
      new Map([
        [old, 4],
        [young, 2],
      ]),
    );
    expect(
      counted(
        await take(
          256,
          new Map([
            [old, 4],
            [young, 3],
          ]),
        ),
        ofEndpoint,
      ),
    ).toEqual(new Map([[young, 1]]));
    expect(await queueAgeMs(database.query, NOW_MS)).toBe(116_000);
  });

  it('of one that fails, one', async () => {
    const tenantId = await addTenant(database);
    const [endpointId = ''] = await addEndpoints(tenantId, 1);
    await addDeliveries(tenantId, [endpointId], { each: 10 });
    const [lease] = await takeDue(database.query, IDLE, 1, NOW_MS + 20_000);
    if (!lease) throw new Error('nothing was taken');
    const outcome = { status: 500, durationMs: 1, nowMs: NOW_MS, error: 'x', nextMs: NOW_MS + 60_000 };
    await markFailed(database.query, lease, outcome);
    expect(await takeDue(database.query, IDLE, 256, NOW_MS + 20_000)).toHaveLength(1);
  });

  it('leave places to other tenants, however old and many those of one are', async () => {
    const [many, one] = [await addTenant(database), await addTenant(database)];
    const theirs = await addEndpoints(many, 50);
    const own = await addEndpoints(one, 1);
    await addDeliveries(many, theirs, { each: 10, agoMs: 3_600_000 });
    await addDeliveries(one, own, { each: 2, agoMs: 10_000 });
    const taken = await take();
    expect(counted(taken, ofTenant)).toEqual(
      new Map([
        [many, 32],
        [one, 2],
      ]),
    );
    expect(await take(256, counted(taken, ofEndpoint))).toEqual([]);
    const [first = '', ...rest] = counted(taken, ofEndpoint).keys();
    expect(rest).not.toEqual([]);
    const busy = new Map([...counted(taken, ofEndpoint)].filter(([id]) => id !== first));
    expect((await take(256, busy)).length).toBe(counted(taken, ofEndpoint).get(first));
  });

  it('end what is on its way to nobody: written while its endpoint was disabled, or deleted', async () => {
    const tenantId = await addTenant(database);
    const [off = '', gone = '', on = ''] = await addEndpoints(tenantId, 3);
    await disable(database.query, off, 'Enough.', NOW_MS);
    await query(database, 'DELETE FROM webhook_endpoints WHERE id = $1', gone);
    await addDeliveries(tenantId, [off, gone, on], { agoMs: 1_000 });
    expect(counted(await take(), ofEndpoint)).toEqual(new Map([[on, 1]]));
    const rows = await query(
      database,
      `SELECT endpoint_id AS of, state, last_error AS error FROM webhook_deliveries WHERE state <> 'pending' ORDER BY error`,
    );
    expect(rows).toEqual([
      { of: off, state: 'failed', error: 'Enough.' },
      { of: gone, state: 'failed', error: 'Its endpoint was deleted.' },
    ]);
    expect(await queueAgeMs(database.query, NOW_MS)).toBe(0);
  });

  it('go to several gateways, none twice', async () => {
    const tenantId = await addTenant(database);
    await addDeliveries(tenantId, await addEndpoints(tenantId, 8), { each: 4, agoMs: 10_000 });
    const taken: Lease[] = [];
    while (taken.length < 32) taken.push(...(await Promise.all([take(8), take(8), take(8)])).flat());
    expect(new Set(taken.map(({ deliveryId }) => deliveryId)).size).toBe(32);
    expect(await take()).toEqual([]);
  });

  describe('of many', () => {
    it('look at neither what was delivered nor what waits behind the oldest', async () => {
      const tenantId = await addTenant(database);
      const endpoints = await addEndpoints(tenantId, 3_000);
      await addDeliveries(tenantId, endpoints.slice(0, 3), { each: 3_000, agoMs: 3_600_000 });
      await query(
        database,
        `UPDATE webhook_deliveries SET state = 'delivered', next_attempt_at = NULL WHERE endpoint_id = $1`,
        endpoints[0] ?? '',
      );
      await query(database, 'ANALYZE');
      const plans: string[] = [];
      await takeDue(explained(database.query, plans), IDLE, 256, NOW_MS);
      await queueAgeMs(explained(database.query, plans), NOW_MS);
      for (const plan of plans)
        expect(plan).not.toMatch(
          /Index Scan using webhook_deliveries_next|Seq Scan on (webhook_deliveries|outgoing_events)/,
        );
    });
  });
});
