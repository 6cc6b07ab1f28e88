/** Goal: an empty database becomes callable, once, whoever starts. Method: start on both engines, one or several at a time. */
import { expect, it } from 'vitest';
import { type BootstrapOptions, bootstrap, tokenSecretOf } from '../../server/actions/bootstrap.ts';
import { apiKeys, tenants } from '../../server/db/tables/index.ts';
import { parseApiKey, secretHashOf } from '../../server/domain/api-key.ts';
import { ManualClock } from '../support/clock.ts';
import { describeEngines } from '../support/engines.ts';

const LIVE_KEY = `mg_live_${'a'.repeat(8)}_${'b'.repeat(32)}`;
const TEST_KEY = `mg_test_${'c'.repeat(8)}_${'d'.repeat(32)}`;
const PLAIN: BootstrapOptions = { bootstrapKey: null, demo: false };
const DEMO: BootstrapOptions = { bootstrapKey: null, demo: true };

describeEngines('the first start', (engine) => {
  async function setUp() {
    const database = await engine.open({ until: 'test' });
    const deps = { database, clock: new ManualClock() };
    const keys = () => database.db.select().from(apiKeys);
    return { deps, keys, start: (options: BootstrapOptions) => bootstrap(deps, options) };
  }

  it('makes a live tenant and an admin key, and tells the key once', async () => {
    const { start, keys } = await setUp();
    const { tenant, firstKey } = await start(PLAIN);
    expect(tenant).toMatchObject({ name: 'Default', mode: 'live', demo: false });
    const parts = parseApiKey(firstKey ?? '');
    expect(parts?.mode).toBe('live');
    expect(await keys()).toMatchObject([
      { id: parts?.id, tenantId: tenant.id, scopes: ['admin'], secretHash: secretHashOf(parts?.secret ?? '') },
    ]);
    expect(await start(PLAIN)).toEqual({ tenant, firstKey: null });
  });

  it.each([
    [LIVE_KEY, 'live'],
    [TEST_KEY, 'test'],
  ] as const)('takes %s as an admin key of a %s tenant, and keeps it to itself', async (bootstrapKey, mode) => {
    const { start, keys } = await setUp();
    const { tenant, firstKey } = await start({ bootstrapKey, demo: false });
    expect(tenant.mode).toBe(mode);
    expect(firstKey).toBeNull();
    expect(await keys()).toMatchObject([{ id: parseApiKey(bootstrapKey)?.id, scopes: ['admin'] }]);
  });

  it('passes a bootstrap key over where there are keys', async () => {
    const { start, keys } = await setUp();
    await start(PLAIN);
    await start({ bootstrapKey: TEST_KEY, demo: false });
    expect(await keys()).toHaveLength(1);
  });

  it('makes a test tenant for the demo, which has keys of its own', async () => {
    const { start, keys } = await setUp();
    const { tenant, firstKey } = await start(DEMO);
    expect(tenant).toMatchObject({ name: 'Demo', mode: 'test', demo: true });
    expect(firstKey).toBeNull();
    expect(await keys()).toEqual([]);
  });

  it('gives an admin key to one who goes on with the demo tenant without the demo', async () => {
    const { start } = await setUp();
    const { tenant } = await start(DEMO);
    const { firstKey } = await start(PLAIN);
    expect(firstKey).toMatch(/^mg_test_/);
    expect(await start({ ...DEMO, bootstrapKey: TEST_KEY })).toEqual({ tenant, firstKey: null });
  });

  it('refuses a live key for the demo, and stores nothing', async () => {
    const { deps, start } = await setUp();
    await expect(start({ bootstrapKey: LIVE_KEY, demo: true })).rejects.toThrow(
      'METERGRAPH_BOOTSTRAP_KEY must begin with mg_test_: tenant "Demo" is a test tenant.',
    );
    expect(await deps.database.db.select().from(tenants)).toEqual([]);
  });

  it('makes one of each when several start at once', async () => {
    const { start, keys } = await setUp();
    const started = await Promise.all([PLAIN, PLAIN, PLAIN, PLAIN].map(start));
    expect(new Set(started.map(({ tenant }) => tenant.id)).size).toBe(1);
    expect(started.filter(({ firstKey }) => firstKey !== null)).toHaveLength(1);
    expect(await keys()).toHaveLength(1);
  });

  it('keeps one secret for tokens, unless one is set', async () => {
    const { deps } = await setUp();
    const [kept, ...others] = await Promise.all([1, 2, 3].map(() => tokenSecretOf(deps, null)));
    expect(kept?.length).toBeGreaterThanOrEqual(32);
    for (const other of others) expect(other).toEqual(kept);
    expect(await tokenSecretOf(deps, null)).toEqual(kept);
    expect(await tokenSecretOf(deps, 'x'.repeat(32))).toEqual(new TextEncoder().encode('x'.repeat(32)));
  });
});
