/**
 * Goal: what goes wrong goes wrong as at Stripe: who asks again with the same key gets what was done, never done twice.
 * Method: each fault in turn, over the official SDK, and what the account has afterwards.
 */
import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import type { Fault } from './faults.ts';
import { openStripe, refusal } from './rig.ts';
import { DAY } from './wire.ts';

const CREATE = 'POST /v1/customers';

describe('the same idempotency key', () => {
  it('is the same answer to the same request, and a refusal of another', async () => {
    const { sdk, stripe } = await openStripe();
    const options = { idempotencyKey: 'k1' };
    const first = await sdk.customers.create({ name: 'Ada' }, options);
    const again = await sdk.customers.create({ name: 'Ada' }, options);
    expect(again).toEqual(first);
    expect(again.lastResponse.headers['idempotent-replayed']).toBe('true');
    expect(first.lastResponse.headers['idempotent-replayed']).toBeUndefined();
    expect(again.lastResponse.requestId).not.toBe(first.lastResponse.requestId);
    expect(await refusal(sdk.customers.create({ name: 'Eve' }, options))).toContain(
      '400 idempotency_error: Keys for idempotent requests',
    );
    expect(stripe.account().customers.all()).toHaveLength(1);
  });

  it('is a new request after a day, and in another account', async () => {
    const { sdk, stripe, clock } = await openStripe();
    const create = (stripeAccount?: string) =>
      sdk.customers.create({}, { idempotencyKey: 'k1', ...(stripeAccount ? { stripeAccount } : {}) });
    await create();
    await create('acct_a');
    clock.advance(DAY * 1_000);
    await create();
    expect(stripe.account().customers.all()).toHaveLength(2);
    expect(stripe.account('acct_a').customers.all()).toHaveLength(1);
  });

  it('is refused while the first is in progress', async () => {
    const { sdk, stripe } = await openStripe();
    const hold = stripe.faults.hold(CREATE, 'after');
    const first = sdk.customers.create({}, { idempotencyKey: 'k1' });
    await hold.arrived;
    expect(await refusal(sdk.customers.create({}, { idempotencyKey: 'k1' }))).toContain(
      '409 idempotency_error idempotency_key_in_use',
    );
    hold.release();
    await first;
    expect(stripe.account().customers.all()).toHaveLength(1);
  });

  it('is free again after a request that was refused before it did anything', async () => {
    const { sdk } = await openStripe();
    const options = { idempotencyKey: 'k1' };
    const update = () => sdk.prices.create({ currency: 'usd', unit_amount: 1, product: 'prod_a' }, options);
    expect(await refusal(update())).toContain('No such product');
    await sdk.products.create({ id: 'prod_a', name: 'A' });
    expect(await update()).toMatchObject({ product: 'prod_a' });
  });
});

describe('a fault', () => {
  it.each<[string, Fault, string, number, number]>([
    //                                                                        the client hears                       done  done, asked again with the same key
    ['429', { kind: 'rate_limited' }, '429 invalid_request_error rate_limit', 0, 1],
    ['429, told to wait', { kind: 'rate_limited', retryAfterSeconds: 2 }, '429 invalid_request_error rate_limit', 0, 1],
    ['a lock', { kind: 'lock_timeout' }, '429 invalid_request_error lock_timeout', 0, 1],
    ['a lock, as 409', { kind: 'lock_timeout', status: 409 }, '409 invalid_request_error lock_timeout', 0, 1],
    ['500 before', { kind: 'fails_before' }, '500 api_error', 0, 1],
    ['500 that stays', { kind: 'fails_for_good' }, '500 api_error', 0, 0],
    ['500 after', { kind: 'fails_after' }, '500 api_error', 1, 1],
    ['cut before', { kind: 'cut_before' }, 'no answer', 0, 1],
    ['cut after', { kind: 'cut_after' }, 'no answer', 1, 1],
  ])('%s', async (_what, fault, hears, done, doneInTheEnd) => {
    const { sdk, stripe } = await openStripe();
    const count = () => stripe.account().customers.all().length;
    const create = () => sdk.customers.create({}, { idempotencyKey: 'k1' });
    stripe.faults.next(CREATE, fault, fault.kind.startsWith('cut') ? 2 : 1); // the SDK sends what was cut once more
    const said = await refusal(create());
    expect(said).toContain(hears);
    expect(count()).toBe(done);
    await create().catch(() => {});
    expect(count()).toBe(doneInTheEnd);
  });

  it('says when to come back, where Stripe does', async () => {
    const { sdk, stripe } = await openStripe();
    stripe.faults.next(/./, { kind: 'rate_limited', retryAfterSeconds: 2 });
    const failure = await sdk.customers.list().catch((thrown: Stripe.errors.StripeError) => thrown);
    expect(failure).toBeInstanceOf(Stripe.errors.StripeRateLimitError);
    expect((failure as Stripe.errors.StripeError).headers).toMatchObject({ 'retry-after': '2' });
  });

  it('is chosen by whoever makes a storm, until it is cleared', async () => {
    const { sdk, stripe } = await openStripe();
    stripe.faults.choose(({ params }) =>
      (params as { name?: string }).name === 'Eve' ? { kind: 'fails_before' } : undefined,
    );
    await sdk.customers.create({ name: 'Ada' });
    expect(await refusal(sdk.customers.create({ name: 'Eve' }))).toContain('500');
    stripe.faults.clear();
    await sdk.customers.create({ name: 'Eve' });
    expect(stripe.requests.map(({ params, status, fault }) => [params.name, status, fault])).toEqual([
      ['Ada', 200, undefined],
      ['Eve', 500, 'fails_before'],
      ['Eve', 200, undefined],
    ]);
  });
});

it.each([
  ['another key', 'sk_test_other', '401 invalid_request_error: Invalid API Key provided'],
  ['a live key', 'sk_live_1234', '401 invalid_request_error: This is a fake: it takes no live keys.'],
])('%s is refused', async (_what, key, says) => {
  const { stripe } = await openStripe();
  expect(await refusal(new Stripe(key, stripe.sdkConfig).customers.list())).toContain(says);
});
