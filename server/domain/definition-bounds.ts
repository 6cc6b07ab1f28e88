/** definition-bounds — what no feature or plan may say, wherever it was said: in the config file or by a mutation. */

import { isAdditive } from './aggregation.ts';
import { problemOfCurrency } from './currency.ts';
import type { FeatureDefinition, PlanDefinition } from './definitions.ts';
import { DURATION_UNITS } from './duration.ts';
import { type Aggregation, COUNTED } from './feature.ts';
import { problemsOfLimits, problemsOfRateLimits } from './limit-bounds.ts';
import type { Money } from './money.ts';
import { problemOfReset, type Reset } from './period.ts';
import type { PlanPrice } from './plan.ts';
import { type Problem, problemAt, problemsOfCount, under } from './problem.ts';
import { problemOfLine } from './text.ts';
import { formatUnits, PREPAID_MAX, type Units } from './units.ts';
import { type AutoTopUp, problemOfFloor, type WalletRule } from './wallet.ts';

export const KEY_LENGTH_MAX = 64;
export const TEXT_LENGTH_MAX = 200;
export const DETAILS_MAX = 50;
export const DIMENSIONS_MAX = 5;
export const PROPERTY_LENGTH_MAX = 64;
export const PRICES_MAX = 20;
export const PLAN_FEATURES_MAX = 1_000;
export const TOP_UPS_PER_MONTH_MAX = 1_000;
export const COOL_OFF_MAX_MS = 31 * 24 * 3_600_000;

const KEY = /^[A-Za-z][A-Za-z0-9_.:-]*$/;

/** What is wrong with a feature; empty when nothing is. Paths are in the words of the config file. */
export function problemsOfFeature(definition: FeatureDefinition): readonly Problem[] {
  const { key, displayName, unit, details = [], dimensions = [], reset = 'monthly' } = definition;
  return [
    ...problemAt(['key'], problemOfKey(key)),
    ...problemsOfText(['displayName'], displayName),
    ...problemsOfText(['unit'], unit),
    ...problemsOfAggregation(definition),
    ...problemAt(['reset'], problemOfReset(reset)),
    ...problemsOfDimensions(dimensions),
    ...problemsOfCount(['details'], details.length, DETAILS_MAX, 'lines'),
    ...details.flatMap((line, i) => problemsOfText(['details', String(i)], line)),
    ...problemsOfLimits(definition),
  ];
}

/** What is wrong with a plan by itself; how it goes with its features is `policy-bounds.ts`'s to say. */
export function problemsOfPlan(definition: PlanDefinition): readonly Problem[] {
  const { key, displayName, prices = [], rateLimits = [], spendLimit, wallet, features } = definition;
  return [
    ...problemAt(['key'], problemOfKey(key)),
    ...problemsOfText(['displayName'], displayName),
    ...problemsOfCount(['price'], prices.length, PRICES_MAX, 'prices'),
    ...prices.flatMap((price, i) => problemsOfPlanPrice(price, ['price', String(i)])),
    ...problemsOfRateLimits(rateLimits),
    ...(spendLimit ? problemsOfSpendLimit(spendLimit) : []),
    ...(wallet ? under(['wallet'], problemsOfWallet(wallet)) : []),
    ...problemsOfCount(['features'], features.size, PLAN_FEATURES_MAX, 'features'),
    ...[...features].flatMap(([featureKey, fields]) => under(['features', featureKey], problemsOfLimits(fields))),
  ];
}

/** What is wrong with a key, feature's or plan's, to be read after its name; null when nothing is. */
export function problemOfKey(key: string): string | null {
  if (KEY.test(key) && key.length <= KEY_LENGTH_MAX) return null;
  const shown = JSON.stringify(key.length > KEY_LENGTH_MAX ? `${key.slice(0, KEY_LENGTH_MAX)}…` : key);
  return `is ${shown}; a key starts with a letter, has letters, digits and _ . : - and is at most ${KEY_LENGTH_MAX} long`;
}

/** Whether the aggregation has what it needs, and nothing that says nothing about it. */
function problemsOfAggregation({ aggregation = 'sum', of, unit, reset = 'monthly', entityLimit }: FeatureDefinition) {
  return [
    ...(of === undefined || of === null ? [] : problemAt(['of'], problemOfLine(of, PROPERTY_LENGTH_MAX))),
    ...problemAt(['of'], problemOfOf(aggregation, of ?? null)),
    ...problemAt(['unit'], aggregation === 'duration' ? problemOfDurationUnit(unit ?? null) : null),
    ...problemAt(['reset'], problemOfWeighing(aggregation, reset)),
    ...problemAt(['entityLimit'], problemOfEntityLimit(aggregation, entityLimit)),
  ];
}

