/** definition-bounds — what no feature or plan may say, wherever it was said: in the config file or by a mutation. */
import type { FeatureDefinition, PlanDefinition } from './definitions.ts';
import type { LimitFields, UnitPrice } from './feature.ts';
import type { PlanPrice } from './plan.ts';
import type { RateLimit } from './rate-limit.ts';
import { problemOfLine } from './text.ts';
import { type Threshold, thresholdKey } from './threshold.ts';
import { formatUnits, ONE } from './units.ts';

/** Where, from the definition inwards, and a sentence on what was found and what is allowed. */
export type Problem = { readonly path: readonly string[]; readonly sentence: string };

export const KEY_LENGTH_MAX = 64;
export const TEXT_LENGTH_MAX = 200;
export const DETAILS_MAX = 50;
export const THRESHOLDS_MAX = 20;
export const PRICES_MAX = 20;
export const PLAN_FEATURES_MAX = 1_000;
export const RATE_LIMIT_MAX = 1_000_000_000;
export const RATE_WINDOW_MIN_MS = 1_000;
export const RATE_WINDOW_MAX_MS = 31 * 24 * 3_600_000;

const KEY = /^[A-Za-z][A-Za-z0-9_.:-]*$/;
const CURRENCY = /^[a-z]{3}$/;

/** What is wrong with a feature; empty when nothing is. */
export function problemsOfFeature(definition: FeatureDefinition): readonly Problem[] {
  const { key, displayName, unit, details = [] } = definition;
  return [
    ...problemsOfKey(key),
    ...problemsOfText(['displayName'], displayName),
    ...problemsOfText(['unit'], unit),
    ...problemsOfCount(['details'], details.length, DETAILS_MAX, 'lines'),
    ...details.flatMap((line, i) => problemsOfText(['details', String(i)], line)),
    ...problemsOfLimits(definition),
  ];
}

/** What is wrong with a plan by itself; whether the features it names exist is another question. */
export function problemsOfPlan({ key, displayName, prices = [], rateLimit, features }: PlanDefinition) {
  return [
    ...problemsOfKey(key),
    ...problemsOfText(['displayName'], displayName),
    ...problemsOfCount(['price'], prices.length, PRICES_MAX, 'prices'),
    ...prices.flatMap((price, i) => problemsOfPlanPrice(price, ['price', String(i)])),
    ...(rateLimit ? problemsOfRateLimit(rateLimit) : []),
    ...problemsOfCount(['features'], features.size, PLAN_FEATURES_MAX, 'features'),
    ...[...features].flatMap(([featureKey, fields]) =>
      problemsOfLimits(fields).map((problem) => ({ ...problem, path: ['features', featureKey, ...problem.path] })),
    ),
  ] satisfies readonly Problem[];
}

/** What is wrong with limit fields: a feature's, a plan's, or a customer's own. */
export function problemsOfLimits(fields: LimitFields): readonly Problem[] {
  const { limit, included, minLimit, thresholds = [], price } = fields;
  const problems: Problem[] = [];
  if (typeof limit === 'bigint' && limit < 0n) {
    problems.push({
      path: ['limit'],
      sentence: `is ${formatUnits(limit)}; a limit is 0 (nothing allowed) or more, or null (unlimited)`,
    });
  }
  if (included !== undefined && included < 0n) {
    problems.push({ path: ['included'], sentence: `is ${formatUnits(included)}; what is included is 0 or more` });
  }
  if (minLimit !== undefined && typeof limit === 'bigint' && minLimit > limit) {
    problems.push({
      path: ['minLimit'],
      sentence: `is ${formatUnits(minLimit)}, above the limit of ${formatUnits(limit)}; a floor lies at or below the limit`,
    });
  }
  return [...problems, ...problemsOfThresholds(thresholds), ...(price ? problemsOfPrice(price) : [])];
}

