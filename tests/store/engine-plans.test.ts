/**
 * Goal: a change of plan carries over what was used and what was bought, grants or takes the difference of allocations, and
 * takes effect when it should. Method: tables worked out by hand, on both engines; versions of plans by their saving.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { savePlan } from '../../server/actions/save-plan.ts';
import type { Database } from '../../server/db/client.ts';
import type { PlanDefinition } from '../../server/domain/definitions.ts';
import type { LimitFields } from '../../server/domain/feature.ts';
import { describeEngines } from '../support/engines.ts';
import { expectConsistent } from './promises.ts';
import { describeScenes, openScene, perUnit, type Row, type Setting, units } from './scene.ts';

const plan = (price: string, calls: LimitFields): Omit<PlanDefinition, 'key'> => ({
  prices: [{ amount: units(price), currency: 'usd', interval: 'month' }],
  features: new Map([['calls', calls]]),
});
const allocation = (amount: string): LimitFields => ({
  credits: { allocation: units(amount), onRenewal: 'reset', reset: null, priority: 0 },
});

const PLANS: Setting = {
  features: { calls: { thresholds: [] }, jobs: {} },
  plans: {
    free: plan('0', { limit: units('5') }),
    pro: plan('2000', { ...allocation('100'), price: perUnit('10') }),
    half: plan('1000', { ...allocation('50'), price: perUnit('10') }),
    tiny: plan('500', { ...allocation('20'), price: perUnit('10') }),
  },
};

const growing = (price: string, allocation: string, onRenewal: 'add' | 'reset') =>
  plan(price, { credits: { allocation: units(allocation), onRenewal, reset: 'daily', priority: 0 } });
const GROWING: Setting = {
  features: { calls: { thresholds: [] } },
  plans: {
    free: plan('0', { limit: 0n }),
    daily: growing('500', '10', 'add'),
    fresh: growing('900', '4', 'reset'),
  },
};
const on = (key: string): Setting => ({ ...PLANS, plan: key });

const ROWS: readonly Row[] = [
  [
    'an upgrade holds at once, and what was used is carried over',
    on('free'),
    [
      ['use 3', '3 included'],
      ['use 3', 'LIMIT_REACHED'],
      ['plan pro'],
      ['usage', '3 used, 100 credits'],
      ['use 3', '3 credits'],
      ['at 2026-04-01T00:00:00Z'],
      ['usage', '0 used, 100 credits'],
    ],
  ],
  [
    'a downgrade waits for the end of the billing period',
    on('pro'),
    [
      ['use 30', '30 credits'],
      ['plan free'],
      ['use 10', '10 credits'],
      ['at 2026-04-15T11:59:59.999Z'],
      ['usage', '0 used, 100 credits'],
      ['at 2026-04-15T12:00:00Z'],
      ['usage', '0 used, 5 left'],
      ['use 6', 'LIMIT_REACHED'],
      ['use 5', '5 included'],
    ],
  ],
  [
    'a downgrade that is called off',
    on('pro'),
    [['plan free'], ['plan pro'], ['at 2026-04-15T12:00:00Z'], ['usage', '0 used, 100 credits']],
  ],
  [
    'a downgrade that was due before the plan came back took what had added up',
    { ...GROWING, plan: 'daily' },
    [
      ['usage', '0 used, 10 credits'],
      ['plan free'],
      ['at 2026-04-20T12:00:00Z'],
      ['plan daily immediately'],
      ['usage', '0 used, 10 credits'],
    ],
  ],
  [
    'what is left of an allocation is withdrawn with its plan, and comes back with it',
    on('pro'),
    [
      ['use 30', '30 credits'],
      ['plan free immediately'],
      ['usage', '30 used, 0 left'],
      ['use 1', 'LIMIT_REACHED'],
      ['grants', 'plan 0 voided'],
      ['plan pro immediately'],
      ['usage', '30 used, 70 credits'],
      ['use 70', '70 credits'],
      ['use 1', '1 overage (10)'],
    ],
  ],
  [
    'a larger or smaller allocation: what was drawn stays drawn',
    on('pro'),
    [
      ['use 30', '30 credits'],
      ['plan half immediately'],
      ['usage', '30 used, 20 credits'],
      ['plan tiny immediately'],
      ['usage', '30 used'],
      ['use 1', '1 overage (10)'],
      ['plan pro immediately'],
      ['usage', '31 used, 70 credits, 1 overage'],
      ['at 2026-04-01T00:00:00Z'],
      ['usage', '0 used, 100 credits'],
    ],
  ],
  [
    'what is given back goes into a smaller plan no further than its allocation reaches',
    on('pro'),
    [
      ['use 80 as=e', '80 credits'],
      ['plan half immediately'],
      ['usage', '80 used'],
      ['reverse e', '-80 credits'],
      ['usage', '0 used, 50 credits'],
      ['plan pro immediately'],
      ['usage', '0 used, 100 credits'],
    ],
  ],
  [
    'what was bought survives every change',
    on('pro'),
    [
      ['grant A 10'],
      ['top-up 40'],
      ['plan free immediately'],
      ['use 6', 'LIMIT_REACHED'],
      ['grants', 'plan 0 voided, A 10 live'],
      ['wallet', '40'],
      ['plan pro'],
      ['use 111', '110 credits + 1 wallet (10)'],
    ],
  ],
  [
    'money of a hold goes back though the plan has no price any more',
    on('tiny'),
    [
      ['use 20', '20 credits'],
      ['top-up 100'],
      ['reserve R 5', 'open 5 wallet (50)'],
      ['plan free immediately'],
      ['release R'],
      ['wallet', '100'],
    ],
  ],
  [
    'money of a reversed use goes back though the plan has no price any more',
    on('tiny'),
    [
      ['use 20'],
      ['top-up 100'],
      ['use 5 as=paid', '5 wallet (50)'],
      ['plan free immediately'],
      ['reverse paid'],
      ['wallet', '100'],
    ],
  ],
  [
    'money of use that is given back goes back though the plan has no price any more',
    {
      features: { calls: { minLimit: 0n, thresholds: [] } },
      plans: { free: plan('0', {}), pro: plan('2000', { price: perUnit('10') }) },
      plan: 'pro',
    },
    [
      ['top-up 70'],
      ['use 10', '7 wallet (70) + 3 overage (30)'],
      ['plan free immediately'],
      ['use -5', '-2 wallet (-20) + -3 overage (-30)'],
      ['wallet', '20'],
      ['usage', '5 used'],
    ],
  ],
  [
    'a hold over a change of plan gives its credits back to a grant that is gone',
    on('pro'),
    [
      ['reserve R 30', 'open 30 credits'],
      ['plan free immediately'],
      ['usage', '0 used, 30 held, 0 left'],
      ['release R', 'released 30 credits'],
      ['usage', '0 used, 5 left'],
      ['grants', 'plan 0 voided'],
    ],
  ],
  [
    'a commit of more is paid by the credits of the plan that holds by then',
    on('pro'),
    [
      ['use 20', '20 credits'],
      ['reserve R 2', 'open 2 credits'],
      ['plan tiny immediately'],
      ['commit R 5', '2 credits + 3 overage (30)'],
      ['usage', '25 used, 3 overage'],
    ],
  ],
  [
    'a plan for this call only',
    on('free'),
    [
      ['use 5', '5 included'],
      ['use 1', 'LIMIT_REACHED'],
      ['use 1 plan=pro', '1 overage (10)'],
      ['use 1 plan=nope', 'PLAN_NOT_FOUND'],
      ['usage', '6 used, 0 left, 1 overage'],
      ['reserve R 1 plan=pro', 'open 1 overage (10)'],
      ['commit R', '1 overage (10)'],
    ],
  ],
  [
    'what the plan does not name',
    on('free'),
    [
      ['use 1 of=jobs', 'FEATURE_NOT_IN_PLAN'],
      ['use 1 of=jobs mode=OVERFLOW', 'FEATURE_NOT_IN_PLAN'],
      ['use 1 of=nope', 'FEATURE_NOT_FOUND'],
    ],
  ],
  [
    'credits that were renewed and then lost with the plan, seen late',
    on('pro'),
    [
      ['use 30'],
      ['plan free'],
      ['at 2026-04-20T00:00:00Z'],
      ['usage', '0 used, 5 left'],
      ['settle'],
      ['grants', 'plan 0 expired, plan 0 voided'],
    ],
  ],
  [
    'credits begin with the plan, however long nobody came by before or after it',
    { ...GROWING, plan: 'free' },
    [
      ['at 2026-03-20T12:00:00Z'],
      ['plan daily'],
      ['at 2026-03-22T09:00:00Z'],
      ['usage', '0 used, 30 credits'], // of the 20th, 21st and 22nd
    ],
  ],
  [
    'what renewed before a change of plan did so by the plan before, and since then by the new one',
    { ...GROWING, plan: 'daily' },
    [
      ['at 2026-03-18T12:00:00Z'],
      ['plan fresh'],
      ['at 2026-03-21T09:00:00Z'],
      ['use 1', '1 credits'],
      ['usage', '1 used, 33 credits'], // 10 of each of the three days before, and of the 21st 4
    ],
  ],
];

describeScenes('plans', ROWS);

describeEngines('versions of a plan in the engine', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  describe('a customer', () => {
    it('stays on its version until it is moved, and then what it used counts on', async () => {
      const scene = await openScene(database, { ...PLANS, plan: 'free' });
      const save = (limit: string, existingCustomers: 'stay' | 'move') =>
        savePlan(scene.deps, scene.rig.tenantId, {
          ...plan('0', { limit: units(limit) }),
          key: 'free',
          existingCustomers,
        });
      const said = [await scene.tell('use 5')];
      await save('7', 'stay');
      said.push(await scene.tell('use 1'));
      await save('8', 'move');
      said.push(await scene.tell('use 4'), await scene.tell('use 3'), await scene.tell('usage'));
      expect(said).toEqual(['5 included', 'LIMIT_REACHED', 'LIMIT_REACHED', '3 included', '8 used, 0 left']);
      await expectConsistent(database, scene.customerId);
    });

    it('has its own limits before those of the plan', async () => {
      const scene = await openScene(database, { ...PLANS, plan: 'free' });
      await scene.limits({ limit: units('7') });
      const said = [await scene.tell('use 7'), await scene.tell('use 1')];
      await scene.limits({ limit: null });
      said.push(await scene.tell('use 90'), await scene.tell('usage'));
      expect(said).toEqual(['7 included', 'LIMIT_REACHED', '90 included', '97 used']);
      await expectConsistent(database, scene.customerId);
    });
  });
});
