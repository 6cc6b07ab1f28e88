/**
 * Goal: each alert that is told becomes exactly one event, whoever collects, and however they are stopped. Method: alerts
 * by real calls while several collectors run at once and transactions fail in the middle; then the alerts are counted.
 */

import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Database, Db } from '../../server/db/client.ts';
import { unitsOf } from '../../server/domain/units.ts';
import { AlertCollector } from '../../server/notices/alert-collector.ts';
import { Notices } from '../../server/notices/notices.ts';
import { openRig, query, type Rig, register, saveFeature } from '../store/rig.ts';
import { describeEngines } from '../support/engines.ts';
import { openReceiver } from './receiver.ts';

describeEngines('collecting', (engine) => {
  let database: Database;

  beforeAll(async () => {
    database = await engine.open();
  });

  /** A tenant whose every call raises an alert, and who listens. */
  async function listening(url = 'https://example.com/'): Promise<Rig> {
    const rig = await openRig(database);
    await saveFeature(rig, 'calls', { thresholds: [{ kind: 'every', value: unitsOf('1') }] });
    await register(rig, 'acme', 'globex');
    await query(database, 'INSERT INTO alert_cursors (tenant_id) VALUES ($1)', rig.tenantId);
    await query(
      database,
      `INSERT INTO webhook_endpoints (id, tenant_id, kind, url, event_types, secrets, created_at)
      VALUES ($2, $1, 'webhook', $3, '{usage.threshold_reached}', '[{"secret":"whsec_c2VjcmV0","endsAt":null}]', '2026-01-01')`,
      rig.tenantId,
      randomUUID(),
      url,
    );
    return rig;
  }

  const sequences = async (of: string, { tenantId }: Rig): Promise<readonly number[]> =>
    (await query(database, of, tenantId)).map(({ sequence }) => Number(sequence));
  const alertsOf = (rig: Rig) =>
    sequences('SELECT sequence FROM alerts WHERE tenant_id = $1 AND muted_at IS NULL ORDER BY sequence', rig);
  const eventsOf = (rig: Rig) =>
    sequences(
      `SELECT (data->>'sequence')::bigint AS sequence FROM outgoing_events WHERE tenant_id = $1 ORDER BY 1`,
      rig,
    );
  const deliveriesOf = (rig: Rig) =>
    sequences(
      `SELECT (n.data->>'sequence')::bigint AS sequence FROM webhook_deliveries d JOIN outgoing_events n ON n.id = d.event_id
      WHERE d.tenant_id = $1 ORDER BY 1`,
      rig,
    );

  /** A collector whose transactions fail at the end, as often as told: it is killed before its commit. */
  const dying = (rig: Rig, deaths: number): AlertCollector => {
    let left = deaths;
    const db = new Proxy(database.db, {
      get: (target, name) =>
        name === 'transaction'
          ? (work: (tx: Db) => Promise<unknown>) =>
              target.transaction(async (tx) => {
                const result = await work(tx);
                if (left-- > 0) throw new Error('killed');
                return result;
              })
          : Reflect.get(target, name),
    });
    return new AlertCollector({ database: { db, query: database.query }, clock: rig.clock });
  };

  it('each alert is one event with one delivery, in whatever way collectors meet, fail and come late', async () => {
    const act = fc.oneof(
      fc.record({
        kind: fc.constant('use' as const),
        who: fc.constantFrom('acme', 'globex'),
        amount: fc.integer({ min: 1, max: 3 }),
      }),
      fc.record({ kind: fc.constant('collect' as const), collectors: fc.integer({ min: 1, max: 3 }) }),
      fc.record({ kind: fc.constant('die' as const), deaths: fc.integer({ min: 1, max: 2 }) }),
      fc.record({ kind: fc.constant('mute' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 12 }), async (acts) => {
        const rig = await listening();
        const collector = new AlertCollector({ database, clock: rig.clock });
        for (const step of acts) {
          if (step.kind === 'use')
            await rig.engine.consume(rig.call(step.who, { amount: unitsOf(String(step.amount)) }));
          if (step.kind === 'mute') {
            await query(
              database,
              `UPDATE alerts SET muted_at = now() WHERE tenant_id = $1 AND sequence > (SELECT sequence FROM alert_cursors WHERE tenant_id = $1)`,
              rig.tenantId,
            );
          }
          if (step.kind === 'die')
            await dying(rig, step.deaths)
              .collect()
              .catch(() => {});
          if (step.kind === 'collect') {
            const all = Array.from(
              { length: step.collectors },
              () => new AlertCollector({ database, clock: rig.clock }),
            );
            await Promise.all(all.map((one) => one.collect()));
          }
        }
        await collector.collect();
        const alerts = await alertsOf(rig);
        expect(await eventsOf(rig)).toEqual(alerts);
        expect(await deliveriesOf(rig)).toEqual(alerts);
      }),
      { numRuns: 25 },
    );
  });

  it('while calls go on, two collectors at once', async () => {
    const rig = await listening();
    const collectors = [1, 2].map(() => new AlertCollector({ database, clock: rig.clock }));
    const calls = Array.from({ length: 200 }, (_, i) => rig.engine.consume(rig.call(i % 2 === 0 ? 'acme' : 'globex')));
    let isDone = false;
    const collecting = collectors.map(async (collector) => {
      while (!isDone) {
        await collector.collect();
        await new Promise(setImmediate);
      }
    });
    await Promise.all(calls);
    isDone = true;
    await Promise.all(collecting);
    await Promise.all(collectors.map((collector) => collector.collect()));
    const alerts = await alertsOf(rig);
    expect(alerts).toHaveLength(200);
    expect(await eventsOf(rig)).toEqual(alerts);
    expect(await deliveriesOf(rig)).toEqual(alerts);
  });

  it('more than one transaction takes', async () => {
    const rig = await listening();
    for (let i = 0; i < 12; i += 1) await rig.engine.consume(rig.call('acme', { amount: unitsOf('100') }));
    await new AlertCollector({ database, clock: rig.clock }).collect();
    expect(await eventsOf(rig)).toHaveLength(1_200);
    expect(await eventsOf(rig)).toEqual(await alertsOf(rig));
  });

  describe('several gateways', () => {
    beforeEach(async () => {
      database = await engine.open({ until: 'test' }); // they send whatever is due in it
    });

    const noticesOf = (rig: Rig) =>
      new Notices({
        database,
        clock: rig.clock,
        post: { allowPrivate: true },
        onOutcome: () => {},
        onDisabled: () => {},
        onError: (error) => {
          throw error;
        },
      });

    it('send each once, while none of them dies', async () => {
      const receiver = await openReceiver();
      const rig = await listening(receiver.url);
      await rig.engine.consume(rig.call('acme', { amount: unitsOf('60') }));
      const gateways = [1, 2, 3].map(() => noticesOf(rig));
      await Promise.all(gateways.map((one) => one.run()));
      await Promise.all(gateways.map((one) => one.idle()));
      const ids = receiver.heard.map(({ headers }) => headers['webhook-id']);
      expect(ids).toHaveLength(60);
      expect(new Set(ids).size).toBe(60);
    });

    it('send what one that died had taken, when its lease ends', async () => {
      const receiver = await openReceiver();
      const rig = await listening(receiver.url);
      await rig.engine.consume(rig.call('acme'));
      await new AlertCollector({ database, clock: rig.clock }).collect();
      await query(
        database,
        `UPDATE webhook_deliveries SET lease = gen_random_uuid(), attempts = 1, next_attempt_at = next_attempt_at + interval '60 s'
        WHERE tenant_id = $1`,
        rig.tenantId,
      );
      const other = noticesOf(rig);
      const runs = async () => {
        await other.run();
        await other.idle();
        return receiver.heard.length;
      };
      expect(await runs()).toBe(0);
      rig.clock.advance(60_000);
      expect(await runs()).toBe(1);
    });
  });
});
