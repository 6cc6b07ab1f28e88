/**
 * catalog — the features, plans and customers of a modelled life: small numbers, so that every line is crossed often.
 *
 * Every aggregation is there, every price model, credits of each renewal, prepaid and post-paid, hard and soft.
 */
import type { CatalogDefinition, FeatureDefinition, PlanDefinition } from '../../server/domain/definitions.ts';
import type { LimitFields } from '../../server/domain/feature.ts';
import type { Price, Tier } from '../../server/domain/price.ts';
import { type Units, unitsOf } from '../../server/domain/units.ts';

/** Units by how they are written; a number of at most three decimals is exact. */
export const u = (text: number | string): Units => unitsOf(String(text));

const tier = (upTo: number | null, unitAmount: number, flatAmount = 0): Tier => ({
  upTo: upTo === null ? null : u(upTo),
  unitAmount: u(unitAmount),
  flatAmount: u(flatAmount),
});
const terms = { currency: 'usd', minimumSpend: null, maximumSpend: null } as const;
const perUnit = (unitAmount: number): Price => ({ model: 'per_unit', unitAmount: u(unitAmount), ...terms });
const inPackages = (amount: number, size: number): Price => ({
  model: 'package',
  packageAmount: u(amount),
  packageSize: u(size),
  ...terms,
});
const percentage = (percent: string): Price => ({ model: 'percentage', percent: u(percent), ...terms });
const tiered = (model: 'graduated' | 'volume' | 'stairstep', ...tiers: Tier[]): Price => ({ model, tiers, ...terms });

const atMost = (limit: number | null, more: LimitFields = {}): LimitFields => ({
  limit: limit === null ? null : u(limit),
  ...more,
});
const gives = (allocation: number, onRenewal: NonNullable<LimitFields['credits']>['onRenewal'], priority = 0) => ({
  allocation: u(allocation),
  onRenewal,
  reset: null,
  priority,
});

export const FEATURES: readonly FeatureDefinition[] = [
  { key: 'calls', aggregation: 'count', reset: 'daily', ...atMost(6) },
  { key: 'tokens', aggregation: 'sum', reset: 'monthly', ...atMost(20, { minLimit: 0n }) },
  { key: 'minutes', aggregation: 'duration', unit: 'minute', reset: 'weekly', ...atMost(10) },
  { key: 'seats', aggregation: 'unique', of: 'user', reset: 'monthly', ...atMost(2) },
  { key: 'peak', aggregation: 'max', reset: 'every 6 hour', ...atMost(8) },
  { key: 'storage', aggregation: 'latest', unit: 'GB', reset: 'never', ...atMost(5, { minLimit: 0n }) },
  { key: 'disk', aggregation: 'weighted_sum', unit: 'GB', reset: 'monthly', ...atMost(9) },
  { key: 'images', aggregation: 'sum', reset: 'yearly', anchor: 'subscription', ...atMost(4) },
  { key: 'volume', aggregation: 'sum', reset: 'hourly', ...atMost(30, { included: u(10) }) },
];

const FREE: PlanDefinition = {
  key: 'free',
  rateLimits: [
    { limit: 5, windowMs: 60_000 },
    { limit: 30, windowMs: 3_600_000 },
  ],
  features: new Map<string, LimitFields>([
    ['calls', { rateLimits: [{ limit: 3, windowMs: 20_000 }] }],
    ['tokens', { entityLimit: u(8) }],
    ['minutes', {}],
    ['seats', {}],
    ['storage', {}],
    ['peak', {}],
    ['volume', atMost(30, { enforcement: 'hard' })],
  ]),
};

