/** Goal: an edit changes what it names and nothing else; null goes back to the default. Method: a table of every field. */
import { describe, expect, it } from 'vitest';
import { featureOf, isSame, planOf } from './definitions.ts';
import { editedFeature, editedLimits, editedPlan, type FeatureEdit, type PlanEdit } from './edits.ts';
import type { Feature } from './feature.ts';
import { unitsOf } from './units.ts';

const units = unitsOf('7');

describe('a feature', () => {
  const stored: Feature = featureOf('tenant', {
    key: 'tokens',
    displayName: 'LLM tokens',
    unit: 'token',
    aggregation: 'count',
    reset: 'never',
    limit: unitsOf('100'),
    included: unitsOf('10'),
    enforcement: 'soft',
    minLimit: 0n,
    thresholds: [],
    price: { unitAmount: unitsOf('0.25'), currency: 'eur' },
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
    ['reset', 'daily', 'monthly'],
    ['limit', units, null],
    ['included', units, undefined],
    ['enforcement', 'hard', undefined],
    ['minLimit', units, undefined],
    ['thresholds', [{ kind: 'used', value: units }], undefined],
    ['price', { unitAmount: units, currency: 'usd' }, undefined],
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
      rateLimit: { limit: 5, windowMs: 1_000 },
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
    ['no rate limit', { rateLimit: null }, { version: 2, rateLimit: null }],
  ])('keeps all else when it is told %s', (_, edit, becomes) => {
    expect(edited({ features: stored.features, ...edit })).toEqual({ ...stored, ...becomes });
  });

  it('has the features it is told, and no others', () => {
    expect(edited({ features: new Map() })).toEqual({ ...stored, version: 2, features: new Map() });
  });
});

it('limit fields lose what is null, except the limit itself', () => {
  const stored = { limit: units, included: units };
  expect(editedLimits(stored, {})).toEqual(stored);
  expect(editedLimits(stored, { limit: null, included: null })).toStrictEqual({ limit: null });
});