/** What is wrong with a limit of each entity, to be read after its name; null when nothing is. */
export function problemOfEntityLimit(aggregation: Aggregation, entityLimit: Units | null | undefined): string | null {
  if (typeof entityLimit !== 'bigint' || isAdditive(aggregation)) return null;
  return `is ${formatUnits(entityLimit)}, but the aggregation is ${aggregation}, which counts ${COUNTED[aggregation]}; entities share only amounts that add up (count, sum, duration), so leave entityLimit out`;
}

function problemOfOf(aggregation: Aggregation, of: string | null): string | null {
  if (aggregation === 'unique') {
    return of === null
      ? 'is missing; unique counts the distinct values of a property, so name it, like "user_id"'
      : null;
  }
  return of === null
    ? null
    : `is ${JSON.stringify(of)}, but the aggregation is ${aggregation}; only unique counts the values of a property`;
}

function problemOfDurationUnit(unit: string | null): string | null {
  if (DURATION_UNITS.some((known) => known === unit)) return null;
  const found = unit === null ? 'is missing' : `is ${JSON.stringify(unit)}`;
  return `${found}; a duration is counted in one of ${DURATION_UNITS.join(', ')}`;
}

const problemOfWeighing = (aggregation: Aggregation, reset: Reset): string | null =>
  aggregation === 'weighted_sum' && reset === 'never'
    ? 'is "never", but a weighted sum weighs by the share of the period; give it a period, like "monthly"'
    : null;

function problemsOfDimensions(dimensions: readonly string[]): readonly Problem[] {
  const each = dimensions.flatMap((name, i) => {
    const isAgain = dimensions.indexOf(name) < i;
    const sentence = isAgain ? 'is there twice; name each property once' : problemOfLine(name, PROPERTY_LENGTH_MAX);
    return problemAt(['dimensions', String(i)], sentence);
  });
  return [...problemsOfCount(['dimensions'], dimensions.length, DIMENSIONS_MAX, 'properties'), ...each];
}

const problemsOfPlanPrice = ({ amount, currency }: PlanPrice, path: readonly string[]): readonly Problem[] => [
  ...problemsOfAmount([...path, 'amount'], amount, 'a price'),
  ...problemAt([...path, 'currency'], problemOfCurrency(currency)),
];

const problemsOfSpendLimit = ({ amount, currency }: Money): readonly Problem[] => [
  ...problemsOfAmount(['spendLimit', 'amount'], amount, 'a spend limit'),
  ...problemAt(['spendLimit', 'currency'], problemOfCurrency(currency)),
];

const problemsOfAmount = (path: readonly string[], amount: Units, noun: string): readonly Problem[] =>
  problemAt(path, amount >= 0n ? null : `is ${formatUnits(amount)}; ${noun} is 0 or more, in minor units (cents)`);

/** What is wrong with a wallet's rule; paths start within it. */
const problemsOfWallet = ({ currency, floor, autoTopUp }: WalletRule): readonly Problem[] => [
  ...problemAt(['currency'], problemOfCurrency(currency)),
  ...problemAt(['floor'], problemOfFloor(floor)),
  ...(autoTopUp ? under(['autoTopUp'], problemsOfAutoTopUp(autoTopUp, floor)) : []),
];

function problemsOfAutoTopUp({ threshold, amount, maxPerMonth, coolOffMs }: AutoTopUp, floor: Units) {
  const isMax = Number.isInteger(maxPerMonth) && maxPerMonth >= 1 && maxPerMonth <= TOP_UPS_PER_MONTH_MAX;
  const isCoolOff = Number.isInteger(coolOffMs) && coolOffMs >= 0 && coolOffMs <= COOL_OFF_MAX_MS;
  return [
    ...problemAt(
      ['threshold'],
      threshold > floor
        ? null
        : `is ${formatUnits(threshold)}, but no balance falls below the floor of ${formatUnits(floor)}; write more than that`,
    ),
    ...problemAt(
      ['amount'],
      amount > 0n && amount <= PREPAID_MAX
        ? null
        : `is ${formatUnits(amount)}; write how much to top up, above 0 and at most ${formatUnits(PREPAID_MAX)}, in minor units (cents)`,
    ),
    ...problemAt(
      ['maxPerMonth'],
      isMax ? null : `is ${maxPerMonth}; write a whole number from 1 to ${TOP_UPS_PER_MONTH_MAX}`,
    ),
    ...problemAt(['coolOff'], isCoolOff ? null : `is ${coolOffMs / 1_000} seconds; up to 31 days are allowed`),
  ];
}

function problemsOfText(path: readonly string[], text: string | null | undefined): readonly Problem[] {
  if (text === null || text === undefined) return [];
  return problemAt(
    path,
    text.trim() === '' ? 'is empty; leave it out or write something' : problemOfLine(text, TEXT_LENGTH_MAX),
  );
}
