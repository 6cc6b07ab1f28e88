/**
 * Goal: every field of a config file is read exactly, in each way that it may be written. Method: tables of what a feature,
 * a plan and hooks say, and what they are read into.
 */
import { describe, expect, it } from 'vitest';
import { unitsOf } from './domain/units.ts';
import { parseConfig } from './parse-config.ts';

const UNBOUNDED = { currency: 'usd', minimumSpend: null, maximumSpend: null };

/** What a feature is read into when it says this, beside its key; `unit` and the like are left out. */
const featureFrom = (said: object) => {
  const { features } = parseConfig({ features: { a: said } }, 'the test').definition;
  const { key, ...definition } = features[0] ?? {};
  return definition;
};
const units = unitsOf;
const rate = { limit: 5, windowMs: 1_000 };

describe('a field of a feature', () => {
  it.each<[said: object, read: object]>([
    [
      { aggregation: 'unique', of: 'user_id' },
      { aggregation: 'unique', of: 'user_id' },
    ],
    [
      { aggregation: 'duration', unit: 'minute' },
      { aggregation: 'duration', unit: 'minute' },
    ],
    [
      { reset: { every: 6, unit: 'hour' }, anchor: 'subscription' },
      { reset: 'every 6 hour', anchor: 'subscription' },
    ],
    [{ dimensions: ['model', 'region'] }, { dimensions: ['model', 'region'] }],
    [
      { price: { unitAmount: 10, per: 100 } },
      { price: { model: 'package', packageAmount: units('10'), packageSize: units('100'), ...UNBOUNDED } },
    ],
    [
      { price: { percent: '2.9', currency: 'EUR' } },
      { price: { model: 'percentage', percent: units('2.9'), ...UNBOUNDED, currency: 'eur' } },
    ],
    [
      {
        price: {
          tiers: [
            { upTo: 5, unitAmount: 2 },
            { upTo: null, flatAmount: 9 },
          ],
          minimumSpend: 1,
          maximumSpend: 100,
        },
      },
      {
        price: {
          model: 'graduated',
          tiers: [
            { upTo: units('5'), unitAmount: units('2'), flatAmount: 0n },
            { upTo: null, unitAmount: 0n, flatAmount: units('9') },
          ],
          currency: 'usd',
          minimumSpend: units('1'),
          maximumSpend: units('100'),
        },
      },
    ],
    [
      { price: { tiers: [{ upTo: null, flatAmount: 9 }], mode: 'stairstep' } },
      { price: { model: 'stairstep', tiers: [{ upTo: null, unitAmount: 0n, flatAmount: units('9') }], ...UNBOUNDED } },
    ],
    [
      { price: { unitAmount: 1 }, billing: 'prepaid', spendLimit: 500 },
      {
        price: { model: 'per_unit', unitAmount: units('1'), ...UNBOUNDED },
        billing: 'prepaid',
        spendLimit: units('500'),
      },
    ],
    [
      { spendLimit: null, entityLimit: null, credits: null },
      { spendLimit: null, entityLimit: null, credits: null },
    ],
    [
      { credits: { allocation: 100 } },
      { credits: { allocation: units('100'), onRenewal: 'reset', reset: null, priority: 0 } },
    ],
    [
      { credits: { allocation: 9, onRenewal: 'add', reset: { every: 2, unit: 'week' }, priority: 7 } },
      { credits: { allocation: units('9'), onRenewal: 'add', reset: 'every 2 week', priority: 7 } },
    ],
    [
      {
        credits: {
          allocation: 9,
          onRenewal: { rollover: { max: '12.5%', expiresAfter: { every: 3, unit: 'month' } } },
        },
      },
      {
        credits: {
          allocation: units('9'),
          onRenewal: { max: null, maxFraction: units('0.125'), expiresAfter: 'every 3 month' },
          reset: null,
          priority: 0,
        },
      },
    ],
    [
      { credits: { allocation: 9, onRenewal: { rollover: { max: 50 } }, reset: 'monthly' } },
      {
        credits: {
          allocation: units('9'),
          onRenewal: { max: units('50'), maxFraction: null, expiresAfter: null },
          reset: 'monthly',
          priority: 0,
        },
      },
    ],
    [{ rateLimit: { limit: 5, window: 'PT1S' } }, { rateLimits: [rate] }],
    [
      {
        rateLimits: [
          { limit: 5, window: 'PT1S' },
          { limit: 9, window: 'P1D' },
        ],
      },
      { rateLimits: [rate, { limit: 9, windowMs: 86_400_000 }] },
    ],
    [{ entityLimit: 10 }, { entityLimit: units('10') }],
    [{ value: 10 }, { value: 10 }],
    [{ value: 'eu' }, { value: 'eu' }],
    [{ value: true }, { value: true }],
    [
      {
        thresholds: [
          { fraction: 0.5, falling: true },
          { used: 0, falling: true },
          { remainingFraction: 0.1 },
          { spend: 5 },
          { every: 10 },
        ],
      },
      {
        thresholds: [
          { kind: 'fraction', value: units('0.5'), falling: true },
          { kind: 'used', value: 0n, falling: true },
          { kind: 'remaining_fraction', value: units('0.1') },
          { kind: 'spend', value: units('5') },
          { kind: 'every', value: units('10') },
        ],
      },
    ],
  ])('%j is read exactly', (said, read) => expect(featureFrom(said)).toEqual(read));
});

