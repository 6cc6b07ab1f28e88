/**
 * Goal: what a feature, plan or customer sets is read back as it was stored, whatever it is. Method: a law over fields of
 * every kind, through the text of JSON; and rows of earlier versions as they lie there.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LimitFields } from '../domain/feature.ts';
import { INTERVAL_UNITS, type Interval, intervalOf, NAMED_RESETS } from '../domain/period.ts';
import { LIMIT_FIELDS } from '../domain/policy.ts';
import type { Price } from '../domain/price.ts';
import { FALLING_KINDS, THRESHOLD_KINDS, type Threshold } from '../domain/threshold.ts';
import { ONE, UNITS_MAX } from '../domain/units.ts';
import { limitFieldsFromJson, limitFieldsToJson } from './limit-fields-json.ts';

const units = fc.bigInt({ min: -UNITS_MAX, max: UNITS_MAX });
const orNull = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: null });
const count = fc.integer({ min: 1, max: 1_000 });
const interval: fc.Arbitrary<Interval> = fc
  .tuple(count, fc.constantFrom(...INTERVAL_UNITS))
  .map(([every, unit]) => intervalOf(every, unit));

const tiers = fc.array(fc.record({ upTo: orNull(units), unitAmount: units, flatAmount: units }), { maxLength: 3 });
const price: fc.Arbitrary<Price> = fc
  .tuple(
    fc.oneof(
      fc.record({ model: fc.constant('per_unit' as const), unitAmount: units }),
      fc.record({ model: fc.constant('package' as const), packageAmount: units, packageSize: units }),
      fc.record({ model: fc.constant('percentage' as const), percent: units }),
      fc.record({ model: fc.constantFrom('graduated' as const, 'volume' as const, 'stairstep' as const), tiers }),
    ),
    fc.record({
      currency: fc.constantFrom('usd', 'eur'),
      minimumSpend: orNull(units),
      maximumSpend: orNull(units),
    }),
  )
  .map(([rates, bounds]) => ({ ...rates, ...bounds }));

const threshold: fc.Arbitrary<Threshold> = fc.oneof(
  fc.record({ kind: fc.constantFrom(...THRESHOLD_KINDS), value: units }),
  fc.record({ kind: fc.constantFrom(...FALLING_KINDS), value: units, falling: fc.constant(true as const) }),
);

const credits = fc.record({
  allocation: units,
  onRenewal: fc.oneof(
    fc.constantFrom('reset' as const, 'add' as const),
    fc.record({ max: orNull(units), maxFraction: orNull(units), expiresAfter: orNull(interval) }),
  ),
  reset: orNull(fc.oneof(fc.constantFrom(...NAMED_RESETS), interval)),
  priority: fc.integer(),
});

const fields = {
  limit: orNull(units),
  included: units,
  enforcement: fc.constantFrom('hard' as const, 'soft' as const),
  minLimit: units,
  thresholds: fc.array(threshold, { maxLength: 3 }),
  price,
  billing: fc.constantFrom('prepaid' as const, 'postpaid' as const),
  spendLimit: orNull(units),
  credits: orNull(credits),
  rateLimits: fc.array(fc.record({ limit: count, windowMs: count }), { maxLength: 2 }),
  entityLimit: orNull(units),
  value: fc.oneof(
    fc.string(),
    fc.boolean(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => number + 0), // JSON has no -0
  ),
} satisfies { [Field in keyof LimitFields]-?: fc.Arbitrary<NonNullable<LimitFields[Field]> | null> };

it('limit fields are read back as they were stored', () => {
  expect(Object.keys(fields)).toEqual([...LIMIT_FIELDS]);
  fc.assert(
    fc.property(fc.record(fields, { requiredKeys: [] }), (said) => {
      const stored: unknown = JSON.parse(JSON.stringify(limitFieldsToJson(said)));
      expect(limitFieldsFromJson(stored as ReturnType<typeof limitFieldsToJson>)).toEqual(said); // what JSON gave back
    }),
  );
});

it('a price that was stored before there were models is one per unit', () => {
  expect(limitFieldsFromJson({ price: { unitAmount: '1', currency: 'eur' } })).toEqual({
    price: { model: 'per_unit', unitAmount: ONE, currency: 'eur', minimumSpend: null, maximumSpend: null },
  });
});