/** What is wrong with a key, feature's or plan's, to be read after its name; null when nothing is. */
export function problemOfKey(key: string): string | null {
  if (KEY.test(key) && key.length <= KEY_LENGTH_MAX) return null;
  const shown = JSON.stringify(key.length > KEY_LENGTH_MAX ? `${key.slice(0, KEY_LENGTH_MAX)}…` : key);
  return `is ${shown}; a key starts with a letter, has letters, digits and _ . : - and is at most ${KEY_LENGTH_MAX} long`;
}

function problemsOfKey(key: string): readonly Problem[] {
  const sentence = problemOfKey(key);
  return sentence === null ? [] : [{ path: ['key'], sentence }];
}

function problemsOfThresholds(thresholds: readonly Threshold[]): readonly Problem[] {
  const seen = new Set<string>();
  const each = thresholds.flatMap((threshold, i): Problem[] => {
    const path = ['thresholds', String(i)];
    const key = thresholdKey(threshold);
    if (seen.has(key)) return [{ path, sentence: 'is there twice; each threshold raises one alert a period' }];
    seen.add(key);
    const sentence = problemOfThreshold(threshold);
    return sentence === null ? [] : [{ path, sentence }];
  });
  return [...problemsOfCount(['thresholds'], thresholds.length, THRESHOLDS_MAX, 'thresholds'), ...each];
}

function problemOfThreshold({ kind, value }: Threshold): string | null {
  if (kind === 'fraction' && (value <= 0n || value > 10n * ONE)) {
    return `is ${formatUnits(value)}; a fraction of the limit is above 0 and at most 10, so 80 % is 0.8`;
  }
  if (kind === 'used' && value <= 0n) return `is ${formatUnits(value)} used; write a number above 0`;
  if (kind === 'remaining' && value < 0n) return `is ${formatUnits(value)} remaining; write 0 or more`;
  return null;
}

const problemsOfPrice = ({ unitAmount, currency }: UnitPrice): readonly Problem[] => [
  ...problemsOfAmount(['price', 'unitAmount'], unitAmount),
  ...problemsOfCurrency(['price', 'currency'], currency),
];

const problemsOfPlanPrice = ({ amount, currency }: PlanPrice, path: readonly string[]): readonly Problem[] => [
  ...problemsOfAmount([...path, 'amount'], amount),
  ...problemsOfCurrency([...path, 'currency'], currency),
];

const problemsOfAmount = (path: readonly string[], amount: bigint): readonly Problem[] =>
  amount >= 0n ? [] : [{ path, sentence: `is ${formatUnits(amount)}; a price is 0 or more, in minor units (cents)` }];

const problemsOfCurrency = (path: readonly string[], currency: string): readonly Problem[] =>
  CURRENCY.test(currency)
    ? []
    : [{ path, sentence: `is ${JSON.stringify(currency)}; write the three small letters of ISO 4217, like "usd"` }];

function problemsOfRateLimit({ limit, windowMs }: RateLimit): readonly Problem[] {
  const problems: Problem[] = [];
  if (!Number.isInteger(limit) || limit < 1 || limit > RATE_LIMIT_MAX) {
    problems.push({
      path: ['rateLimit', 'limit'],
      sentence: `is ${limit}; write how many calls fit into the window, a whole number from 1`,
    });
  }
  if (!Number.isInteger(windowMs) || windowMs < RATE_WINDOW_MIN_MS || windowMs > RATE_WINDOW_MAX_MS) {
    problems.push({
      path: ['rateLimit', 'window'],
      sentence: `is ${windowMs / 1_000} seconds; a window is from 1 second to 31 days long`,
    });
  }
  return problems;
}

function problemsOfText(path: readonly string[], text: string | null | undefined): readonly Problem[] {
  if (text === null || text === undefined) return [];
  if (text.trim() === '') return [{ path, sentence: 'is empty; leave it out or write something' }];
  const sentence = problemOfLine(text, TEXT_LENGTH_MAX);
  return sentence === null ? [] : [{ path, sentence }];
}

const problemsOfCount = (path: readonly string[], count: number, max: number, noun: string): readonly Problem[] =>
  count <= max ? [] : [{ path, sentence: `has ${count} ${noun}; at most ${max} are allowed` }];
