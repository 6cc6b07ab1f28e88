/**
 * Goal: features and plans become what the config says, and what was there before is never lost.
 * Method: synchronise one definition after the other on both engines, and read the catalog back.
 */
import { describe, expect, it } from 'vitest';
import { registerCustomer } from '../../server/actions/register-customer.ts';
import { saveFeature } from '../../server/actions/save-feature.ts';
import { savePlan } from '../../server/actions/save-plan.ts';
import { setCustomerLimits } from '../../server/actions/set-customer-limits.ts';
import { syncConfig } from '../../server/actions/sync-config.ts';
import type { Database } from '../../server/db/client.ts';
import { loadCatalog } from '../../server/db/queries/catalog.ts';
import type { CatalogDefinition } from '../../server/domain/definitions.ts';
import type { LimitFields } from '../../server/domain/feature.ts';
import { liveKeys } from '../../server/domain/plan.ts';
import { ONE, unitsOf } from '../../server/domain/units.ts';
import { describeEngines } from '../support/engines.ts';
import { openTenant } from './own-tenant.ts';

const definition = (limit: string, more: Partial<CatalogDefinition> = {}): CatalogDefinition => ({
  features: [
    { key: 'api_calls', unit: 'call' },
    { key: 'storage', minLimit: 0n, reset: 'never' },
  ],
  plans: [{ key: 'free', features: new Map([['api_calls', { limit: unitsOf(limit) }]]) }],
  defaultPlanKey: 'free',
  ...more,
});

