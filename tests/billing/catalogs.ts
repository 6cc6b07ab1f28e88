/** catalogs — configs by chance, and what a tenant has after several of them. */
import fc from 'fast-check';
import { catalogOf } from '../../server/billing/stripe/catalog/testing/catalog-of.ts';
import type { Config, PlanConfig, PriceConfig } from '../../server/define-config.ts';
import type { Catalog } from '../../server/domain/plan.ts';

const amount = fc.constantFrom(0, 1, 10, '0.002', '12.5');
const price: fc.Arbitrary<PriceConfig> = fc.oneof(
  amount.map((unitAmount) => ({ unitAmount })),
  fc.record({ unitAmount: amount, per: fc.constantFrom(10, 50) }),
  fc.constantFrom({ percent: '2.9' }),
  fc
    .record({ upTo: fc.constantFrom(10, 1_000), unitAmount: amount, mode: fc.constantFrom('graduated', 'volume') })
    .map(({ upTo, unitAmount, mode }) => ({
      mode,
      tiers: [
        { upTo, unitAmount },
        { upTo: null, unitAmount: 1, flatAmount: 100 },
      ],
    })),
  fc.constantFrom({
    mode: 'stairstep' as const,
    tiers: [
      { upTo: 5, flatAmount: 1 },
      { upTo: null, flatAmount: 9 },
    ],
  }),
);

const feature = fc.record(
  {
    displayName: fc.constantFrom('Calls', 'Storage', 'Everything'),
    unit: fc.constantFrom('call', 'a unit of many letters'),
    price,
  },
  { requiredKeys: [] },
);

const basePrices = fc.uniqueArray(
  fc.record({
    amount: fc.constantFrom(0, 900, 2_000),
    currency: fc.constantFrom('usd', 'eur'),
    interval: fc.constantFrom('month' as const, 'year' as const),
  }),
  { selector: ({ currency, interval }) => `${currency} ${interval}`, maxLength: 3 },
);

export type AnyConfig = Config<string, string>;

/** Of at most three features and two plans. */
export const anyConfig: fc.Arbitrary<AnyConfig> = fc
  .record({
    features: fc.dictionary(fc.constantFrom('calls', 'storage', 'seats'), feature, {
      minKeys: 1,
      noNullPrototype: true,
    }),
    plans: fc.dictionary(
      fc.constantFrom('free', 'pro'),
      fc.record({
        displayName: fc.constantFrom('Free', 'Pro'),
        price: basePrices,
        own: fc.record({ price }, { requiredKeys: [] }),
        leftOut: fc.constantFrom('none', 'calls', 'seats'),
      }),
      { noNullPrototype: true },
    ),
  })
  .map(({ features, plans }) => ({
    features,
    plans: Object.fromEntries(
      Object.entries(plans).map(([key, { own, leftOut, ...plan }]): [string, PlanConfig] => [
        key,
        {
          ...plan,
          features: Object.fromEntries(Object.keys(features).map((name) => [name, name === leftOut ? false : own])),
        },
      ]),
    ),
  }));

/** What is in the database when these were followed one after the other: what a later one leaves out is archived. */
export function afterAll(configs: readonly AnyConfig[]): Catalog {
  return configs
    .map((config) => catalogOf(config))
    .reduce((before, catalog) => ({
      ...catalog,
      features: archivedBeside(before.features, catalog.features),
      plans: archivedBeside(before.plans, catalog.plans),
      planVersions: new Map([...before.planVersions, ...catalog.planVersions]),
    }));
}

const archivedBeside = <T extends object>(before: ReadonlyMap<string, T>, now: ReadonlyMap<string, T>) =>
  new Map([...[...before].map(([key, entry]) => [key, { ...entry, archivedAtMs: 1 }] as const), ...now]);
