/** config-schema — the shape of a config file's features and plans, read into definitions of the domain. */
import { z } from 'zod';
import { billing, creditPack } from './config-billing.ts';
import { hookShape } from './config-hooks.ts';
import { limitShape, planFeature, rateLimitShape, reset, withRateLimits } from './config-limits.ts';
import { currency, decimal, duration, fields, group, list, oneOf, orNull, text, whole } from './config-parts.ts';
import { EXISTING_CUSTOMERS } from './domain/definitions.ts';
import { AGGREGATIONS, type LimitFields } from './domain/feature.ts';
import { DEFAULT_CURRENCY } from './domain/money.ts';
import { ANCHORS } from './domain/period.ts';
import { BILLING_INTERVALS } from './domain/plan.ts';
import { COOL_OFF_MS, TOP_UPS_PER_MONTH } from './domain/wallet.ts';

export const featureSchema = fields('a feature', {
  displayName: text.exactOptional(),
  unit: text.exactOptional(),
  aggregation: oneOf(AGGREGATIONS).exactOptional(),
  of: text.exactOptional(),
  reset: reset.exactOptional(),
  anchor: oneOf(ANCHORS).exactOptional(),
  dimensions: list(text, 'a list of names of properties, like ["model"]').exactOptional(),
  details: list(text, 'a list of lines of text').exactOptional(),
  ...limitShape,
}).transform(withRateLimits);

const planPrice = fields("a plan's price", {
  amount: decimal,
  currency: currency.default(DEFAULT_CURRENCY),
  interval: oneOf(BILLING_INTERVALS),
});

const spendLimit = fields(
  "a plan's spend limit",
  { amount: decimal, currency: currency.default(DEFAULT_CURRENCY) },
  (found) => (typeof found === 'number' ? `write { amount: ${found} }: ` : ''),
);

const autoTopUp = fields('a top-up', {
  threshold: decimal,
  amount: decimal,
  maxPerMonth: whole('how often in a month at most').default(TOP_UPS_PER_MONTH),
  coolOff: duration.exactOptional(),
}).transform(({ coolOff = COOL_OFF_MS, ...rest }) => ({ ...rest, coolOffMs: coolOff }));

const wallet = fields('a wallet', {
  currency: currency.default(DEFAULT_CURRENCY),
  floor: decimal.default(0n),
  autoTopUp: orNull(autoTopUp).default(null),
});

export const planSchema = fields('a plan', {
  displayName: text.exactOptional(),
  price: list(planPrice, 'a list of { amount, currency, interval }').exactOptional(),
  ...rateLimitShape,
  spendLimit: spendLimit.exactOptional(),
  wallet: wallet.exactOptional(),
  existingCustomers: oneOf(EXISTING_CUSTOMERS).exactOptional(),
  features: group('the features of a plan', planFeature).transform(withoutRefused),
}).transform(withRateLimits);

/** A feature that is `false` is not named. */
function withoutRefused(features: Readonly<Record<string, LimitFields | null>>): ReadonlyMap<string, LimitFields> {
  return new Map(Object.entries(features).flatMap(([key, said]) => (said === null ? [] : [[key, said]])));
}

/** The file as a whole: its features and plans are looked at one by one, so that all problems are found at once. */
export const fileSchema = fields('a config', {
  features: group('features', z.unknown()),
  plans: group('plans', z.unknown()).default({}),
  defaultPlan: text.exactOptional(),
  creditPacks: group('credit packs', creditPack).default({}),
  billing: billing.exactOptional(),
  ...hookShape,
});
