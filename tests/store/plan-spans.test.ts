/**
 * Goal: the history says which plan each customer has had since when, whoever changed it and however late it was noticed.
 * Method: changes by everything that makes them, on both databases, by a clock that is moved, and the rows they leave.
 */
import { beforeAll, expect, it } from 'vitest';
import { registerCustomer } from '../../server/actions/register-customer.ts';
import { savePlan } from '../../server/actions/save-plan.ts';
import { setCustomerPlan } from '../../server/actions/set-customer-plan.ts';
import type { Database } from '../../server/db/client.ts';
import { planSpansIn } from '../../server/db/queries/plan-spans.ts';
import type { PlanDefinition } from '../../server/domain/definitions.ts';
import type { PlanChange } from '../../server/domain/plan-change.ts';
import { unitsOf } from '../../server/domain/units.ts';
import { describeEngines } from '../support/engines.ts';
import { query } from './rig.ts';
import { openScene, type Scene } from './scene.ts';

const plan = (price: string): Omit<PlanDefinition, 'key'> => ({
  prices: [{ amount: unitsOf(price), currency: 'usd', interval: 'month' }],
  features: new Map([['calls', {}]]),
});
const PLANS = { free: plan('0'), pro: plan('2000'), max: plan('9000') };
const DAY_MS = 86_400_000;

describeEngines('the history of plans', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  /** A customer on `pro` since 15 March, noon; it renews on 15 April. */
  const open = (): Promise<Scene> =>
    openScene(database, { features: { calls: {} }, plans: PLANS, plan: 'pro', since: '2026-03-15T12:00:00Z' });
  const setPlan = ({ deps, rig }: Scene, planKey: string, effective: PlanChange | null = null) =>
    setCustomerPlan(deps, rig.tenantId, { referenceId: 'acme', planKey, effective });
  const register = ({ deps, rig }: Scene, fields: { readonly planKey?: string; readonly name?: string }) =>
    registerCustomer(deps, rig.tenantId, { referenceId: 'acme', ...fields }, { mayChangePlan: true });
  /** `03-15T12:00 pro 1`, in order of time. */
  const history = async ({ rig, customerId }: Scene): Promise<readonly string[]> => {
    const text = `SELECT to_char(since AT TIME ZONE 'UTC', 'MM-DD"T"HH24:MI') || ' ' || coalesce(plan_key, 'none') || ' ' || coalesce(plan_version::text, 'newest') AS said
      FROM plan_spans WHERE tenant_id = $1 AND customer_id = $2 ORDER BY since`;
    return (await query(database, text, rig.tenantId, customerId)).map(({ said }) => String(said));
  };

  it('begins with the registration', async () => {
    const scene = await open();
    await register(scene, { planKey: 'pro', name: 'Acme' });
    expect(await history(scene)).toEqual(['03-15T12:00 pro 1']);
  });

  it('knows each change at its instant, of plan or version', async () => {
    const scene = await open();
    scene.rig.clock.advance(DAY_MS);
    await setPlan(scene, 'max');
    scene.rig.clock.advance(DAY_MS);
    await register(scene, { planKey: 'free' });
    scene.rig.clock.advance(DAY_MS);
    await savePlan(scene.deps, scene.rig.tenantId, { key: 'free', ...plan('100') });
    expect(await history(scene)).toHaveLength(3); // customers stay on the version they have
    await setPlan(scene, 'free');
    const changes = ['03-15T12:00 pro 1', '03-16T12:00 max 1', '03-17T12:00 free 1', '03-18T12:00 free 2'];
    expect(await history(scene)).toEqual(changes);
  });

  it('knows the last of several changes at one instant', async () => {
    const scene = await open();
    for (const planKey of ['max', 'free', 'max']) await setPlan(scene, planKey, 'immediately');
    expect(await history(scene)).toEqual(['03-15T12:00 max 1']);
  });

  it('ends with the plan that is held, also by a clock that is behind', async () => {
    const scene = await open();
    scene.rig.clock.advance(DAY_MS);
    await setPlan(scene, 'max');
    scene.rig.clock.set('2026-03-16T11:59:59Z');
    await setPlan(scene, 'pro', 'immediately');
    expect(await history(scene)).toEqual(['03-15T12:00 pro 1', '03-16T12:00 pro 1']);
  });

  it('knows a change that waited since it was due, however late the engine comes by, and once', async () => {
    const scene = await open();
    await setPlan(scene, 'free');
    expect(await history(scene)).toEqual(['03-15T12:00 pro 1']);
    scene.rig.clock.set('2026-05-03T08:00:00Z');
    for (let i = 0; i < 2; i += 1) {
      await scene.rig.engine.consume(scene.rig.call('acme'));
      expect(await history(scene)).toEqual(['03-15T12:00 pro 1', '04-15T12:00 free 1']);
    }
  });

  it.each([
    ['another plan', 'max', ['05-03T08:00 max 1']],
    ['the plan from before', 'pro', ['05-03T08:00 pro 1']],
    ['what it was', 'free', []],
  ])('knows a change that was due before anybody noticed, and then %s', async (_, planKey, then) => {
    const scene = await open();
    await setPlan(scene, 'free');
    scene.rig.clock.set('2026-05-03T08:00:00Z');
    await setPlan(scene, planKey, 'immediately');
    expect(await history(scene)).toEqual(['03-15T12:00 pro 1', '04-15T12:00 free 1', ...then]);
  });

  it('knows nothing of what was called off', async () => {
    const scene = await open();
    await setPlan(scene, 'free');
    await setPlan(scene, 'pro');
    scene.rig.clock.set('2026-05-03T08:00:00Z');
    await scene.rig.engine.consume(scene.rig.call('acme'));
    expect(await history(scene)).toEqual(['03-15T12:00 pro 1']);
  });

  it('is read for a period with the span that it begins in, and no others', async () => {
    const scene = await open();
    const { tenantId } = scene.rig;
    const of = { tenantId, customerId: scene.customerId };
    for (const planKey of ['max', 'pro', 'max', 'pro']) {
      scene.rig.clock.advance(10 * DAY_MS);
      await setPlan(scene, planKey, 'immediately');
    } // on 25 March, 4, 14 and 24 April
    const period = (from: string, to: string) => ({ startMs: Date.parse(from), endMs: Date.parse(to) });
    const read = async (from: string, to: string, max = 9) =>
      (await planSpansIn(database.query, of, period(from, to), max)).map(({ planKey, sinceMs }) => [
        planKey,
        new Date(sinceMs).toISOString().slice(5, 10),
      ]);
    const [march25, april4, april14] = [
      ['max', '03-25'],
      ['pro', '04-04'],
      ['max', '04-14'],
    ];
    expect(await read('2026-04-01', '2026-04-20')).toEqual([march25, april4, april14]);
    expect(await read('2026-04-04T12:00Z', '2026-04-14T12:00Z')).toEqual([april4]);
    expect(await read('2026-01-01', '2026-02-01')).toEqual([]);
    expect(await read('2026-04-01', '2026-04-20', 2)).toEqual([march25, april4]);
    expect(
      await planSpansIn(database.query, { ...of, tenantId: scene.customerId }, period('2026-01-01', '2027-01-01'), 9),
    ).toEqual([]);
  });
});
