/**
 * Goal: customers stay on the version of a plan that they have until they are moved, and change plans when they should.
 * Method: save, synchronise and register on both engines, a clock that is moved, and what the rows say afterwards.
 */
import { describe, expect, it } from 'vitest';
import { muteAlerts } from '../../server/actions/mute-alerts.ts';
import { type Registration, registerCustomer } from '../../server/actions/register-customer.ts';
import { saveFeature } from '../../server/actions/save-feature.ts';
import { savePlan } from '../../server/actions/save-plan.ts';
import { setCustomerPlan } from '../../server/actions/set-customer-plan.ts';
import { syncConfig } from '../../server/actions/sync-config.ts';
import { unmuteAlerts } from '../../server/actions/unmute-alerts.ts';
import type { Database } from '../../server/db/client.ts';
import { loadCatalog } from '../../server/db/queries/catalog.ts';
import { customersById } from '../../server/db/queries/customers.ts';
import { type Customer, currentPlanOf, customerIdOf } from '../../server/domain/customer.ts';
import type { PlanDefinition } from '../../server/domain/definitions.ts';
import { planOfCustomer } from '../../server/domain/plan.ts';
import type { PlanChange } from '../../server/domain/plan-change.ts';
import { unitsOf } from '../../server/domain/units.ts';
import { describeEngines } from '../support/engines.ts';
import { openTenant } from './own-tenant.ts';

/** `pro` for so much a month, with so many calls. */
const plan = (key: string, price: string, limit: string, more: Partial<PlanDefinition> = {}): PlanDefinition => ({
  key,
  prices: [{ amount: unitsOf(price), currency: 'usd', interval: 'month' }],
  features: new Map([['calls', { limit: unitsOf(limit) }]]),
  ...more,
});