describeEngines('the catalog', (engine) => {
  let opened: Promise<Database> | undefined;
  /** A tenant of its own in a database that all these tests share. */
  async function setUp() {
    opened ??= engine.open();
    const database = await opened;
    const { tenantId, clock, announced, deps } = await openTenant(database);
    const load = () => loadCatalog(database.query, tenantId);
    const sync = (wanted: CatalogDefinition) => syncConfig(deps, tenantId, wanted);
    return { tenantId, deps, clock, announced, load, sync };
  }

  describe('by config', () => {
    it('is made, with defaults where the config is silent', async () => {
      const { tenantId, sync, load, announced } = await setUp();
      expect(await sync(definition('5'))).toEqual({ saved: ['api_calls', 'storage', 'free'], archived: [] });
      const catalog = await load();
      expect(catalog.version).toBe(1);
      expect(catalog.defaultPlanKey).toBe('free');
      expect(catalog.features.get('api_calls')).toEqual({
        tenantId,
        key: 'api_calls',
        displayName: 'Api calls',
        unit: 'call',
        aggregation: 'sum',
        of: null,
        reset: 'monthly',
        anchor: 'calendar',
        dimensions: [],
        details: [],
        archivedAtMs: null,
      });
      expect(catalog.plans.get('free')).toMatchObject({ version: 1, prices: [], rateLimits: [] });
      expect(announced).toEqual([{ kind: 'catalog', tenantId }]);
    });

    it('stays as it is when the config says the same again, in another order too', async () => {
      const { sync, load, announced } = await setUp();
      await sync(definition('5'));
      const before = await load();
      const { features, ...rest } = definition('5.0');
      expect(await sync({ ...rest, features: [...features].reverse() })).toEqual({ saved: [], archived: [] });
      expect(await load()).toEqual(before);
      expect(announced).toHaveLength(1);
    });

    it('counts the versions of a plan that changes', async () => {
      const { sync, load } = await setUp();
      for (const limit of ['5', '6', '6', '7']) await sync(definition(limit));
      const { version, plans } = await load();
      expect(plans.get('free')).toMatchObject({
        version: 3,
        features: new Map([['api_calls', { limit: unitsOf('7') }]]),
      });
      expect(version).toBe(3);
    });

    it('archives what is no longer named, and brings back what is named again', async () => {
      const { sync, load, clock } = await setUp();
      await sync(definition('5'));
      const report = await sync({ features: [{ key: 'storage' }], plans: [], defaultPlanKey: null });
      expect(report).toEqual({ saved: ['storage'], archived: ['api_calls', 'free'] });
      const without = await load();
      expect(without.features.get('api_calls')?.archivedAtMs).toBe(clock.now());
      expect(without.plans.get('free')).toMatchObject({ archivedAtMs: clock.now(), version: 1 });
      expect(without.defaultPlanKey).toBeNull();

      clock.advance(1_000);
      expect(await sync({ features: [{ key: 'storage' }], plans: [], defaultPlanKey: null })).toMatchObject({
        archived: [],
      });
      expect((await load()).version).toBe(without.version);

      await sync(definition('5'));
      const back = await load();
      expect(liveKeys(back.features)).toEqual(['api_calls', 'storage']);
      expect(liveKeys(back.plans)).toEqual(['free']);
    });

    it('leaves alone what was made by the API, until the config names it', async () => {
      const { tenantId, deps, sync, load } = await setUp();
      await saveFeature(deps, tenantId, { key: 'seats' });
      await savePlan(deps, tenantId, { key: 'team', features: new Map([['seats', {}]]) });
      await sync(definition('5'));
      await sync(definition('6'));
      expect(liveKeys((await load()).features)).toEqual(['api_calls', 'seats', 'storage']);
      expect(liveKeys((await load()).plans)).toEqual(['free', 'team']);
      await sync(definition('6', { features: [...definition('6').features, { key: 'seats' }] }));
      await sync(definition('6'));
      expect(liveKeys((await load()).features)).toEqual(['api_calls', 'storage']);
    });

    it('leaves alone what the API brought back after it was removed', async () => {
      const { tenantId, deps, sync, load } = await setUp();
      await sync(definition('5'));
      await sync(definition('5', { features: [{ key: 'api_calls' }] }));
      await saveFeature(deps, tenantId, { key: 'storage' });
      await sync(definition('5', { features: [{ key: 'api_calls' }] }));
      expect(liveKeys((await load()).features)).toEqual(['api_calls', 'storage']);
    });

    it('is made once by processes that start at the same time', async () => {
      const { sync, load } = await setUp();
      const reports = await Promise.all([1, 2, 3, 4].map(() => sync(definition('5'))));
      expect(reports.filter(({ saved }) => saved.length > 0)).toHaveLength(1);
      expect((await load()).version).toBe(1);
    });
  });

  describe('by mutation', () => {
    it('has a feature with what it says and what was there, and raises its version only for a change', async () => {
      const { tenantId, deps, load, announced } = await setUp();
      const first = await saveFeature(deps, tenantId, { key: 'api_calls', limit: unitsOf('10'), unit: 'call' });
      expect((await load()).features.get('api_calls')).toEqual(first);
      await saveFeature(deps, tenantId, { key: 'api_calls', unit: 'call', limit: unitsOf('10.0') });
      expect((await load()).version).toBe(1);
      await saveFeature(deps, tenantId, { key: 'api_calls', displayName: 'Calls' });
      const catalog = await load();
      expect(catalog.version).toBe(2);
      expect(catalog.features.get('api_calls')).toEqual({ ...first, displayName: 'Calls' });
      expect(announced).toHaveLength(2);
    });

    it('has a feature with all that can be said of it', async () => {
      const { tenantId, deps, load } = await setUp();
      const said = {
        key: 'visitors',
        aggregation: 'unique',
        of: 'visitor',
        reset: 'every 6 hour',
        anchor: 'subscription',
        dimensions: ['page', 'country'],
      } as const;
      const saved = await saveFeature(deps, tenantId, said);
      expect(saved).toMatchObject(said);
      expect((await load()).features.get('visitors')).toEqual(saved);
    });

    it('has a plan with its version', async () => {
      const { tenantId, deps, load } = await setUp();
      await saveFeature(deps, tenantId, { key: 'api_calls' });
      const free = { key: 'free', features: new Map([['api_calls', { limit: unitsOf('5') }]]) };
      expect(await savePlan(deps, tenantId, free)).toMatchObject({ version: 1, displayName: 'Free' });
      expect(await savePlan(deps, tenantId, free)).toMatchObject({ version: 1 });
      const changed = await savePlan(deps, tenantId, { ...free, rateLimits: [{ limit: 10, windowMs: 1_000 }] });
      expect(changed.version).toBe(2);
      expect((await load()).plans.get('free')).toEqual(changed);
      expect(await savePlan(deps, tenantId, { ...free, displayName: 'Gratis' })).toEqual({
        ...changed,
        version: 3,
        displayName: 'Gratis',
      });
    });

    it('keeps what the config said and no mutation changed, until the config is synchronised again', async () => {
      const { tenantId, deps, sync, load } = await setUp();
      await sync(definition('5'));
      await saveFeature(deps, tenantId, { key: 'storage', displayName: 'Disk' });
      expect((await load()).features.get('storage')).toMatchObject({
        displayName: 'Disk',
        minLimit: 0n,
        reset: 'never',
      });
      expect(await sync(definition('5'))).toEqual({ saved: ['storage'], archived: [] });
      expect((await load()).features.get('storage')).toMatchObject({ displayName: 'Storage', reset: 'never' });
    });

    it('refuses what is out of bounds or dangling, and stores nothing', async () => {
      const { tenantId, deps, load } = await setUp();
      await saveFeature(deps, tenantId, { key: 'api_calls' });
      const before = await load();
      await expect(saveFeature(deps, tenantId, { key: 'a', limit: -1n })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        path: ['input', 'limit'],
      });
      const plan = { key: 'free', features: new Map([['api_cals', {}]]) };
      await expect(savePlan(deps, tenantId, plan)).rejects.toMatchObject({
        code: 'FEATURE_NOT_FOUND',
        suggestion: 'api_calls',
      });
      expect(await load()).toEqual(before);
    });

    it('refuses what does not go together once it is merged, at the field to change, wherever it is said last', async () => {
      const { tenantId, deps, load } = await setUp();
      const price = {
        model: 'per_unit',
        unitAmount: ONE,
        currency: 'usd',
        minimumSpend: null,
        maximumSpend: null,
      } as const;
      await saveFeature(deps, tenantId, { key: 'api_calls' });
      await saveFeature(deps, tenantId, { key: 'tokens', price });
      const plan = (featureKey: string, fields: LimitFields) => ({
        key: 'prepaid',
        features: new Map([
          ['api_calls', {}],
          [featureKey, fields],
        ]),
      });
      await savePlan(deps, tenantId, plan('tokens', { billing: 'prepaid' }));
      await registerCustomer(deps, tenantId, { referenceId: 'acme', planKey: 'prepaid' }, { mayChangePlan: true });
      const before = await load();
      const refused = (path: readonly string[]) => ({ code: 'INVALID_INPUT', path: ['input', ...path] });

      await expect(savePlan(deps, tenantId, plan('api_calls', { billing: 'prepaid' }))).rejects.toMatchObject(
        refused(['features', '0', 'billing']),
      );
      await expect(saveFeature(deps, tenantId, { key: 'tokens', price: null })).rejects.toMatchObject(
        refused(['price']),
      );
      const limits = (featureKey: string, fields: LimitFields) =>
        setCustomerLimits(deps, tenantId, { referenceId: 'acme', limits: [{ featureKey, fields }] });
      await expect(limits('api_calls', { spendLimit: ONE })).rejects.toMatchObject(
        refused(['limits', '0', 'spendLimit']),
      );
      const byVolume = { ...price, model: 'volume', tiers: [{ upTo: null, unitAmount: ONE, flatAmount: 0n }] } as const;
      await expect(limits('tokens', { price: byVolume })).rejects.toMatchObject(refused(['limits', '0', 'price']));
      expect(await load()).toEqual(before);
    });

    it.each([
      ['one window', [0], ['rateLimits', '0', 'windowSeconds']],
      ['one of several windows', [1_000, 0], ['rateLimits', '1', 'windowSeconds']],
    ])('names %s as the API does', async (_, windows, path) => {
      const { tenantId, deps } = await setUp();
      const rateLimits = windows.map((windowMs) => ({ limit: 1, windowMs }));
      await expect(savePlan(deps, tenantId, { key: 'free', rateLimits, features: new Map() })).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        path: ['input', ...path],
      });
    });
  });
});
