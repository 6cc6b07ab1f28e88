/**
 * Goal: what a feature and a plan say goes together, whoever says it, and the problem is told at the field to change.
 * Method: a table of a feature, what a plan sets for it, and where the clash is told; then each door by itself.
 */
import { describe, expect, it } from 'vitest';
import type { PlanDefinition } from './definitions.ts';
import type { LimitFields } from './feature.ts';
import {
  noticesOfCatalog,
  problemsOfCatalog,
  problemsOfFeaturePolicies,
  problemsOfOverride,
  problemsOfPlanPolicies,
} from './policy-bounds.ts';
import type { Price } from './price.ts';
import { unitsOf } from './units.ts';

const rest = { currency: 'usd', minimumSpend: null, maximumSpend: null } as const;
const priced: LimitFields = { price: { model: 'per_unit', unitAmount: unitsOf('10'), ...rest } };
const tiers = [{ upTo: null, unitAmount: unitsOf('1'), flatAmount: 0n }];
const byVolume: LimitFields = { price: { model: 'volume', tiers, ...rest } };
const graduated: LimitFields = { price: { model: 'graduated', tiers, ...rest } };
const prepaid: LimitFields = { billing: 'prepaid' };
const bounded: LimitFields = { spendLimit: unitsOf('500') };

const plan = (fields: LimitFields, more: Partial<PlanDefinition> = {}): PlanDefinition => ({
  key: 'pro',
  features: new Map([['a', fields]]),
  ...more,
});
const told = (problems: readonly { path: readonly string[]; sentence: string }[]) =>
  problems.map(({ path, sentence }) => `${path.join('.')} ${sentence}`);

describe('a feature and a plan', () => {
  it.each<[what: string, feature: LimitFields, fields: LimitFields, says: RegExp | null]>([
    ['prepaid with a price', { ...priced, ...prepaid }, {}, null],
    ['prepaid by the plan, priced by the feature', priced, prepaid, null],
    ['prepaid by the feature, priced by the plan', prepaid, priced, null],
    ['prepaid by graduated tiers', graduated, prepaid, null],
    ['billed post-paid by volume', byVolume, { billing: 'postpaid' }, null],
    ['prepaid again made post-paid', prepaid, { billing: 'postpaid' }, null],
    ['a spend limit with a price', { ...priced, ...bounded }, {}, null],
    ['a spend limit taken away', bounded, { spendLimit: null }, null],
    [
      'prepaid without a price',
      prepaid,
      {},
      /^features\.a\.billing is "prepaid", which needs a price: .*plan "pro"\)$/,
    ],
    ['made prepaid without a price', {}, prepaid, /^plans\.pro\.features\.a\.billing is "prepaid", which needs/],
    ['a spend limit without a price', bounded, {}, /^features\.a\.spendLimit is 500, but without a price nothing/],
    ['given one without a price', {}, bounded, /^plans\.pro\.features\.a\.spendLimit is 500, but without a price/],
    [
      'prepaid by volume',
      { ...byVolume, ...prepaid },
      {},
      /^features\.a\.price is by volume, but prepaid: .*"graduated"/,
    ],
    ['made prepaid by volume', byVolume, prepaid, /^plans\.pro\.features\.a\.billing is "prepaid", but what a unit/],
    ['given volume prices, prepaid', prepaid, byVolume, /^plans\.pro\.features\.a\.price is by volume, but prepaid/],
  ])('%s', (_, feature, fields, says) => {
    const problems = told(problemsOfCatalog([{ key: 'a', ...feature }], [plan(fields)]));
    expect(problems).toEqual(says === null ? [] : [expect.stringMatching(says)]);
  });

  it('that no plan names stands by itself', () => {
    expect(told(problemsOfCatalog([{ key: 'a', ...prepaid }], []))).toEqual([
      expect.stringMatching(/^features\.a\.billing is "prepaid", which needs a price: .* leave billing out$/),
    ]);
  });
});

describe("a plan's money", () => {
  const autoTopUp = { threshold: unitsOf('100'), amount: unitsOf('1000'), maxPerMonth: 10, coolOffMs: 0 };
  const wallet = { currency: 'usd', floor: 0n, autoTopUp };
  const inEuro: Price = { model: 'per_unit', unitAmount: 0n, ...rest, currency: 'eur' };

  it.each<[what: string, fields: LimitFields, more: Partial<PlanDefinition>, says: RegExp | null]>([
    ['a top-up for a prepaid feature', prepaid, { wallet }, null],
    ['a wallet without a top-up', {}, { wallet: { ...wallet, autoTopUp: null } }, null],
    [
      'a top-up for nothing',
      {},
      { wallet },
      /^plans\.pro\.wallet\.autoTopUp has nothing to do: no feature of the plan/,
    ],
    [
      'a wallet in another currency',
      { ...prepaid, price: inEuro },
      { wallet },
      /^plans\.pro\.wallet\.currency is "usd", but "a" is prepaid in "eur"/,
    ],
    ['a spend limit', {}, { spendLimit: { amount: 5n, currency: 'usd' } }, null],
    [
      'a spend limit in another currency',
      {},
      { spendLimit: { amount: 5n, currency: 'eur' } },
      /^plans\.pro\.spendLimit\.currency is "eur", but "a" costs "usd"/,
    ],
  ])('%s', (_, fields, more, says) => {
    const problems = told(problemsOfCatalog([{ key: 'a', ...priced }], [plan(fields, more)]));
    expect(problems).toEqual(says === null ? [] : [expect.stringMatching(says)]);
  });

  it('comes with a notice of what a top-up does not see', () => {
    const features = ['a', 'b', 'c'].map((key) => ({ key, ...(key !== 'c' && priced) }));
    const both = plan(prepaid, {
      wallet,
      features: new Map([
        ['a', prepaid],
        ['b', {}],
        ['c', {}],
      ]),
    });
    expect(noticesOfCatalog(features, [both])).toEqual([
      'plans.pro.wallet.autoTopUp is not triggered by the feature b, which is billed post-paid: what the wallet does not pay is overage.',
    ]);
    expect(noticesOfCatalog(features, [plan(prepaid, { wallet })])).toEqual([]);
    expect(noticesOfCatalog(features, [plan({}, {})])).toEqual([]);
  });
});

describe('one door alone', () => {
  it('a plan is held to the features there are', () => {
    const problems = problemsOfPlanPolicies(plan({}), new Map([['a', prepaid]]));
    expect(told(problems)).toEqual([
      expect.stringMatching(/^features\.a has a billing from its feature that is "prepaid", which needs a price/),
    ]);
    expect(problemsOfPlanPolicies(plan(prepaid), new Map())).toEqual([]);
  });

  it('a feature is held to the plans that name it', () => {
    const problems = problemsOfFeaturePolicies({ key: 'a' }, [plan(bounded), plan(priced)]);
    expect(told(problems)).toEqual([
      expect.stringMatching(/^price does not go with the plan "pro": there spendLimit is 500, but without a price/),
    ]);
    expect(problemsOfFeaturePolicies({ key: 'b' }, [plan(bounded)])).toEqual([]);
  });

  it("a customer's own fields are held to what they are merged with", () => {
    expect(told(problemsOfOverride({}, {}, bounded))).toEqual([expect.stringMatching(/^spendLimit is 500/)]);
    expect(problemsOfOverride({}, priced, bounded)).toEqual([]);
    expect(problemsOfOverride(prepaid, {}, { limit: null })).toEqual([]);
  });
});