describeEngines('versions of a plan', (engine) => {
  let opened: Promise<Database> | undefined;

  /** A tenant of its own, with `free`, and `pro` in its first version. */
  async function setUp() {
    opened ??= engine.open();
    const database = await opened;
    const { tenantId, clock, announced, deps } = await openTenant(database);
    const save = (wanted: PlanDefinition) => savePlan(deps, tenantId, wanted);
    const sync = (...plans: PlanDefinition[]) =>
      syncConfig(deps, tenantId, { features: [{ key: 'calls' }], plans, defaultPlanKey: 'free' });
    const register = (registration: Partial<Registration> = {}) =>
      registerCustomer(deps, tenantId, { referenceId: 'acme', ...registration }, { mayChangePlan: true });
    const setPlan = (planKey: string, effective: PlanChange | null = null) =>
      setCustomerPlan(deps, tenantId, { referenceId: 'acme', planKey, effective });
    const load = () => loadCatalog(database.query, tenantId);
    const acme = async (): Promise<Customer> => {
      const [customer] = await customersById(database.db, tenantId, [customerIdOf(tenantId, 'acme')]);
      if (!customer) throw new Error('acme is not registered');
      return customer;
    };
    /** What holds for acme now: `pro 1, 10 calls`. */
    const holds = async () => {
      const customer = await acme();
      const held = planOfCustomer(await load(), { tenantId, ...currentPlanOf(customer, clock.now()) });
      const limit = held?.features.get('calls')?.limit;
      return `${held?.key} ${held?.version}, ${typeof limit === 'bigint' ? limit / 1_000_000_000n : limit} calls`;
    };
    const dueAt = async () => {
      const text = 'SELECT due_at FROM customers WHERE id = $1';
      const [row] = await database.query({ text, params: [customerIdOf(tenantId, 'acme')] });
      return row?.due_at;
    };
    const setDueAt = (iso: string) =>
      database.query({
        text: 'UPDATE customers SET due_at = $2::timestamptz WHERE id = $1',
        params: [customerIdOf(tenantId, 'acme'), iso],
      });
    await saveFeature(deps, tenantId, { key: 'calls' });
    await save(plan('free', '0', '1'));
    await save(plan('pro', '1000', '10'));
    return {
      database,
      tenantId,
      deps,
      clock,
      announced,
      save,
      sync,
      register,
      setPlan,
      load,
      acme,
      holds,
      dueAt,
      setDueAt,
    };
  }

  describe('by mutation', () => {
    it('leave customers where they are, and are had by those who come', async () => {
      const { save, register, holds, load } = await setUp();
      await register({ planKey: 'pro' });
      await save(plan('pro', '1000', '20'));
      expect(await holds()).toBe('pro 1, 10 calls');
      await register({ referenceId: 'acme', name: 'Acme' });
      await register({ planKey: 'pro' }); // said again, it is the plan they have
      expect(await holds()).toBe('pro 1, 10 calls');
      expect(await register({ referenceId: 'late', planKey: 'pro' })).toMatchObject({ planVersion: 2 });
      const { plans, planVersions } = await load();
      expect([...(planVersions.get('pro')?.byNumber.keys() ?? [])]).toEqual([1, 2]);
      expect(plans.get('pro')).toBe(planVersions.get('pro')?.byNumber.get(2));
    });

    it('move customers where they are saved so, also those whom an earlier one let stay', async () => {
      const { save, register, holds, load, announced } = await setUp();
      await register({ planKey: 'pro' });
      await save(plan('pro', '1000', '20'));
      await save(plan('pro', '1000', '30', { existingCustomers: 'move' }));
      expect(await holds()).toBe('pro 3, 30 calls');
      expect([...((await load()).planVersions.get('pro')?.byNumber.keys() ?? [])]).toEqual([3]); // no others are read
      await save(plan('pro', '1000', '40', { existingCustomers: 'stay' }));
      expect(await holds()).toBe('pro 3, 30 calls');
      // Nothing of the plan is different, and yet its customers are moved: once.
      const before = announced.length;
      for (const _again of [1, 2]) await save(plan('pro', '1000', '40', { existingCustomers: 'move' }));
      expect(await holds()).toBe('pro 4, 40 calls');
      expect(announced.slice(before)).toHaveLength(1);
    });

    it('are never written over', async () => {
      const { database, tenantId, save } = await setUp();
      await save(plan('pro', '1000', '20'));
      await save(plan('pro', '1000', '10')); // says what the first one said, and is the third
      const rows = await database.query({
        text: `SELECT version, features #>> '{calls,limit}' AS calls FROM plan_versions WHERE tenant_id = $1 AND key = 'pro' ORDER BY version`,
        params: [tenantId],
      });
      expect(rows).toEqual([
        { version: 1, calls: '10' },
        { version: 2, calls: '20' },
        { version: 3, calls: '10' },
      ]);
    });

    it('keep all that a plan says', async () => {
      const { save, load } = await setUp();
      const usd = (amount: string) => ({ amount: unitsOf(amount), currency: 'usd' });
      const perCall = {
        model: 'per_unit',
        unitAmount: 1n,
        currency: 'usd',
        minimumSpend: null,
        maximumSpend: null,
      } as const;
      const saved = await save(
        plan('full', '12.5', '10', {
          rateLimits: [
            { limit: 10, windowMs: 1_000 },
            { limit: 100, windowMs: 60_000 },
          ],
          spendLimit: usd('5000'),
          features: new Map([['calls', { billing: 'prepaid', price: perCall, credits: null }]]),
          wallet: {
            currency: 'usd',
            floor: unitsOf('-100'),
            autoTopUp: { threshold: unitsOf('200'), amount: unitsOf('1000.5'), maxPerMonth: 3, coolOffMs: 86_400_000 },
          },
        }),
      );
      expect(saved).toMatchObject({ spendLimit: usd('5000'), wallet: { floor: unitsOf('-100') } });
      expect((await load()).plans.get('full')).toEqual(saved);
    });

    it('of an archived plan go on for those who have it', async () => {
      const { sync, register, holds, setPlan } = await setUp();
      await sync(plan('free', '0', '1'), plan('old', '500', '5'));
      await register({ planKey: 'old' });
      await sync(plan('free', '0', '1'));
      expect(await holds()).toBe('old 1, 5 calls');
      expect(await setPlan('old')).toMatchObject({ planKey: 'old', planVersion: 1 });
      await setPlan('free', 'immediately');
      await expect(setPlan('old')).rejects.toMatchObject({ code: 'PLAN_NOT_FOUND' });
    });
  });

  describe('by config', () => {
    it('leave customers where they are, unless the file says move', async () => {
      const { sync, register, holds } = await setUp();
      const free = (limit: string, more = {}) => plan('free', '0', limit, more);
      await sync(free('1'));
      await register(); // on the default plan
      expect(await sync(free('2'))).toEqual({ saved: ['free'], archived: [] });
      expect(await holds()).toBe('free 1, 1 calls');
      expect(await sync(free('2', { existingCustomers: 'move' }))).toEqual({ saved: ['free'], archived: [] });
      expect(await holds()).toBe('free 2, 2 calls');
      expect(await sync(free('2', { existingCustomers: 'move' }))).toEqual({ saved: [], archived: [] });
      expect(await sync(free('3'))).toMatchObject({ saved: ['free'] });
      expect(await holds()).toBe('free 2, 2 calls');
    });
  });

  describe('a customer', () => {
    const RENEWAL = Date.parse('2026-04-15T12:00:00Z'); // a month after its registration

    it('gets the newest version of its own plan by being put on it again', async () => {
      const { save, register, setPlan, holds, announced } = await setUp();
      const { sequence } = await register({ planKey: 'pro' });
      await save(plan('pro', '1000', '20'));
      const moved = await setPlan('pro');
      expect(moved).toMatchObject({ planKey: 'pro', planVersion: 2, pendingPlan: null, sequence: sequence + 1n });
      expect(announced.at(-1)).toMatchObject({ kind: 'customer', customerId: moved.id });
      expect(await holds()).toBe('pro 2, 20 calls');
      const before = announced.length;
      expect(await setPlan('pro')).toEqual(moved);
      expect(announced).toHaveLength(before);
    });

    it('is upgraded at once, and due at once, so that the credits of the plan begin', async () => {
      const { register, setPlan, holds, dueAt, clock } = await setUp();
      await register({ planKey: 'free' });
      expect(await setPlan('pro')).toMatchObject({ planKey: 'pro', pendingPlan: null });
      expect(await holds()).toBe('pro 1, 10 calls');
      expect(await dueAt()).toEqual(new Date(clock.now()));
    });

    it('is downgraded at renewal, in the version of the day it was asked for', async () => {
      const { register, setPlan, save, acme, holds, dueAt, clock } = await setUp();
      const registered = await register({ planKey: 'pro' });
      expect(registered.anchorAtMs).toBe(clock.now());
      clock.advance(86_400_000);
      const waiting = await setPlan('free');
      expect(waiting).toMatchObject({
        planKey: 'pro',
        pendingPlan: { planKey: 'free', planVersion: 1, atMs: RENEWAL },
      });
      expect(waiting.sequence).toBe(registered.sequence); // nothing is different yet
      expect(await acme()).toEqual(waiting);
      expect(await dueAt()).toEqual(new Date(RENEWAL));
      await save(plan('free', '0', '2'));
      clock.set(RENEWAL - 1);
      expect(await holds()).toBe('pro 1, 10 calls');
      clock.set(RENEWAL);
      expect(await holds()).toBe('free 1, 1 calls');
    });

    it('is due at the change, unless something else is due before', async () => {
      const { register, setPlan, dueAt, setDueAt } = await setUp();
      await register({ planKey: 'pro' });
      await setDueAt('2026-03-20T00:00:00Z');
      await setPlan('free');
      expect(await dueAt()).toEqual(new Date('2026-03-20T00:00:00Z'));
      await setDueAt('2027-01-01T00:00:00Z');
      await setPlan('pro');
      await setPlan('free');
      expect(await dueAt()).toEqual(new Date(RENEWAL));
    });

    it('no longer waits for a change once it is put on a plan', async () => {
      const { register, setPlan, acme, clock, holds } = await setUp();
      await register({ planKey: 'pro' });
      await setPlan('free');
      expect(await setPlan('pro', 'at_renewal')).toMatchObject({ planKey: 'pro', pendingPlan: null });
      clock.set(RENEWAL);
      expect(await holds()).toBe('pro 1, 10 calls');
      expect((await acme()).pendingPlan).toBeNull();
    });

    it('waits on while it is registered with the plan it has, and not where it is with another', async () => {
      const { register, setPlan, clock } = await setUp();
      await register({ planKey: 'pro' });
      const { pendingPlan } = await setPlan('free');
      expect(pendingPlan).not.toBeNull();
      expect(await register({ planKey: 'pro', name: 'Acme' })).toMatchObject({ name: 'Acme', pendingPlan });
      expect(await register({ planKey: 'free' })).toMatchObject({ planKey: 'free', pendingPlan: null });
      await register({ planKey: 'pro' });
      await setPlan('free');
      clock.set(RENEWAL);
      // It has the other plan by now, stored or not, and keeps it.
      expect(await register({ planKey: 'free' })).toMatchObject({ planKey: 'pro', pendingPlan: { planKey: 'free' } });
    });

    it('has its periods counted from where it says', async () => {
      const { register, setPlan, announced } = await setUp();
      const anchorAtMs = Date.parse('2025-01-31T00:00:00Z');
      const registered = await register({ planKey: 'pro', anchorAtMs });
      expect(registered.anchorAtMs).toBe(anchorAtMs);
      expect((await setPlan('free')).pendingPlan?.atMs).toBe(Date.parse('2026-03-31T00:00:00Z'));
      expect(await register({ name: 'Acme' })).toMatchObject({ anchorAtMs }); // not said, it stays
      const before = announced.length;
      const moved = await register({ anchorAtMs: anchorAtMs + 1 });
      expect(moved).toMatchObject({ anchorAtMs: anchorAtMs + 1, sequence: registered.sequence + 1n });
      expect(announced).toHaveLength(before + 1);
    });

    it('has alerts muted and told again', async () => {
      const { deps, tenantId, register, acme, clock } = await setUp();
      await register();
      const mute = (featureKey: string | null, untilMs: number | null) =>
        muteAlerts(deps, tenantId, { referenceId: 'acme', featureKey, untilMs });
      const { mutes } = await mute('calls', clock.now() + 1_000);
      expect(mutes).toEqual([{ featureKey: 'calls', untilMs: clock.now() + 1_000 }]);
      expect((await acme()).mutes).toEqual(mutes);
      clock.advance(1_000);
      expect((await mute(null, null)).mutes).toEqual([{ featureKey: null, untilMs: null }]);
      await expect(mute('calls', clock.now())).rejects.toMatchObject({
        code: 'INVALID_INPUT',
        path: ['input', 'until'],
      });
      await expect(mute('cals', null)).rejects.toMatchObject({ code: 'FEATURE_NOT_FOUND', suggestion: 'calls' });
      await unmuteAlerts(deps, tenantId, { referenceId: 'acme', featureKey: null });
      expect((await acme()).mutes).toEqual([]);
    });
  });
});
