/** Goal: products, prices and meters are kept as Stripe keeps them. Method: the SDK, a table for each resource. */
import Stripe from 'stripe';
import { beforeAll, describe, expect, it } from 'vitest';
import { openStripe, refusal, type StripeRig } from './rig.ts';

let rig: StripeRig;
let product: Stripe.Product;
let meter: Stripe.Billing.Meter;
beforeAll(async () => {
  rig = await openStripe();
  product = await rig.sdk.products.create({ name: 'Calls' });
  meter = await newMeter('calls');
});

const newMeter = (event_name: string) =>
  rig.sdk.billing.meters.create({ event_name, display_name: event_name, default_aggregation: { formula: 'sum' } });
const newPrice = (params: Partial<Stripe.PriceCreateParams> = {}) =>
  rig.sdk.prices.create({ currency: 'usd', product: product.id, unit_amount: 1_000, ...params });
const monthly = { interval: 'month' } as const;
const decimal = (text: string) => Stripe.Decimal.from(text);

describe('a price', () => {
  it.each([
    // asked                                                       unit_amount  unit_amount_decimal
    [{ unit_amount: 1_000 }, 1_000, '1000'],
    [{ unit_amount: undefined, unit_amount_decimal: decimal('0.05') }, null, '0.05'],
    [{ unit_amount: undefined, unit_amount_decimal: decimal('5.0') }, 5, '5'],
    [{ unit_amount: undefined, unit_amount_decimal: decimal('0.000000000001') }, null, '0.000000000001'],
  ])('of %j costs %s, %s', async (params, amount, exact) => {
    const price = await newPrice(params as object);
    expect([price.unit_amount, price.unit_amount_decimal?.toString()]).toEqual([amount, exact]);
  });

  it.each([
    ['no amount', { unit_amount: undefined }, 'parameter_missing: Prices require `unit_amount`'],
    ['two amounts', { unit_amount_decimal: decimal('1') }, 'Only one of unit_amount'],
    ['less than nothing', { unit_amount: -1 }, 'unit_amount must be at least 0'],
    [
      '13 decimals',
      { unit_amount: undefined, unit_amount_decimal: decimal('0.0000000000001') },
      'at most 12 decimal places',
    ],
    ['no such product', { product: 'prod_x' }, "400 invalid_request_error resource_missing: No such product: 'prod_x'"],
    [
      'usage without a meter',
      { recurring: { ...monthly, usage_type: 'metered' } },
      'Metered prices must be backed by meters',
    ],
    ['a meter without usage', { recurring: { ...monthly, meter: 'mtr_x' } }, 'Only metered prices have a meter'],
    [
      'tiers that end',
      {
        unit_amount: undefined,
        billing_scheme: 'tiered',
        tiers_mode: 'graduated',
        tiers: [{ up_to: 5, unit_amount: 1 }],
      },
      'The last tier must have `up_to=inf`',
    ],
    [
      'tiers that fall',
      {
        unit_amount: undefined,
        billing_scheme: 'tiered',
        tiers_mode: 'volume',
        tiers: [
          { up_to: 5, unit_amount: 1 },
          { up_to: 5, unit_amount: 1 },
          { up_to: 'inf', unit_amount: 1 },
        ],
      },
      '`up_to` must ascend',
    ],
    [
      'packages in tiers',
      {
        unit_amount: undefined,
        billing_scheme: 'tiered',
        tiers_mode: 'volume',
        tiers: [{ up_to: 'inf', unit_amount: 1 }],
        transform_quantity: { divide_by: 10, round: 'up' },
      },
      'cannot be combined with tiers',
    ],
  ])('with %s is refused', async (_what, params, says) => {
    expect(await refusal(newPrice(params as object))).toContain(says);
  });

  it('tells its tiers to who asks for them', async () => {
    const tiers: Stripe.PriceCreateParams.Tier[] = [
      { up_to: 10, unit_amount: 0 },
      { up_to: 'inf', unit_amount_decimal: decimal('0.5'), flat_amount: 100 },
    ];
    const price = await rig.sdk.prices.create({
      currency: 'usd',
      product: product.id,
      billing_scheme: 'tiered',
      tiers_mode: 'graduated',
      tiers,
      recurring: { ...monthly, usage_type: 'metered', meter: meter.id },
      expand: ['tiers', 'product'],
    });
    expect(price.tiers).toMatchObject([
      { up_to: 10, unit_amount: 0 },
      { up_to: null, unit_amount: null, flat_amount: 100 },
    ]);
    expect(price.product).toMatchObject({ id: product.id, name: 'Calls' });
    expect(await rig.sdk.prices.retrieve(price.id)).not.toHaveProperty('tiers');
    expect(await refusal(rig.sdk.prices.retrieve(price.id, { expand: ['currency'] }))).toContain('cannot be expanded');
  });

  it('hands its lookup key over when the next one asks for it, and only then', async () => {
    const first = await newPrice({ lookup_key: 'pro' });
    expect(await refusal(newPrice({ lookup_key: 'pro' }))).toContain('already uses that lookup key');
    const second = await newPrice({ lookup_key: 'pro', transfer_lookup_key: true });
    expect((await rig.sdk.prices.retrieve(first.id)).lookup_key).toBeNull();
    const { data } = await rig.sdk.prices.list({ lookup_keys: ['pro', 'other'] });
    expect(data.map(({ id }) => id)).toEqual([second.id]);
  });

  it('is archived, and listed by what it is', async () => {
    const price = await newPrice({ metadata: { plan: 'old' } });
    await rig.sdk.prices.update(price.id, { active: false, metadata: { plan: '', since: 'May' } });
    expect(await rig.sdk.prices.retrieve(price.id)).toMatchObject({ active: false, metadata: { since: 'May' } });
    expect((await rig.sdk.prices.list({ active: false })).data.map(({ id }) => id)).toEqual([price.id]);
    const { data } = await rig.sdk.prices.search({ query: `metadata['since']:'May' AND active:'false'` });
    expect(data.map(({ id }) => id)).toEqual([price.id]);
  });
});

