/**
 * Goal: the schema says what the SDK's types say, and holds the fake to it. Method: one small schema made anew, then the
 * fake's own, asked to let pass what is not right.
 */
import { expect, it } from 'vitest';
import { openStripe } from './rig.ts';
import { schemaFromSdk } from './schema-from-sdk.ts';
import { Validator } from './validator.ts';

const schema = schemaFromSdk({
  operations: [
    'GET /v1/prices/{}',
    'POST /v1/prices',
    'POST /v2/billing/meter_event_stream',
    'DELETE /v1/customers/{}',
  ],
  types: ['Events:EventBase', 'V2/Core/Events:V1BillingMeterNoMeterFoundEvent'],
});
const validator = new Validator(schema);

const PRICE = {
  id: 'price_1',
  object: 'price',
  active: true,
  billing_scheme: 'per_unit',
  created: 1,
  currency: 'usd',
  custom_unit_amount: null,
  livemode: false,
  lookup_key: null,
  metadata: {},
  nickname: null,
  product: 'prod_1',
  recurring: null,
  tax_behavior: null,
  tiers_mode: null,
  transform_quantity: null,
  type: 'one_time',
  unit_amount: null,
  unit_amount_decimal: '0.05',
};

it.each([
  ['as it should be', {}, ''],
  ['an expanded reference, abridged', { product: { id: 'prod_1', object: 'product', name: 'a' } }, ''],
  ['a field too many', { colour: 'red' }, 'must NOT have additional properties'],
  ['a field too few', { currency: undefined }, "must have required property 'currency'"],
  ['a number for a string', { currency: 840 }, '/currency must be string'],
  [
    'a number for a decimal',
    { unit_amount_decimal: 0.05 },
    '/unit_amount_decimal must be null, /unit_amount_decimal must be string',
  ],
  ['a decimal that is none', { unit_amount_decimal: '5e-2' }, 'must match pattern'],
  [
    'a value of an open enumeration that nobody knows',
    { type: 'weekly' },
    '/type must be equal to one of the allowed values',
  ],
  ['another resource expanded', { product: { id: 'cus_1', object: 'customer' } }, '/product'],
])('an answer with %s', (_what, changes, says) => {
  const check = () => validator.checkAnswer('GET /v1/prices/{}', JSON.parse(JSON.stringify({ ...PRICE, ...changes })));
  if (says === '') expect(check).not.toThrow();
  else expect(check).toThrow(says);
});

it.each([
  [
    'POST /v1/prices',
    { currency: 'usd', unit_amount: '5', active: 'true' },
    { currency: 'usd', unit_amount: 5, active: true },
  ],
  [
    'POST /v1/prices',
    { currency: 'usd', tiers: { 0: { up_to: '10' }, 1: { up_to: 'inf' } } },
    { currency: 'usd', tiers: [{ up_to: 10 }, { up_to: 'inf' }] },
  ],
  [
    'POST /v1/prices',
    { currency: 'usd', nickname: '5', metadata: { 7: '8' } },
    { currency: 'usd', nickname: '5', metadata: { 7: '8' } },
  ],
])('a form of %s: %j', (operation, form, params) => {
  expect(validator.coerced(operation, form)).toEqual(params);
});

it('knows what is deleted, what has no content, and every event by what all share', () => {
  expect(() =>
    validator.checkAnswer('DELETE /v1/customers/{}', { id: 'cus_1', object: 'customer', deleted: true }),
  ).not.toThrow();
  expect(() => validator.checkAnswer('POST /v2/billing/meter_event_stream', {})).not.toThrow();
  expect(() => validator.checkAnswer('POST /v2/billing/meter_event_stream', { id: 1 })).toThrow();
  expect(schema.definitions['Events:EventBase']?.required).toContain('pending_webhooks');
});

it('refuses what the SDK does not have', () => {
  expect(() => schemaFromSdk({ operations: ['POST /v1/prizes'], types: [] })).toThrow(
    'no method of the installed SDK sends POST /v1/prizes',
  );
  expect(() => schemaFromSdk({ operations: [], types: ['Prices:Prize'] })).toThrow('no type Prices:Prize');
});

it('is what the fake is held to: a wrong answer is not sent, and fails the test', async () => {
  const { stripe, sdk } = await openStripe();
  const customer = await sdk.customers.create({ name: 'Ada' });
  Object.assign(stripe.account().customers.get(customer.id), { name: 7 });
  await expect(sdk.customers.retrieve(customer.id)).rejects.toThrow('/name must be');
  expect(() => stripe.check()).toThrow('the answer to GET /v1/customers/{} is not what the SDK says');
  stripe.violations.length = 0; // on purpose
});

it.each([
  ['a parameter that the SDK does not have', { colour: 'red' }, 'must NOT have additional properties'],
  ['one that the fake would pass over', { tax_exempt: 'exempt' }, 'the fake passes over parameters'],
])('a request with %s fails the test', async (_what, params, says) => {
  const { stripe, sdk } = await openStripe();
  await expect(sdk.customers.create(params as object)).rejects.toThrow(says);
  expect(stripe.violations.splice(0)).toHaveLength(1);
});

it('a request that the fake does not know fails the test', async () => {
  const { stripe, sdk } = await openStripe();
  await expect(sdk.coupons.list()).rejects.toThrow('the fake does not know');
  expect(stripe.violations.splice(0)).toHaveLength(1);
});