const PRO: PlanDefinition = {
  key: 'pro',
  prices: [{ amount: u(2_000), currency: 'usd', interval: 'month' }],
  rateLimits: [{ limit: 9, windowMs: 60_000 }],
  features: new Map<string, LimitFields>([
    ['calls', atMost(10, { enforcement: 'soft', price: perUnit(10), spendLimit: u(150) })],
    [
      'tokens',
      atMost(null, {
        credits: gives(15, 'reset'),
        price: tiered('graduated', tier(5, 10, 3), tier(12, 7.5), tier(null, 4)),
        entityLimit: u(12),
      }),
    ],
    ['minutes', atMost(null, { included: u(5), price: perUnit(30), billing: 'prepaid' })],
    ['seats', atMost(4, { enforcement: 'soft' })],
    ['peak', atMost(20, { included: u(4), price: inPackages(25, 3) })],
    ['storage', atMost(null, { included: u(3), price: perUnit(12) })],
    ['disk', atMost(20, { enforcement: 'soft' })],
    ['images', atMost(null, { credits: { ...gives(3, 'add'), reset: 'monthly' } })],
    ['volume', atMost(null, { price: percentage('2.9'), thresholds: [{ kind: 'spend', value: u(1) }] })],
  ]),
};

const MAX: PlanDefinition = {
  key: 'max',
  prices: [{ amount: u(5_000), currency: 'usd', interval: 'month' }],
  spendLimit: { amount: u(400), currency: 'usd' },
  wallet: { currency: 'usd', floor: u(-100), autoTopUp: null },
  features: new Map<string, LimitFields>([
    ['calls', atMost(null, { included: u(4), price: tiered('stairstep', tier(5, 0, 20), tier(null, 0, 50)) })],
    [
      'tokens',
      atMost(60, {
        included: u(2),
        credits: gives(10, { max: null, maxFraction: u('0.5'), expiresAfter: 'every 2 month' }),
        price: tiered('graduated', tier(10, 6), tier(null, 3)),
        enforcement: 'hard',
        thresholds: [
          { kind: 'used', value: u(10) },
          { kind: 'remaining', value: u(5) },
          { kind: 'every', value: u(12) },
        ],
      }),
    ],
    [
      'minutes',
      atMost(40, {
        included: 0n,
        price: tiered('graduated', tier(4, 20), tier(null, 10)),
        billing: 'prepaid',
        enforcement: 'hard',
        credits: gives(2.5, { max: u(4), maxFraction: null, expiresAfter: null }, 200),
      }),
    ],
    ['seats', atMost(null, { credits: gives(3, 'reset') })],
    ['peak', atMost(null, { included: u(2), price: tiered('volume', tier(6, 9), tier(null, 8)) })],
    ['storage', atMost(20)],
    ['disk', atMost(null)],
    [
      'images',
      atMost(null, {
        credits: { ...gives(4, { max: u(6), maxFraction: null, expiresAfter: 'every 6 week' }), reset: 'monthly' },
      }),
    ],
    ['volume', atMost(null, { included: u(1), price: { ...perUnit(2.5), maximumSpend: u(60) } })],
  ]),
};

export const PLANS: readonly PlanDefinition[] = [FREE, PRO, MAX];
export const CATALOG: CatalogDefinition = { features: FEATURES, plans: PLANS, defaultPlanKey: 'free' };

/** Who lives these lives; their clocks change on different nights, one of them by half an hour. */
export const CUSTOMERS = [
  { referenceId: 'berlin', timeZone: 'Europe/Berlin', planKey: 'free' },
  { referenceId: 'newyork', timeZone: 'America/New_York', planKey: 'pro' },
  { referenceId: 'lordhowe', timeZone: 'Australia/Lord_Howe', planKey: 'max' },
] as const;

/** Instants worth beginning at: before nights when clocks change, ends of months, a leap day, a year's end. */
export const BEGINNINGS = [
  '2026-03-28T20:17:31.417Z',
  '2026-10-24T21:42:07.905Z',
  '2026-11-01T03:11:59.013Z',
  '2027-01-31T09:30:00.501Z',
  '2027-12-30T22:05:13.777Z',
  '2028-02-28T11:11:11.111Z',
] as const;

export function definitionOf(featureKey: string): FeatureDefinition {
  const feature = FEATURES.find(({ key }) => key === featureKey);
  if (!feature) throw new RangeError(`no feature "${featureKey}" in the catalog of the model`);
  return feature;
}

export function planNamed(planKey: string): PlanDefinition {
  const plan = PLANS.find(({ key }) => key === planKey);
  if (!plan) throw new RangeError(`no plan "${planKey}" in the catalog of the model`);
  return plan;
}
