/**
 * Goal: the invoices of a customer sum up to what its counters say, whatever it did, and however late.
 * Method: lives that fast-check makes up, invoiced at odd times; in the end each period's lines are compared with its
 * counter, and the periods of the invoices with the calendar.
 */
import fc from 'fast-check';
import { beforeAll, expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { roundToWhole, unitsOf } from '../../server/domain/units.ts';
import { describeEngines } from '../support/engines.ts';
import { makeInvoices, openInvoiced } from './invoicing.ts';
import { query } from './rig.ts';
import { perUnit, type Scene, type Setting, units } from './scene.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const SETTING: Setting = {
  features: { calls: {}, storage: { aggregation: 'latest' }, jobs: { reset: 'daily' }, ever: { reset: 'never' } },
  plans: {
    pro: {
      prices: [{ amount: units('2000'), currency: 'usd', interval: 'month' }],
      features: new Map([
        ['calls', { included: units('3'), price: perUnit('0.7') }],
        ['storage', { minLimit: 0n, price: perUnit('1.3') }],
        ['jobs', { price: perUnit('0.35') }],
        ['ever', { price: perUnit('2') }],
      ]),
    },
    max: {
      prices: [{ amount: units('9000'), currency: 'usd', interval: 'month' }],
      features: new Map([
        ['calls', { price: { ...perUnit('0.2'), currency: 'usd' } }],
        ['storage', { minLimit: 0n, price: perUnit('1') }],
        ['jobs', { price: perUnit('0.5') }],
        ['ever', { price: perUnit('2') }],
      ]),
    },
  },
  plan: 'pro',
  since: '2026-01-31T10:00:00Z',
};

type Deed =
  | readonly [what: 'tell', command: string]
  | readonly [what: 'late', daysAgo: number, of: string]
  | readonly [what: 'pass', hours: number]
  | readonly [what: 'bill'];

const feature = fc.constantFrom('calls', 'jobs', 'ever', 'storage');
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.tuple(fc.integer({ min: 1, max: 9 }), feature).map(([amount, of]): Deed => ['tell', `use ${amount} of=${of}`]),
  fc.constantFrom<Deed>(
    ['tell', 'use 5 as=it'],
    ['tell', 'reverse it'],
    ['tell', 'top-up 7'],
    ['tell', 'reserve A 4 for=80000'],
    ['tell', 'commit A 1'],
    ['tell', 'release A'],
    ['tell', 'plan max'],
    ['tell', 'plan pro'],
    ['tell', 'plan pro immediately'],
    ['tell', 'reset of=calls'],
    ['bill'],
  ),
  fc.tuple(fc.integer({ min: 0, max: 34 }), feature).map(([days, of]): Deed => ['late', days, of]),
  fc.integer({ min: 1, max: 24 * 40 }).map((hours): Deed => ['pass', hours]),
);

async function live(scene: Scene, deeds: readonly Deed[]): Promise<void> {
  const { clock } = scene.rig;
  for (const [what, ...said] of deeds) {
    if (what === 'bill') await makeInvoices(scene);
    else if (what === 'pass') clock.advance(Number(said[0]) * HOUR_MS);
    else if (what === 'tell') await scene.tell(String(said[0]));
    else
      await scene.tell(`record 2 of=${said[1]} at=${new Date(clock.now() - Number(said[0]) * DAY_MS).toISOString()}`);
  }
}

/** Each counter that has been invoiced, with what invoices have said of it. */
const COMPARED = `
  SELECT c.feature_key, c.period_start, c.cost::text AS cost, c.wallet_charge::text AS charge, coalesce(l.overage, 0)::text AS overage, coalesce(l.wallet, 0)::text AS wallet
  FROM counters c JOIN invoice_positions p ON p.customer_id = c.customer_id
  LEFT JOIN LATERAL (
    SELECT sum(amount) FILTER (WHERE kind = 'overage') AS overage, sum(amount) FILTER (WHERE kind = 'wallet') AS wallet FROM invoice_lines l
    WHERE l.customer_id = c.customer_id AND l.feature_key = c.feature_key AND l.period_start = c.period_start
  ) l ON true
  WHERE c.customer_id = $1 AND c.entity_id = '' AND (c.period_end IS NULL OR c.period_end <= p.invoiced_until)`;

/** Lines of periods that no counter knows. */
const STRAY = `
  SELECT l.* FROM invoice_lines l WHERE l.customer_id = $1 AND l.feature_key IS NOT NULL AND NOT EXISTS (
    SELECT FROM counters c WHERE c.customer_id = l.customer_id AND c.feature_key = l.feature_key AND c.period_start = l.period_start AND c.entity_id = '')`;

const BASE = `
  SELECT sum(amount)::text AS amount, count(DISTINCT number) AS invoices, min(period_start) AS since, max(period_end) AS until
  FROM invoice_lines WHERE customer_id = $1 AND kind = 'base'`;

describeEngines('the sum of all invoices', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  it('is what the counters say', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { minLength: 5, maxLength: 30 }), async (deeds) => {
        const scene = await openInvoiced(database, SETTING);
        await makeInvoices(scene);
        scene.names.set('it', '999999'); // until there is one
        await live(scene, deeds);
        await live(scene, [['bill'], ['pass', 24 * 32], ['bill'], ['pass', 24 * 32], ['bill']]);
        const counters = await query(database, COMPARED, scene.customerId);
        const billed = counters.map(({ feature_key, period_start, overage, wallet }) => [
          feature_key,
          period_start,
          unitsOf(String(overage)),
          unitsOf(String(wallet)),
        ]);
        const counted = counters.map(({ feature_key, period_start, cost, charge }) => {
          const paid = unitsOf(String(charge));
          return [feature_key, period_start, roundToWhole(unitsOf(String(cost)) - paid), roundToWhole(paid)];
        });
        expect(billed).toEqual(counted);
        expect(await query(database, STRAY, scene.customerId)).toEqual([]);
        const numbers = await query(
          database,
          'SELECT number, period_start, period_end FROM invoices WHERE customer_id = $1 ORDER BY number',
          scene.customerId,
        );
        expect(numbers.map(({ number }) => Number(number))).toEqual(numbers.map((_, i) => i + 1));
        const starts = numbers.map(({ period_start }) => String(period_start));
        const ends = numbers.map(({ period_end }) => String(period_end));
        expect(starts.slice(1)).toEqual(ends.slice(0, -1)); // each has a base price, so none is left out
        const [base] = await query(database, BASE, scene.customerId);
        expect([String(base?.since), String(base?.until)]).toEqual([starts[0], ends.at(-1)]);
      }),
      { numRuns: 12 },
    );
  }, 120_000);
});
