/** Goal: the stream of version 2 takes usage by the hundred, and tells later what was wrong. Method: over the SDK. */
import Stripe from 'stripe';
import { expect, it } from 'vitest';
import { openStripe, refusal } from './rig.ts';
import { DAY, MINUTE } from './wire.ts';

async function openStream(stripeAccount?: string) {
  const rig = await openStripe();
  const options = stripeAccount ? { stripeAccount } : {};
  const params = { event_name: 'calls', display_name: 'Calls', default_aggregation: { formula: 'sum' } } as const;
  await rig.sdk.billing.meters.create(params, options);
  const customer = await rig.sdk.customers.create({}, options);
  const newSession = () => rig.sdk.v2.billing.meterEventSession.create({}, options);
  const event = (identifier: string, value = '1', more: object = {}) => ({
    event_name: 'calls',
    identifier,
    payload: { stripe_customer_id: customer.id, value },
    ...more,
  });
  const send = (token: string, events: ReturnType<typeof event>[]) =>
    new Stripe(token, rig.stripe.sdkConfig).v2.billing.meterEventStream.create({ events });
  const used = () => rig.stripe.usageOf({ eventName: 'calls', ...(stripeAccount ? { account: stripeAccount } : {}) });
  return { ...rig, newSession, event, send, used };
}

it.each([undefined, 'acct_a'])('takes up to 100 events under the token of a session, of %s', async (account) => {
  const { newSession, event, send, used, stripe } = await openStream(account);
  const { authentication_token } = await newSession();
  await send(
    authentication_token,
    Array.from({ length: 100 }, (_, i) => event(`e${i}`)),
  );
  expect(used()).toBe(0n);
  stripe.settle();
  expect(used()).toBe(100n);
  const tooMany = Array.from({ length: 101 }, (_, i) => event(`f${i}`));
  expect(await refusal(send(authentication_token, tooMany))).toContain('At most 100 events');
});

it('until the session is over, which is after 15 minutes', async () => {
  const { newSession, event, send, clock, used, stripe, sdk } = await openStream();
  const { authentication_token, created, expires_at } = await newSession();
  expect(Date.parse(`${expires_at}`) - Date.parse(`${created}`)).toBe(15 * MINUTE * 1_000);
  clock.advance(15 * MINUTE * 1_000 - 1_000);
  await send(authentication_token, [event('a')]);
  clock.advance(1_000);
  const failure = await send(authentication_token, [event('b')]).catch((thrown) => thrown);
  expect(failure).toBeInstanceOf(Stripe.errors.TemporarySessionExpiredError);
  expect(await refusal(send(stripe.apiKey, [event('c')]))).toContain('401');
  expect(await refusal(new Stripe(authentication_token, stripe.sdkConfig).customers.list())).toContain('401');
  await sdk.v2.billing.meterEvents.create(event('d', '5'));
  stripe.settle();
  expect(used()).toBe(6n);
});

it('passes over an identifier that was sent before, in silence', async () => {
  const { newSession, event, send, used, stripe, sdk } = await openStream();
  const { authentication_token } = await newSession();
  await sdk.billing.meterEvents.create(event('a'));
  await send(authentication_token, [event('a'), event('b'), event('b')]);
  stripe.settle();
  expect(used()).toBe(2n);
});

it('tells later what was wrong, by meter', async () => {
  const { newSession, event, send, used, stripe, clock } = await openStream();
  const { authentication_token } = await newSession();
  const long = new Date(clock.now() - 36 * DAY * 1_000).toISOString();
  const soon = new Date(clock.now() + 6 * MINUTE * 1_000).toISOString();
  await send(authentication_token, [
    event('good'),
    event('old', '1', { timestamp: long }),
    event('early', '1', { timestamp: soon }),
    event('part', '1.5'),
    event('lost', '1', { payload: { stripe_customer_id: 'cus_x', value: '1' } }),
    event('nowhere', '1', { event_name: 'cells' }),
  ]);
  stripe.settle();
  expect(used()).toBe(1n);
  const told = stripe
    .account()
    .thinEvents.all()
    .map(({ type, data }) => [type, data.reason.error_types.map(({ code }) => code)]);
  expect(told).toEqual([
    [
      'v1.billing.meter.error_report_triggered',
      [
        'timestamp_too_far_in_past',
        'timestamp_in_future',
        'meter_event_invalid_value',
        'meter_event_customer_not_found',
      ],
    ],
    ['v1.billing.meter.no_meter_found', ['no_meter']],
  ]);
});

it('can be taken back by the identifier', async () => {
  const { newSession, event, send, used, stripe, sdk } = await openStream();
  const { authentication_token } = await newSession();
  await send(authentication_token, [event('a', '3'), event('b', '4')]);
  stripe.settle();
  const adjustment = await sdk.v2.billing.meterEventAdjustments.create({
    event_name: 'calls',
    type: 'cancel',
    cancel: { identifier: 'a' },
  });
  expect(adjustment).toMatchObject({ status: 'pending', cancel: { identifier: 'a' } });
  expect(used()).toBe(4n);
});
