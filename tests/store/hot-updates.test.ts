/**
 * Goal: rows that every call updates stay on their page, and no index is touched for them. Method: a thousand calls that
 * draw on credits, on a wallet and on nothing, and what Postgres counts of their updates.
 */
import { expect, it } from 'vitest';
import { migrate } from '../../server/db/migrate.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { unitsOf } from '../../server/domain/units.ts';
import { afterUse } from '../support/after-use.ts';
import { describePostgres } from '../support/postgres.ts';
import { startPostgresCluster } from '../support/postgres-cluster.ts';
import { openRig, query, register, saveFeature } from './rig.ts';
import { perUnit } from './scene.ts';

const CUSTOMERS = 20;
const ROUNDS = 50;
const TABLES = ['counters', 'credit_balances', 'customers', 'grants', 'rollups', 'tenants', 'wallets'];

describePostgres('updates of a thousand calls', () => {
  it('stay on their page', { timeout: 60_000 }, async () => {
    // A server of its own: a long transaction in any database of one keeps all of them from forgetting old rows.
    const server = await startPostgresCluster();
    afterUse(() => server.stop());
    const database = openPostgres({ url: server.url, poolSize: 2, statementTimeoutMs: 30_000 });
    afterUse(() => database.close());
    await migrate(database);
    const rig = await openRig(database);
    await saveFeature(rig, 'calls', {
      limit: null,
      included: 0n,
      thresholds: [{ kind: 'every', value: unitsOf('1') }],
    });
    await saveFeature(rig, 'tokens', { price: perUnit('1'), billing: 'prepaid', included: 0n });
    const names = Array.from({ length: CUSTOMERS }, (_, i) => `customer-${i}`);
    await register(rig, ...names);
    for (const name of names) {
      const { tenantId, customerId, referenceId } = rig.call(name);
      const of = { tenantId, customerId, referenceId, idempotencyKey: null };
      await rig.engine.execute({ ...of, kind: 'top-up', currency: 'usd', amount: unitsOf('1000') });
      await rig.engine.execute({
        ...of,
        kind: 'grant',
        grantId: crypto.randomUUID(),
        featureKey: 'calls',
        source: 'purchase',
        amount: unitsOf('1000'),
        priority: null,
        effectiveFromMs: null,
        expiresAtMs: null,
        recurring: null,
        settlesOverage: false,
      });
    }
    await query(database, 'SELECT pg_stat_reset()');
    for (let round = 0; round < ROUNDS; round += 1) {
      rig.clock.advance(1_000);
      const calls = names.flatMap((name) => [
        rig.engine.consume(rig.call(name)),
        rig.engine.consume(rig.call(name, { featureKey: 'tokens' })),
      ]);
      for (const { allowed } of await Promise.all(calls)) expect(allowed).toBe(true);
    }
    await database.lane.transact([{ text: 'SELECT pg_stat_force_next_flush()', params: [] }], async () => []);
    const rows = await query(
      database,
      'SELECT relname AS of, n_tup_upd::integer AS updated, n_tup_hot_upd::float / greatest(n_tup_upd, 1) AS hot FROM pg_stat_user_tables WHERE relname = ANY($1) ORDER BY 1',
      `{${TABLES.join()}}`,
    );
    expect(rows.map(({ of, updated, hot }) => ({ of, updated: Number(updated) >= ROUNDS, hot: Number(hot) }))).toEqual(
      TABLES.map((of) => ({ of, updated: true, hot: expect.toSatisfy((share: number) => share >= 0.95) })),
    );
  });
});
