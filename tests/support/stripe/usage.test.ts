/**
 * Goal: usage is taken, counted and summed up as Stripe does it: after a while, each identifier once a day, and what
 * cannot count is told later. Method: tables of what is refused, and laws over whatever fast-check sends.
 */
import fc from 'fast-check';
import type Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { openStripe, refusal } from './rig.ts';
import { DAY, HOUR, MINUTE } from './wire.ts';

const MS = 1_000;

async function openUsage(formula: 'sum' | 'count' | 'last' = 'sum', event_time_window?: 'hour') {
  const rig = await openStripe();
  const meter = await rig.sdk.billing.meters.create({
    event_name: 'calls',
    display_name: 'Calls',
    default_aggregation: { formula },
    ...(event_time_window ? { event_time_window } : {}),
  });
  const customer = await rig.sdk.customers.create({ name: 'Ada' });
  const now = rig.clock.now() / MS;
  const send = (value: string, more: Partial<Stripe.Billing.MeterEventCreateParams> = {}) =>
    rig.sdk.billing.meterEvents.create({
      event_name: 'calls',
      payload: { stripe_customer_id: customer.id, value },
      ...more,
    });
  const summaries = async (from: number, to: number, window?: 'hour' | 'day') => {
    const params = {
      customer: customer.id,
      start_time: from,
      end_time: to,
      ...(window ? { value_grouping_window: window } : {}),
    };
    const { data } = await rig.sdk.billing.meters.listEventSummaries(meter.id, params);
    return data.map(({ start_time, aggregated_value }) => [start_time, aggregated_value]);
  };
  const total = async () => (await summaries(now - 35 * DAY, now + 2 * DAY))[0]?.[1];
  return { ...rig, meter, customer, now, send, summaries, total };
}

describe('an event', () => {
  const now = Date.parse('2026-03-15T12:00:00Z') / MS;
  it.each([
    ['exactly 35 days back', '1', { timestamp: now - 35 * DAY }, ''],
    ['over 35 days back', '1', { timestamp: now - 35 * DAY - 1 }, 'within the past 35 days'],
    ['5 minutes ahead', '1', { timestamp: now + 5 * MINUTE }, ''],
    ['over 5 minutes ahead', '1', { timestamp: now + 5 * MINUTE + 1 }, 'at most 5 minutes in the future'],
    ['a negative value', '-3', {}, ''],
    ['a part of a unit', '1.5', {}, 'must be a whole number'],
    ['no number', 'many', {}, 'must be a whole number'],
    ['15 digits', '9'.repeat(15), {}, ''],
    ['16 digits', '9'.repeat(16), {}, 'at most 15 digits'],
    ['an identifier of 100', '1', { identifier: 'x'.repeat(100) }, ''],
    ['an identifier of 101', '1', { identifier: 'x'.repeat(101) }, 'at most 100 characters'],
    [
      'a name that no meter has',
      '1',
      { event_name: 'cells' },
      '400 invalid_request_error: No active meter found for event name cells.',
    ],
  ])('with %s', async (_what, value, more, says) => {
    const { send } = await openUsage();
    if (says === '')
      expect(await send(value, more)).toMatchObject({ object: 'billing.meter_event', payload: { value } });
    else expect(await refusal(send(value, more))).toContain(says);
  });

  it('counts after a minute, or when it is settled', async () => {
    const { send, total, stripe, clock } = await openUsage();
    await send('3');
    expect(await total()).toBe(0);
    clock.advance(59 * MS);
    expect(await total()).toBe(0);
    clock.advance(1 * MS);
    expect(await total()).toBe(3);
    await send('4');
    stripe.settle();
    expect(await total()).toBe(7);
  });

  it('of an identifier that was sent is refused for a day, and is another event after it', async () => {
    const { send, stripe, total, clock } = await openUsage();
    await send('3', { identifier: 'a' });
    expect(await refusal(send('3', { identifier: 'a' }))).toBe(
      '400 invalid_request_error: An event already exists with identifier a.',
    );
    clock.advance((DAY - 1) * MS);
    expect(await refusal(send('3', { identifier: 'a' }))).toContain('already exists');
    clock.advance(1 * MS);
    await send('3', { identifier: 'a' });
    stripe.settle();
    expect(await total()).toBe(6);
  });

  it('can be cancelled for a day, before it counts and after', async () => {
    const { sdk, send, stripe, total, clock } = await openUsage();
    const cancel = (identifier: string) =>
      sdk.billing.meterEventAdjustments.create({ event_name: 'calls', type: 'cancel', cancel: { identifier } });
    for (const [identifier, value] of [
      ['a', '1'],
      ['b', '10'],
      ['c', '100'],
    ] as const)
      await send(value, { identifier });
    expect(await cancel('a')).toMatchObject({ status: 'pending', cancel: { identifier: 'a' } });
    stripe.settle();
    await cancel('b');
    expect(await total()).toBe(100);
    expect(await refusal(cancel('z'))).toContain("No such meter event: 'z'");
    clock.advance(DAY * MS);
    expect(await refusal(cancel('c'))).toContain('within the last 24 hours');
  });
});

