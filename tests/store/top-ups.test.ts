/**
 * Goal: a top-up is one row, asked for once and settled once, however close together its asking and its answer come.
 * Method: calls of one batch, on both engines; the rows read back.
 */
import { describe, expect, it } from 'vitest';
import { unitsOf } from '../../server/domain/units.ts';
import { Closer } from '../../server/metering/closer.ts';
import { describeEngines } from '../support/engines.ts';
import { expectConsistent } from './promises.ts';
import { query } from './rig.ts';
import { openScene, perUnit, type Setting } from './scene.ts';

const AUTO_TOP_UP = { threshold: unitsOf('50'), amount: unitsOf('100'), maxPerMonth: 9, coolOffMs: 0 };
const SETTING: Setting = {
  features: { calls: { price: perUnit('10'), billing: 'prepaid', thresholds: [] } },
  plans: {
    pro: { wallet: { currency: 'usd', floor: 0n, autoTopUp: AUTO_TOP_UP }, features: new Map([['calls', {}]]) },
  },
  plan: 'pro',
};

describeEngines('top-ups', (engine) => {
  describe('of one batch', () => {
    it('asked for, answered and asked for again are a row each time they are asked for', async () => {
      const scene = await openScene(await engine.open(), SETTING);
      const { rig, customerId } = scene;
      await scene.tell('top-up 55');
      rig.committed.length = 0;
      const settled = {
        tenantId: rig.tenantId,
        customerId,
        referenceId: 'acme',
        currency: 'usd',
        idempotencyKey: null,
      };
      await Promise.all([
        rig.engine.consume(rig.call('acme')),
        rig.engine.execute({ ...settled, kind: 'settle-top-up', outcome: 'paid' }),
        rig.engine.consume(rig.call('acme', { amount: unitsOf('12') })),
        rig.engine.execute({ ...settled, kind: 'settle-top-up', outcome: 'failed' }),
        rig.engine.consume(rig.call('acme')),
      ]);
      expect(rig.committed).toHaveLength(1);
      const rows = await query(
        rig.database,
        `SELECT sequence::text, currency, trim_scale(amount)::text AS amount, state, asked_at = settled_at AS at_once
          FROM top_up_requests WHERE customer_id = '${customerId}' ORDER BY sequence`,
      );
      const row = { currency: 'usd', amount: '100' };
      expect(rows).toEqual([
        { ...row, sequence: '2', state: 'paid', at_once: true },
        { ...row, sequence: '4', state: 'failed', at_once: true },
        { ...row, sequence: '6', state: 'asked', at_once: null },
      ]);
      expect(await scene.tell('wallet')).toBe('15');
    });
  });

  describe('of a wallet that is empty', () => {
    const waiting = { threshold: unitsOf('50'), amount: unitsOf('20'), maxPerMonth: 2, coolOffMs: 86_400_000 };
    const setting: Setting = {
      ...SETTING,
      plans: {
        pro: { wallet: { currency: 'usd', floor: 0n, autoTopUp: waiting }, features: new Map([['calls', {}]]) },
      },
    };

    it('are asked for again by themselves: after the cool-off, where one was not enough, and in the next month', async () => {
      const scene = await openScene(await engine.open(), setting);
      const { rig, customerId } = scene;
      const onError = (error: unknown) => {
        throw error;
      };
      const closer = new Closer({ query: rig.database.query, clock: rig.clock, engine: rig.engine, onError });
      const steps: readonly (readonly [step: string, topUps: string])[] = [
        ['top-up 60', 'none'],
        ['use 6', 'asked 20'],
        ['top-up-was failed', 'failed 20'],
        ['use 1', 'failed 20'], // refused: nothing is there
        ['at 2026-03-16T11:59:59Z', 'failed 20'],
        ['at 2026-03-16T12:00:00Z', 'failed 20, asked 20'],
        ['top-up-was paid', 'failed 20, paid 20'], // low still, and twice this month is enough
        ['use 2', 'failed 20, paid 20'],
        ['at 2026-03-31T23:59:59Z', 'failed 20, paid 20'],
        ['at 2026-04-01T00:00:00Z', 'failed 20, paid 20, asked 20'],
        ['top-up-was paid', 'failed 20, paid 20, paid 20, asked 20'], // low still, and once more is allowed
        ['top-up-was paid', 'failed 20, paid 20, paid 20, paid 20'],
        ['top-up 10', 'failed 20, paid 20, paid 20, paid 20'],
        ['at 2026-05-01T00:00:00Z', 'failed 20, paid 20, paid 20, paid 20'], // no longer low
      ];
      for (const [step, topUps] of steps) {
        await scene.tell(step);
        await closer.run();
        expect([step, await scene.tell('top-ups')]).toEqual([step, topUps]);
        await expectConsistent(rig.database, customerId, rig.tenantId);
      }
    });
  });
});
