/** Goal: names say what they are of, fit, and are never those of something else. Method: a table, and a law. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BILLING_INTERVALS } from '../../domain/plan.ts';
import { basePriceKey, featureProductId, meterEventName, meteredPriceKey, planProductId } from './names.ts';

const TENANT = '0192a4b6-c8d0-7123-8456-789abcdef012';

it('are made of the tenant and the keys', () => {
  expect(featureProductId(TENANT, 'api_calls')).toBe('mg_0192a4b6c8d0_f_api_calls');
  expect(planProductId(TENANT, 'pro')).toBe('mg_0192a4b6c8d0_p_pro');
  expect(meterEventName(TENANT, 'api_calls')).toBe('mg_0192a4b6c8d0_api_calls');
  expect(basePriceKey(TENANT, 'pro', 'month', 'usd')).toBe('mg_0192a4b6c8d0:pro:base:month:usd');
  expect(meteredPriceKey(TENANT, 'pro', 'api_calls', 'year')).toBe('mg_0192a4b6c8d0:pro:api_calls:year');
});

it('fit, however long a key is, and tell long keys apart', () => {
  const long = (last: string) => `${'k'.repeat(300)}${last}`;
  expect(meterEventName(TENANT, long('a'))).toHaveLength(100);
  expect(meteredPriceKey(TENANT, long('a'), 'f', 'month')).toHaveLength(200);
  expect(meterEventName(TENANT, long('a'))).not.toBe(meterEventName(TENANT, long('b')));
  expect(meteredPriceKey(TENANT, long('a'), 'f', 'day')).not.toBe(meteredPriceKey(TENANT, long('b'), 'f', 'day'));
});

it('take no part of a key for part of another', () => {
  const metered = (plan: string, feature: string) => meteredPriceKey(TENANT, plan, feature, 'month');
  expect(metered('a:b', 'c')).not.toBe(metered('a', 'b:c'));
  expect(metered('a', 'base:day')).not.toBe(basePriceKey(TENANT, 'a', 'day', 'month'));
});

it('are those of one price alone', () => {
  const key = fc
    .array(fc.constantFrom('a', 'base', ':', 'month', 'usd', '_'), { minLength: 1 })
    .map((parts) => `k${parts.join('')}`);
  const interval = fc.constantFrom(...BILLING_INTERVALS);
  const price = fc.oneof(
    fc.tuple(fc.constant('metered'), key, key, interval),
    fc.tuple(fc.constant('base'), key, fc.constantFrom('usd', 'day'), interval),
  );
  const nameOf = ([kind, plan, other, every]: [string, string, string, (typeof BILLING_INTERVALS)[number]]) =>
    kind === 'base' ? basePriceKey(TENANT, plan, every, other) : meteredPriceKey(TENANT, plan, other, every);
  fc.assert(
    fc.property(price, price, (a, b) => {
      expect(nameOf(a) === nameOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});