it.each([
  // formula  window   events: [minutes ago, value]               is
  [
    'sum',
    undefined,
    [
      [9, 5],
      [8, -2],
      [7, 4],
    ],
    7,
  ],
  [
    'count',
    undefined,
    [
      [9, 5],
      [8, 0],
      [7, 4],
    ],
    3,
  ],
  [
    'last',
    undefined,
    [
      [7, 4],
      [9, 5],
      [8, 6],
    ],
    4,
  ],
  [
    'sum',
    'hour',
    [
      [1, 5],
      [2, 6],
      [70, 10],
      [80, 20],
    ],
    26,
  ],
] as const)('a meter that takes the %s of each %s of %j has %s', async (formula, window, events, is) => {
  const { send, total, stripe, clock } = await openUsage(formula, window);
  clock.set('2026-03-15T12:50:00Z');
  for (const [ago, value] of events) await send(`${value}`, { timestamp: clock.now() / MS - ago * MINUTE });
  stripe.settle();
  expect(await total()).toBe(is);
});

describe('a summary', () => {
  it('is cut by hours and days, the latest first, and is read page by page', async () => {
    const { send, summaries, stripe, now } = await openUsage();
    for (const ago of [1, HOUR, HOUR + 1, 26 * HOUR]) await send('1', { timestamp: now - ago });
    stripe.settle();
    expect(await summaries(now - 2 * HOUR, now, 'hour')).toEqual([
      [now - HOUR, 2],
      [now - 2 * HOUR, 1],
    ]);
    const midnight = now - 12 * HOUR;
    expect(await summaries(midnight - DAY, midnight + DAY, 'day')).toEqual([
      [midnight, 3],
      [midnight - DAY, 1],
    ]);
    expect(await summaries(now - HOUR, now)).toEqual([[now - HOUR, 2]]); // its start is within, its end is not
  });

  it.each([
    ['not at a minute', 1, 0, undefined, 'Must be aligned with minute boundaries'],
    ['not at an hour', MINUTE, 0, 'hour', 'Must be aligned with hour boundaries'],
    ['not at a day', 0, 0, 'day', 'Must be aligned with day boundaries'],
    ['that ends before', 0, -2 * HOUR, undefined, 'Must be after start_time'],
  ] as const)('of a span %s is refused', async (_what, from, to, window, says) => {
    const { summaries, now } = await openUsage();
    expect(await refusal(summaries(now - HOUR + from, now + to, window))).toContain(says);
  });
});

it('what cannot count is told by an event that names some of it', async () => {
  const { sdk, send, stripe, meter } = await openUsage();
  for (let i = 0; i < 7; i += 1) {
    await send('1', { identifier: `lost-${i}`, payload: { stripe_customer_id: 'cus_x', value: '1' } });
  }
  await send('1', { payload: { value: '1' } });
  stripe.settle();
  const [told] = stripe.account().thinEvents.all();
  const event = await sdk.v2.core.events.retrieve(`${told?.id}`);
  if (event.type !== 'v1.billing.meter.error_report_triggered') throw new Error(event.type);
  expect(event.data.reason.error_count).toBe(8);
  expect(
    event.data.reason.error_types.map(({ code, error_count, sample_errors }) => [
      code,
      error_count,
      sample_errors.length,
    ]),
  ).toEqual([
    ['meter_event_customer_not_found', 7, 5],
    ['meter_event_no_customer_defined', 1, 1],
  ]);
  expect(await event.fetchRelatedObject()).toMatchObject({ id: meter.id });
});

it('a customer and meter take one request at a time', async () => {
  const { send, sdk, stripe } = await openUsage();
  const other = await sdk.customers.create();
  const hold = stripe.faults.hold('POST /v1/billing/meter_events');
  const first = send('1');
  await hold.arrived;
  expect(await refusal(send('2'))).toContain('429 invalid_request_error lock_timeout');
  await send('3', { payload: { stripe_customer_id: other.id, value: '3' } });
  hold.release();
  await first;
  await send('2');
});

it('what counts is what was accepted, each identifier once', async () => {
  const sent = fc.array(
    fc.record({ identifier: fc.integer({ min: 0, max: 9 }), value: fc.integer({ min: -50, max: 50 }) }),
    { maxLength: 20 },
  );
  await fc.assert(
    fc.asyncProperty(sent, async (events) => {
      const usage = await openUsage();
      const accepted = new Map<number, bigint>();
      for (const { identifier, value } of events) {
        const isTaken = accepted.has(identifier);
        const call = usage.send(`${value}`, { identifier: `${identifier}` });
        if (isTaken) expect(await refusal(call)).toContain('already exists');
        else accepted.set(identifier, BigInt((await call).payload.value ?? 'NaN'));
      }
      usage.stripe.settle();
      const sum = [...accepted.values()].reduce((total, value) => total + value, 0n);
      expect(usage.stripe.usageOf({ eventName: 'calls', customer: usage.customer.id })).toBe(sum);
      expect(await usage.total()).toBe(Number(sum));
    }),
    { numRuns: 20 },
  );
});
