/**
 * Goal: what is due of a customer is settled before it is changed, however much that is, and nobody waits for what can't be.
 * Method: changes and calls on both engines, by a clock moved over weeks.
 */
import { beforeAll, expect, it } from 'vitest';
import { SETTLING_ROUNDS_MAX } from '../../server/actions/change-customer.ts';
import { setCustomerLimits } from '../../server/actions/set-customer-limits.ts';
import type { Database } from '../../server/db/client.ts';
import { Closer } from '../../server/metering/closer.ts';
import { CARRIED_PERIODS_MAX } from '../../server/metering/draft.ts';
import { describeEngines } from '../support/engines.ts';
import { counting } from './counting.ts';
import { expectConsistent } from './promises.ts';
import { digestOf } from './recorded.ts';
import { query } from './rig.ts';
import { openScene, perUnit, type Scene, type Setting, units } from './scene.ts';
import { spell } from './scene-answers.ts';

const DAILY: Setting = { features: { calls: { reset: 'daily', limit: units('5'), thresholds: [] } } };

const MINUTE_MS = 60_000;
const START_MS = Date.parse('2026-03-15T12:00:00Z');

/** A level that nobody touches any more, and what it costs a minute. */
const IDLE: Setting = {
  features: {
    disk: { aggregation: 'weighted_sum', reset: 'every 1 minute', price: perUnit('2'), thresholds: [] },
    level: { aggregation: 'latest', reset: 'every 1 minute', thresholds: [] },
  },
};

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

  /** Two levels are set, and nobody comes for so many minutes. */
  async function idle(minutes: number, on = database): Promise<Scene> {
    const scene = await openScene(on, IDLE);
    await scene.tell('use 3 of=disk');
    await scene.tell('use 5 of=level');
    scene.rig.clock.set(new Date(START_MS + minutes * MINUTE_MS).toISOString());
    return scene;
  }

  /** Every minute since has its counter and its event, and all but the running one are closed. */
  async function expectEveryMinute({ customerId, rig }: Scene, minutes: number): Promise<void> {
    const rows = await query(
      rig.database,
      `SELECT feature_key, count(*)::integer AS periods, count(closed_at)::integer AS closed, sum(used)::text AS used,
        count(DISTINCT period_start)::integer AS starts FROM counters WHERE customer_id = $1 GROUP BY feature_key ORDER BY feature_key`,
      customerId,
    );
    const all = { periods: minutes + 1, closed: minutes, starts: minutes + 1 };
    expect(rows).toEqual([
      { feature_key: 'disk', ...all, used: `${3 * (minutes + 1)}.000000000` },
      { feature_key: 'level', ...all, used: `${5 * (minutes + 1)}.000000000` },
    ]);
    await expectConsistent(rig.database, customerId, rig.tenantId);
  }

  it('of levels idle for three days is settled by many transactions, and the call in front sees the current period', async () => {
    const minutes = 3 * 24 * 60;
    const counted = counting(await engine.open()); // of its own: so many rows are nobody else's to go through
    const scene = await idle(minutes, counted.database);
    counted.clear();
    const calls = [
      ['1', 'disk'],
      ['7', 'level'],
      ['1', 'disk'],
    ].map(([amount = '', of = '']) => scene.requestOf('use', [amount], { of }));
    const answers = await Promise.all(calls.map((call) => scene.rig.engine.execute(call)));
    expect(answers.map(spell)).toEqual(['1 overage (2)', '2 included', '1 overage (2)']);
    const events = counted.statements.flatMap(({ text, params }) => (text.includes('INTO events') ? [params] : []));
    const sizes = events.map((params) => Math.max(0, ...params.flatMap((p) => (Array.isArray(p) ? [p.length] : []))));
    expect(Math.max(...sizes)).toBeLessThanOrEqual(CARRIED_PERIODS_MAX + answers.length + 1);
    expect(await scene.tell('usage of=disk')).toBe('5 used, 5 overage');
    expect(await scene.tell('usage of=level')).toBe('7 used');
  }, 120_000);

  it.each([
    ['one call', 'use'],
    ['what asks alone', 'check'],
    ['the closer', 'closer'],
    ['a change of its limits', 'limits'],
  ])(
    'of levels idle for ten hours is settled to the last minute by %s',
    async (_, by) => {
      const minutes = 10 * 60; // of two levels, so more periods than a transaction carries
      const scene = await idle(minutes, await engine.open()); // its rows are nobody else's to go through
      expect(await scene.tell('usage of=disk')).toBe('3 used, 3 overage');
      switch (by) {
        case 'use':
          expect(await scene.tell('use 5 of=level')).toBe('nothing');
          break;
        case 'check': {
          const request = scene.requestOf('use', ['6'], { of: 'level' });
          expect(await scene.rig.engine.check(request)).toMatchObject({
            amount: units('1'),
            usage: { used: units('6') },
          });
          break;
        }
        case 'closer':
          expect(await closerOf(scene).run()).toBe(1);
          break;
        case 'limits':
          await scene.limits({ limit: null }, 'level');
      }
      await expectEveryMinute(scene, minutes);
      expect(await scene.tell('cost of=disk')).toBe('6');
    },
    60_000,
  );
});

const closerOf = ({ rig: { database, clock, engine } }: Scene): Closer =>
  new Closer({
    query: database.query,
    clock,
    engine,
    onError: (error) => {
      throw error;
    },
  });
