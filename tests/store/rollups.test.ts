/**
 * Goal: rollups are the sum of the events, written with them. Method: an engine on a real database, and everything that
 * may happen to a call: batches of many and of one, late use, use given back, denials, replays; then one statement that
 * compares what is stored in both places.
 */
import { beforeAll, expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { ONE } from '../../server/domain/units.ts';
import type { ConsumeRequest } from '../../server/metering/requests.ts';
import { describeEngines } from '../support/engines.ts';
import { openRig, query, type Rig, register, saveFeature } from './rig.ts';

/** What differs between the two, whichever way; dimensions are compared by the one property of this test. */
const DIFFERENCES = `
  WITH of_events AS (
    SELECT customer_id, feature_key, date_trunc('minute', occurred_at) AS minute, properties ->> 'model' AS model, coalesce(currency, '') AS currency,
      count(*) AS events, sum(amount) AS amount, sum(credits) AS credits, sum(wallet) AS wallet, sum(overage) AS overage, sum(cost) AS cost, max(reported) AS largest
    FROM events WHERE kind NOT IN ('carry', 'reset') GROUP BY 1, 2, 3, 4, 5
  ), of_rollups AS (
    SELECT customer_id, feature_key, minute, dimensions::jsonb ->> 'model' AS model, currency, events, amount, credits, wallet, overage, cost, largest
    FROM rollups
  )
  (TABLE of_events EXCEPT TABLE of_rollups) UNION ALL (TABLE of_rollups EXCEPT TABLE of_events)`;

describeEngines('rollups', (engine) => {
  let database: Database;
  let rig: Rig;

  beforeAll(async () => {
    database = await engine.open();
    rig = await openRig(database);
    const price = {
      model: 'per_unit',
      unitAmount: 3n * ONE,
      currency: 'usd',
      minimumSpend: null,
      maximumSpend: null,
    } as const;
    await saveFeature(rig, 'calls', {
      limit: 100n * ONE,
      included: 30n * ONE,
      minLimit: 0n,
      enforcement: 'hard',
      price,
    });
    await query(database, `UPDATE features SET dimensions = '{model}' WHERE tenant_id = $1`, rig.tenantId);
    await saveFeature(rig, 'exports', {}, { aggregation: 'count' });
    await register(rig, 'acme', 'other');
  });

  const DAY_MS = 24 * 3_600_000;

  const call = (i: number): ConsumeRequest => {
    const isLate = i % 7 === 3;
    return rig.call(i % 4 === 0 ? 'other' : 'acme', {
      featureKey: i % 9 === 5 ? 'exports' : 'calls',
      amount: i % 9 === 5 || i % 11 !== 10 ? ONE * BigInt(i % 9 === 5 ? 1 : (i % 5) + 1) : -ONE,
      properties: i % 9 !== 5 && i % 3 > 0 ? JSON.stringify({ model: i % 3 === 1 ? 'large' : 'small' }) : null,
      idempotencyKey: i % 6 === 0 ? `key ${i % 30}` : null,
      ...(isLate && { purpose: 'record', occurredAtMs: rig.clock.now() - (i % 5) * DAY_MS }),
    });
  };

  it('are the sum of the events', async () => {
    let denied = 0;
    for (let round = 0; round < 12; round++) {
      const calls = Array.from({ length: round % 3 === 0 ? 1 : 12 }, (_, i) => call(round * 12 + i));
      const answers = await Promise.allSettled(calls.map((request) => rig.engine.consume(request)));
      for (const answer of answers) if (answer.status === 'fulfilled' && answer.value.denial) denied += 1;
      rig.clock.advance(20_000);
    }
    const [counts] = await query(
      database,
      `SELECT (SELECT count(*) FROM events)::integer AS events, (SELECT count(*) FROM rollups)::integer AS rollups,
        (SELECT count(*) FROM rollups WHERE cost > 0)::integer AS priced, (SELECT count(*) FROM rollups WHERE events > 1)::integer AS gathered`,
    );
    const few = Object.entries({ ...counts, denied }).filter(([, count]) => Number(count) < 10);
    expect(few).toEqual([]); // all of it has happened
    expect(await query(database, DIFFERENCES)).toEqual([]);
  });

  it('of batches of nothing but plain use, too, minute by minute', async () => {
    await saveFeature(rig, 'plain', { limit: 5n * ONE, enforcement: 'soft' });
    const perMinute = `SELECT c.reference_id, r.events::integer, r.amount::integer, r.overage::integer, r.largest::integer
      FROM rollups r JOIN customers c ON c.id = r.customer_id WHERE r.feature_key = 'plain' ORDER BY r.minute, c.reference_id`;
    for (const amounts of [[1, 2, 3], [4], [2, 1]]) {
      const use = (of: string, n: number) =>
        rig.engine.consume(rig.call(of, { featureKey: 'plain', amount: ONE * BigInt(n) }));
      await Promise.all(amounts.flatMap((n) => [use('acme', n), use('other', n)]));
      rig.clock.advance(30_000);
    }
    const first = { events: 4, amount: 10, overage: 5, largest: 4 };
    const second = { events: 2, amount: 3, overage: 3, largest: 2 };
    expect(await query(database, perMinute)).toEqual(
      [first, second].flatMap((row) => ['acme', 'other'].map((of) => ({ reference_id: of, ...row }))),
    );
    expect(await query(database, DIFFERENCES)).toEqual([]);
  });
});
