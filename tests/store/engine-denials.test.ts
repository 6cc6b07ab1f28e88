/**
 * Goal: a refused call changes nothing, whichever reason it is refused for; only its answer is remembered under its key.
 * Method: a digest of every table before and after, for each reason and each verb that can be refused, on both engines.
 */
import { beforeAll, expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import type { LimitFields } from '../../server/domain/feature.ts';
import { describeEngines } from '../support/engines.ts';
import { expectConsistent } from './promises.ts';
import { digestOf } from './recorded.ts';
import { openScene, perUnit, type Setting, units } from './scene.ts';

const calls = (fields: LimitFields): Setting => ({ features: { calls: { thresholds: [], ...fields } } });

const UNDER_A_PLAN: Setting = {
  features: { calls: {}, jobs: {} },
  plans: {
    pro: {
      rateLimits: [{ limit: 1, windowMs: 60_000 }],
      spendLimit: { amount: units('10'), currency: 'usd' },
      features: new Map([['calls', { price: perUnit('10') }]]),
    },
  },
  plan: 'pro',
};

type Refused = readonly [reason: string, command: string, setting: Setting, before: readonly string[]];

const REFUSED: readonly Refused[] = [
  ['RATE_LIMITED', 'use 1', UNDER_A_PLAN, ['use 1']],
  ['RATE_LIMITED', 'reserve R 1', UNDER_A_PLAN, ['use 1']],
  ['FEATURE_NOT_IN_PLAN', 'use 1 of=jobs', UNDER_A_PLAN, []],
  ['LIMIT_REACHED', 'use 3', calls({ limit: units('5') }), ['use 3']],
  ['LIMIT_REACHED', 'use 1 by=ann', calls({ entityLimit: units('2'), enforcement: 'hard' }), ['use 2 by=ann']],
  ['LIMIT_REACHED', 'reserve R 3', calls({ limit: units('5') }), ['use 3']],
  ['LIMIT_REACHED', 'commit R 9', calls({ limit: units('5') }), ['use 3', 'reserve R 2']],
  ['SPEND_LIMIT_REACHED', 'use 2', UNDER_A_PLAN, []],
  ['SPEND_LIMIT_REACHED', 'use 3', calls({ price: perUnit('10'), spendLimit: units('20') }), ['grant A 1', 'use 2']],
  [
    'INSUFFICIENT_FUNDS',
    'use 3',
    calls({ price: perUnit('10'), billing: 'prepaid' }),
    ['top-up 20', 'grant A 1', 'use 2'],
  ],
  ['INSUFFICIENT_FUNDS', 'reserve R 3', calls({ included: 0n }), ['grant A 2']],
  ['BELOW_MINIMUM', 'use -3', calls({ minLimit: 0n }), ['grant A 2', 'use 2']],
  ['BELOW_MINIMUM', 'commit R -3', calls({ minLimit: 0n }), ['use 2', 'reserve R 1']],
];

/** Errors of the caller change nothing either. */
const ERRORS: readonly Refused[] = [
  ['INVALID_AMOUNT', 'use 0', calls({}), ['use 1']],
  ['INVALID_AMOUNT', 'use -1', calls({}), ['use 1']],
  ['INVALID_INPUT', 'use PT1M', calls({}), ['use 1']],
  ['INVALID_INPUT', 'grant A -1', calls({}), ['use 1']],
  ['RESERVATION_CLOSED', 'commit R 1', calls({}), ['reserve R 2', 'release R']],
  ['RESERVATION_NOT_FOUND', 'commit Q 1', calls({}), ['use 1']],
  ['GRANT_NOT_FOUND', 'void A', calls({}), ['use 1']],
  ['EVENT_NOT_FOUND', 'reverse 99', calls({}), ['use 1']],
  ['EVENT_ALREADY_REVERSED', 'reverse first', calls({}), ['use 1 as=first', 'reverse first']],
  ['INSUFFICIENT_BALANCE', 'top-up -21', calls({}), ['top-up 20']],
  ['WALLET_NOT_FOUND', 'top-up-was paid', calls({}), ['use 1']],
  ['IDEMPOTENCY_CONFLICT', 'use 2 key=k', calls({}), ['use 1 key=k']],
];

describeEngines('a refusal', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  it.each([...REFUSED, ...ERRORS])('for %s: %s', async (reason, command, setting, before) => {
    const scene = await openScene(database, setting);
    for (const step of before) expect(await scene.tell(step)).not.toMatch(/^[A-Z]{2,}_/);
    const digest = await digestOf(database);
    expect(await scene.tell(command)).toBe(reason);
    expect(await digestOf(database)).toEqual(digest);
    await expectConsistent(database, scene.customerId);
  });

  it.each(REFUSED.filter(([, command]) => !command.startsWith('reserve')))(
    'for %s: %s leaves its answer under its key, and that alone',
    async (reason, command, setting, before) => {
      const scene = await openScene(database, setting);
      for (const step of before) await scene.tell(step);
      const { answers: none, ...digest } = await digestOf(database);
      expect(await scene.tell(`${command} key=refused`)).toBe(reason);
      const { answers: one, ...after } = await digestOf(database);
      expect(after).toEqual(digest);
      expect(one).not.toBe(none);
      expect(await scene.tell(`${command} key=refused`)).toBe(reason);
      expect((await digestOf(database)).answers).toBe(one);
    },
  );

  it.each(['NOT_AUTHORIZED', 'REFUSED_BY_HOOK'] as const)('for %s, by the app', async (reason) => {
    const scene = await openScene(database, calls({ price: perUnit('10') }));
    await scene.tell('top-up 20');
    const digest = await digestOf(database);
    const request = { ...scene.rig.call('acme'), refusal: { reason, message: 'Not today.' } };
    expect(await scene.rig.engine.consume(request)).toMatchObject({
      allowed: false,
      denial: { reason, message: 'Not today.' },
    });
    expect(await digestOf(database)).toEqual(digest);
  });
});
