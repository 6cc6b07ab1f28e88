/**
 * Goal: what is due of a customer is settled before it is changed, however much that is, and nobody waits for what can't be.
 * Method: changes and calls on both engines, by a clock moved over weeks.
 */
import { beforeAll, expect, it } from 'vitest';
import { SETTLING_ROUNDS_MAX } from '../../server/actions/change-customer.ts';
import { setCustomerLimits } from '../../server/actions/set-customer-limits.ts';
import type { Database } from '../../server/db/client.ts';
import { describeEngines } from '../support/engines.ts';
import { digestOf } from './rig.ts';
import { openScene, type Setting, units } from './scene.ts';

const DAILY: Setting = { features: { calls: { reset: 'daily', limit: units('5'), thresholds: [] } } };

describeEngines('what is due', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  it('and can not be settled keeps nobody waiting: the change is refused after so many rounds, and may be sent again', async () => {
    const scene = await openScene(database, DAILY);
    await scene.tell('use 3');
    await scene.tell('at 2026-03-17T00:00:00Z');
    let rounds = 0;
    const settle = async () => {
      rounds += 1;
    };
    const change = { referenceId: 'acme', limits: [{ featureKey: 'calls', fields: { limit: units('9') } }] };
    const before = await digestOf(database);
    await expect(setCustomerLimits({ ...scene.deps, settle }, scene.rig.tenantId, change)).rejects.toMatchObject({
      code: 'UNAVAILABLE',
      retryable: true,
      message: expect.stringMatching(/customer "acme".*send the call again\.$/),
    });
    expect(rounds).toBe(SETTLING_ROUNDS_MAX);
    expect(await digestOf(database)).toEqual(before);
    await setCustomerLimits(scene.deps, scene.rig.tenantId, change);
    expect(await scene.tell('usage')).toBe('0 used, 9 left');
  });
});