describe('a product', () => {
  it('with a price cannot be deleted, another can', async () => {
    await newPrice();
    expect(await refusal(rig.sdk.products.del(product.id))).toContain('cannot be deleted');
    const other = await rig.sdk.products.create({ id: 'metergraph_other', name: 'Other', metadata: { a: '1' } });
    expect(await refusal(rig.sdk.products.create({ id: other.id, name: 'Other' }))).toContain(
      'resource_already_exists',
    );
    await rig.sdk.products.update(other.id, { name: 'Renamed', description: 'd', metadata: { b: '2' } });
    expect(await rig.sdk.products.retrieve(other.id)).toMatchObject({
      name: 'Renamed',
      description: 'd',
      metadata: { a: '1', b: '2' },
    });
    expect(await rig.sdk.products.del(other.id)).toMatchObject({ deleted: true });
    expect(await refusal(rig.sdk.products.retrieve(other.id))).toBe(
      "404 invalid_request_error resource_missing: No such product: 'metergraph_other'",
    );
  });
});

describe('a meter', () => {
  it('is the only active one of its event name', async () => {
    expect(await refusal(newMeter('calls'))).toContain('already exists');
    const { id } = await newMeter('old');
    await rig.sdk.billing.meters.deactivate(id);
    const next = await newMeter('old');
    expect(await refusal(rig.sdk.billing.meters.reactivate(id))).toContain('already exists');
    await rig.sdk.billing.meters.update(next.id, { display_name: 'New' });
    const { data } = await rig.sdk.billing.meters.list({ status: 'inactive' });
    expect(data).toMatchObject([{ id, status_transitions: { deactivated_at: rig.clock.now() / 1_000 } }]);
    const metered = { ...monthly, usage_type: 'metered', meter: id } as const;
    expect(await refusal(newPrice({ recurring: metered }))).toContain('deactivated meter');
  });
});

describe('a list', () => {
  it.each([
    [{ limit: 2 }, ['e', 'd'], true],
    [{ limit: 5 }, ['e', 'd', 'c', 'b', 'a'], false],
    [{ limit: 2, starting_after: 'd' }, ['c', 'b'], true],
    [{ limit: 3, starting_after: 'd' }, ['c', 'b', 'a'], false],
    [{ limit: 2, ending_before: 'b' }, ['d', 'c'], true],
    [{ limit: 3, ending_before: 'b' }, ['e', 'd', 'c'], false],
  ])('of five, cut by %j, is %s; more: %s', async (params, names, more) => {
    const { sdk } = await openStripe();
    for (const id of ['a', 'b', 'c', 'd', 'e']) await sdk.products.create({ id, name: id });
    const { data, has_more } = await sdk.products.list(params);
    expect([data.map(({ id }) => id), has_more]).toEqual([names, more]);
    expect(await refusal(sdk.products.list({ limit: 101 }))).toContain('limit must be between 1 and 100');
    expect(await refusal(sdk.products.list({ starting_after: 'z' }))).toContain("No such object: 'z'");
  });

  it('is read to its end by the SDK', async () => {
    const { sdk } = await openStripe();
    for (let i = 0; i < 25; i += 1) await sdk.products.create({ name: `${i}` });
    const all = await sdk.products.list({ limit: 10 }).autoPagingToArray({ limit: 100 });
    expect(all.map(({ name }) => Number(name))).toEqual(Array.from({ length: 25 }, (_, i) => 24 - i));
    const found = await sdk.products.search({ query: "active:'true'", limit: 10 }).autoPagingToArray({ limit: 100 });
    expect(found).toHaveLength(25);
  });
});

describe('a connected account', () => {
  it('has everything to itself', async () => {
    const { sdk, stripe } = await openStripe();
    const connected = { stripeAccount: 'acct_a' };
    const own = await sdk.customers.create({ name: 'Ada' }, connected);
    expect(await refusal(sdk.customers.retrieve(own.id))).toContain('404');
    expect((await sdk.customers.list({}, { stripeContext: 'acct_a' })).data).toMatchObject([{ id: own.id }]);
    expect((await sdk.events.list({}, connected)).data).toMatchObject([
      { type: 'customer.created', account: 'acct_a' },
    ]);
    expect(stripe.account('acct_b').customers.all()).toEqual([]);
  });
});

describe('a customer', () => {
  it('is changed, found, and leaves a trace when deleted', async () => {
    const { sdk } = await openStripe();
    const { id } = await sdk.customers.create({ name: 'Ada', email: 'ada@example.com', metadata: { tenant: 't1' } });
    await sdk.customers.update(id, { name: 'Ada L.', metadata: { tenant: 't2' } });
    expect((await sdk.customers.list({ email: 'ada@example.com' })).data).toMatchObject([{ name: 'Ada L.' }]);
    expect((await sdk.customers.search({ query: "metadata['tenant']:'t2'" })).data).toHaveLength(1);
    const [changed] = (await sdk.events.list({ type: 'customer.updated' })).data;
    expect(changed?.data.previous_attributes).toEqual({ name: 'Ada', metadata: { tenant: 't1' } });
    await sdk.customers.del(id);
    expect(await sdk.customers.retrieve(id)).toEqual({ id, object: 'customer', deleted: true });
    expect((await sdk.customers.list()).data).toEqual([]);
    expect(await refusal(sdk.customers.update(id, { name: 'x' }))).toContain(
      "404 invalid_request_error resource_missing: No such customer: '",
    );
  });
});
