/** Goal: an edit changes what it names and nothing else; null goes back to the default. Method: a table of every field. */
import { describe, expect, it } from 'vitest';
import { featureOf, isSame, planOf } from './definitions.ts';
import { editedFeature, editedLimits, editedPlan, type FeatureEdit, type PlanEdit } from './edits.ts';
import type { Feature } from './feature.ts';
import type { Price } from './price.ts';
import { unitsOf } from './units.ts';

const units = unitsOf('7');
const priceOf = (amount: string): Price => ({
  model: 'per_unit',
  unitAmount: unitsOf(amount),
  currency: 'eur',
  minimumSpend: null,
  maximumSpend: null,
});
const creditsOf = (amount: string) =>
  ({ allocation: unitsOf(amount), onRenewal: 'reset', reset: null, priority: 0 }) as const;

describe('a feature', () => {
  const stored: Feature = featureOf('tenant', {
    key: 'tokens',
    displayName: 'LLM tokens',
    unit: 'token',
    aggregation: 'unique',
    of: 'user',
    reset: 'never',
    anchor: 'subscription',
    dimensions: ['model'],
    limit: unitsOf('100'),
    included: unitsOf('10'),
    enforcement: 'soft',
    minLimit: 0n,
    thresholds: [],
    price: priceOf('0.25'),
    billing: 'prepaid',
    spendLimit: unitsOf('500'),
    credits: creditsOf('3'),
    rateLimits: [{ limit: 5, windowMs: 1_000 }],
    entityLimit: unitsOf('2'),
    value: 'eu',
    details: ['Fast'],
  });
  const edited = (edit: Omit<FeatureEdit, 'key'>) =>
    featureOf('tenant', editedFeature(stored, { key: 'tokens', ...edit }));

  it('is the same after an edit that says nothing', () => expect(isSame(edited({}), stored)).toBe(true));

  it('comes back as it was, when it was archived', () => {
    const archived = { ...stored, archivedAtMs: 5 };
    expect(featureOf('tenant', editedFeature(archived, { key: 'tokens' }))).toEqual(stored);
  });

  it('that is new has defaults', () => {
    expect(editedFeature(null, { key: 'tokens', unit: null, limit: null, reset: null })).toEqual({
      key: 'tokens',
      limit: null,
    });
  });

  const NEW_AND_DEFAULT = [
    ['displayName', 'Tokens used', 'Tokens'],
    ['unit', 'kilotoken', null],
    ['aggregation', 'sum', 'sum'],
    ['of', 'seat', null],
    ['reset', 'daily', 'monthly'],
    ['anchor', 'calendar', 'calendar'],
    ['dimensions', [], []],
    ['limit', units, null],
    ['included', units, undefined],
    ['enforcement', 'hard', undefined],
    ['minLimit', units, undefined],
    ['thresholds', [{ kind: 'used', value: units }], undefined],
    ['price', priceOf('7'), undefined],
    ['billing', 'postpaid', undefined],
    ['spendLimit', units, null],
    ['credits', creditsOf('7'), null],
    ['rateLimits', [], undefined],
    ['entityLimit', units, null],
    ['value', 10, undefined],
    ['details', ['Exact'], []],
  ] as const;

  it.each(NEW_AND_DEFAULT)('changes its %s alone, and null clears it', (field, value, cleared) => {
    const without = ({ [field]: _, ...others }: Feature) => others;
    for (const [said, becomes] of [
      [value, value],
      [null, cleared],
    ]) {
      const feature = edited({ [field]: said });
      expect(feature[field]).toEqual(becomes);
      expect(without(feature)).toEqual(without(stored));
    }
  });

  it('the table above names every field', () => {
    const { tenantId, key, archivedAtMs, ...fields } = stored;
    expect(NEW_AND_DEFAULT.map(([field]) => field).sort()).toEqual(Object.keys(fields).sort());
  });
});

describe('a plan', () => {
  const stored = planOf(
    'tenant',
    {
      key: 'pro',
      displayName: 'Professional',
      prices: [{ amount: units, currency: 'usd', interval: 'month' }],
      rateLimits: [{ limit: 5, windowMs: 1_000 }],
      spendLimit: { amount: units, currency: 'usd' },
      wallet: { currency: 'usd', floor: units, autoTopUp: null },
      features: new Map([['a', { limit: units }]]),
    },
    null,
  );
  const edited = (edit: Omit<PlanEdit, 'key'>) => planOf('tenant', editedPlan(stored, { key: 'pro', ...edit }), stored);

  it.each<[what: string, edit: Omit<PlanEdit, 'key' | 'features'>, becomes: object]>([
    ['nothing', {}, { version: 1 }],
    ['a name', { displayName: 'Pro plan' }, { version: 2, displayName: 'Pro plan' }],
    ['no name', { displayName: null }, { version: 2, displayName: 'Pro' }],
    ['no price', { prices: null }, { version: 2, prices: [] }],
    ['no rate limits', { rateLimits: null }, { version: 2, rateLimits: [] }],
    ['no spend limit', { spendLimit: null }, { version: 2, spendLimit: null }],
    ['no wallet', { wallet: null }, { version: 2, wallet: null }],
    ['to move its customers', { existingCustomers: 'move' }, { version: 1 }],
  ])('keeps all else when it is told %s', (_, edit, becomes) => {
    expect(edited({ features: stored.features, ...edit })).toEqual({ ...stored, ...becomes });
  });

  it('has the features it is told, and no others', () => {
    expect(edited({ features: new Map() })).toEqual({ ...stored, version: 2, features: new Map() });
  });
});

it('limit fields lose what is null, except where null says that there is none', () => {
  const stored = { limit: units, included: units, spendLimit: units, entityLimit: units, credits: creditsOf('1') };
  expect(editedLimits(stored, {})).toEqual(stored);
  const nulls = { limit: null, spendLimit: null, entityLimit: null, credits: null };
  expect(editedLimits(stored, { ...nulls, included: null, value: null })).toStrictEqual(nulls);
});