describe('a plan', () => {
  const planFrom = (said: object) =>
    parseConfig(
      { features: { a: { price: { unitAmount: 1 } }, b: {} }, plans: { pro: { features: {}, ...said } } },
      'the test',
    ).definition.plans[0];

  it('entitles to what is true, and not to what is false', () => {
    expect(planFrom({ features: { a: true, b: false } })?.features).toEqual(new Map([['a', {}]]));
    expect(planFrom({ features: { a: {}, b: { value: 10 } } })?.features).toEqual(
      new Map<string, unknown>([
        ['a', {}],
        ['b', { value: 10 }],
      ]),
    );
  });

  it.each<[said: object, read: object]>([
    [{ spendLimit: { amount: 500 } }, { spendLimit: { amount: units('500'), currency: 'usd' } }],
    [{ wallet: {} }, { wallet: { currency: 'usd', floor: 0n, autoTopUp: null } }],
    [
      {
        features: { a: { billing: 'prepaid' } },
        wallet: { floor: -500, autoTopUp: { threshold: 100, amount: 2_000, maxPerMonth: 3, coolOff: 'PT1H' } },
      },
      {
        wallet: {
          currency: 'usd',
          floor: units('-500'),
          autoTopUp: { threshold: units('100'), amount: units('2000'), maxPerMonth: 3, coolOffMs: 3_600_000 },
        },
      },
    ],
    [
      { features: { a: { billing: 'prepaid' } }, wallet: { autoTopUp: { threshold: 1, amount: 2 } } },
      { wallet: { autoTopUp: { maxPerMonth: 10, coolOffMs: 86_400_000 } } },
    ],
    [{ existingCustomers: 'move' }, { existingCustomers: 'move' }],
    [{ rateLimits: [{ limit: 5, window: 'PT1S' }] }, { rateLimits: [rate] }],
  ])('%j is read exactly', (said, read) => expect(planFrom(said)).toMatchObject(read));

  it('whose top-up a feature does not trigger comes with a notice', () => {
    const price = { unitAmount: 1 };
    const features = { a: { price, billing: 'prepaid' }, b: { price } };
    const pro = { features: { a: true, b: true }, wallet: { autoTopUp: { threshold: 1, amount: 2 } } };
    expect(parseConfig({ features, plans: { pro } }, 'the test').notices).toEqual([
      expect.stringMatching(/^plans\.pro\.wallet\.autoTopUp is not triggered by the feature b, /),
    ]);
  });
});

describe('hooks', () => {
  const hooksFrom = (said: object) => parseConfig({ features: {}, ...said }, 'the test').hooks;
  const before = () => {};
  const later = async () => {};

  it.each([
    ['a function', before, { run: before, mode: 'sync', deadlineMs: 250, onFailure: 'deny' }],
    ['an async function', later, { run: later, mode: 'async', deadlineMs: 250, onFailure: 'deny' }],
    [
      'one inside the decision',
      { run: before, mode: 'sync', onFailure: 'allow' },
      { run: before, mode: 'sync', deadlineMs: 250, onFailure: 'allow' },
    ],
    [
      'one with a deadline',
      { run: before, mode: 'async', deadline: 'PT0.1S', onFailure: 'deny' },
      { run: before, mode: 'async', deadlineMs: 100, onFailure: 'deny' },
    ],
  ])('before a call: %s', (_, said, read) => {
    expect(hooksFrom({ hooks: { before: said } })).toEqual({ before: read, after: null, authorizeReference: null });
  });

  it('are handed out as they are', () => {
    const [after, authorizeReference] = [() => {}, () => true];
    expect(hooksFrom({ hooks: { after }, authorizeReference })).toEqual({ before: null, after, authorizeReference });
  });
});
