/**
 * Goal: who pays by a subscription is counted in the very periods that it is billed for, wherever the customer lives.
 * Method: the calendar of the Stripe of the tests, for any anchor, interval and instant; and one month of a customer in
 * New York who subscribes late on the 30th there, which is the 31st at Stripe.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { billingPeriod } from '../../server/domain/billing-period.ts';
import { anchorZoneOf } from '../../server/domain/customer.ts';
import { periodAt } from '../../server/domain/period.ts';
import { BILLING_INTERVALS } from '../../server/domain/plan.ts';
import { SUBSCRIPTION_TIME_ZONE } from '../../server/domain/subscription.ts';
import { describeEngines } from '../support/engines.ts';
import { periodAt as periodAtStripe } from '../support/stripe/calendar.ts';
import { buy, openBilling, toPro } from './rig.ts';

const RESETS = { day: 'daily', week: 'weekly', month: 'monthly', year: 'yearly' } as const;

const seconds = (iso: string) => Date.parse(iso) / 1_000;
const anyInstant = fc.integer({ min: seconds('2020-01-01'), max: seconds('2030-01-01') });
/** Days that not every month has, and nights in which clocks change. */
const hardInstant = fc.constantFrom(
  ...['2026-01-31T03:00Z', '2024-02-29T00:30Z', '2026-03-08T07:30Z', '2026-03-29T01:30Z', '2026-10-25T00:30Z'],
  ...['2026-11-01T05:30Z', '2025-12-31T23:59:59Z', '2026-10-03T15:45Z'],
);
const instant = fc.oneof(anyInstant, hardInstant.map(seconds));
const zone = fc.constantFrom('UTC', 'America/New_York', 'Europe/Berlin', 'Asia/Kolkata', 'Australia/Lord_Howe');

it('law: what follows a subscription begins and ends when its periods do', () => {
  fc.assert(
    fc.property(fc.constantFrom(...BILLING_INTERVALS), instant, instant, zone, (interval, anchor, at, timeZone) => {
      const { start, end } = periodAtStripe(anchor, { interval, interval_count: 1 }, at);
      const stripes = { startMs: start * 1_000, endMs: end * 1_000 };
      const customer = { anchorAtMs: anchor * 1_000, timeZone, anchorTimeZone: SUBSCRIPTION_TIME_ZONE };
      const { anchorAtMs: anchorMs, anchorTimeZone } = customer;
      expect(billingPeriod(interval, anchorMs, anchorZoneOf(customer), at * 1_000)).toEqual(stripes);
      const rule = { reset: RESETS[interval], anchor: 'subscription', sinceMs: 0 } as const;
      expect(periodAt({ ...rule, anchorMs, timeZone, anchorTimeZone }, at * 1_000)).toEqual(stripes);
    }),
    { numRuns: 1_000 },
  );
});

describeEngines('a customer in New York', (engine) => {
  it('is counted and billed from the same instant to the same, and again by its own clocks when it says so', async () => {
    const rig = await openBilling({ database: await engine.open() });
    rig.clock.set('2026-08-31T03:00:00Z');
    await rig.write('registerCustomer', { referenceId: 'acme', timeZone: 'America/New_York' });
    await buy(rig, toPro);
    await rig.deliver();
    await rig.passes(1);
    const [subscription] = (await rig.sdk.subscriptions.list({ customer: await rig.stripeCustomer() })).data;
    const [item] = subscription?.items.data ?? [];
    const period = {
      start: new Date((item?.current_period_start ?? 0) * 1_000).toISOString(),
      end: new Date((item?.current_period_end ?? 0) * 1_000).toISOString(),
    };
    expect(period).toEqual({ start: '2026-08-31T03:00:00.000Z', end: '2026-09-30T03:00:00.000Z' });
    const periods = () =>
      rig.data(
        '{ usage(referenceId: "acme", featureKey: "api_calls") { period { start end } } invoicePreview(referenceId: "acme") { period { start end } } }',
      );
    expect(await periods()).toEqual({ usage: { period }, invoicePreview: { period } });

    await rig.write('registerCustomer', { referenceId: 'acme', anchorAt: '2026-08-31T03:00:00Z' }); // as it is
    expect(await periods()).toEqual({ usage: { period }, invoicePreview: { period } });
    rig.clock.advance(1_000);
    await rig.write('registerCustomer', { referenceId: 'acme', anchorAt: '2026-08-31T03:00:01Z' });
    expect(await periods()).toMatchObject({
      invoicePreview: { period: { start: '2026-08-31T03:00:01.000Z', end: '2026-10-01T03:00:01.000Z' } },
    });
  });
});
