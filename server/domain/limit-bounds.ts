/** limit-bounds — what no limit field may say, whoever sets it: a feature, a plan or a customer. */
import type { CreditRule, Rollover } from './credit-rule.ts';
import type { EntitlementValue, LimitFields } from './feature.ts';
import { problemOfReset } from './period.ts';
import { problemsOfPrice } from './price.ts';
import { type Problem, problemAt, problemsOfCount, under } from './problem.ts';
import type { RateLimit } from './rate-limit.ts';
import { problemOfLine } from './text.ts';
import { type Threshold, thresholdKey } from './threshold.ts';
import { formatUnits, ONE, PREPAID_MAX, type Units } from './units.ts';

export const THRESHOLDS_MAX = 20;
export const RATE_LIMITS_MAX = 10;
export const RATE_LIMIT_MAX = 1_000_000_000;
export const RATE_WINDOW_MIN_MS = 1_000;
export const RATE_WINDOW_MAX_MS = 31 * 24 * 3_600_000;
export const CREDIT_PRIORITY_MAX = 1_000_000;
export const VALUE_LENGTH_MAX = 200;

/**
 * What is wrong with limit fields by themselves; empty when nothing is. What goes wrong only where those of a feature, a
 * plan and a customer come together is `policy-bounds.ts`'s to say. Paths are in the words of the config file.
 */
export function problemsOfLimits(fields: LimitFields): readonly Problem[] {
  const { limit, minLimit, thresholds = [], price, spendLimit, credits, rateLimits = [], value } = fields;
  return [
    ...problemsOfFloorZero(['limit'], limit, 'a limit is 0 (nothing allowed) or more, or null (unlimited)'),
    ...problemsOfFloorZero(['included'], fields.included, 'what is included is 0 or more'),
    ...problemsOfFloorZero(['entityLimit'], fields.entityLimit, 'a limit is 0 or more, or null (none of its own)'),
    ...problemsOfFloorZero(['spendLimit'], spendLimit, 'a spend limit is 0 or more, in minor units (cents), or null'),
    ...problemsOfMinLimit(minLimit, limit),
    ...problemsOfThresholds(thresholds),
    ...(price ? under(['price'], problemsOfPrice(price)) : []),
    ...(credits ? under(['credits'], problemsOfCredits(credits)) : []),
    ...problemsOfRateLimits(rateLimits),
    ...problemAt(['value'], value === undefined ? null : problemOfValue(value)),
  ];
}

const problemsOfFloorZero = (path: readonly string[], units: Units | null | undefined, allowed: string) =>
  problemAt(path, typeof units === 'bigint' && units < 0n ? `is ${formatUnits(units)}; ${allowed}` : null);

function problemsOfMinLimit(minLimit: Units | undefined, limit: Units | null | undefined): readonly Problem[] {
  if (minLimit === undefined || typeof limit !== 'bigint' || minLimit <= limit) return [];
  const sentence = `is ${formatUnits(minLimit)}, above the limit of ${formatUnits(limit)}; a floor lies at or below the limit`;
  return [{ path: ['minLimit'], sentence }];
}

function problemsOfThresholds(thresholds: readonly Threshold[]): readonly Problem[] {
  const seen = new Set<string>();
  const each = thresholds.flatMap((threshold, i): readonly Problem[] => {
    const path = ['thresholds', String(i)];
    const key = thresholdKey(threshold);
    if (seen.has(key)) return [{ path, sentence: 'is there twice; each threshold raises one alert a period' }];
    seen.add(key);
    return problemAt(path, problemOfThreshold(threshold));
  });
  return [...problemsOfCount(['thresholds'], thresholds.length, THRESHOLDS_MAX, 'thresholds'), ...each];
}

function problemOfThreshold({ kind, value, falling }: Threshold): string | null {
  const shown = formatUnits(value);
  switch (kind) {
    case 'fraction':
      return value > 0n && value <= 10n * ONE
        ? null
        : `is ${shown}; a fraction of the limit is above 0 and at most 10, so 80 % is 0.8`;
    case 'used':
      // Down to nothing is a line worth an alert; up from nothing is every use.
      return value > 0n || (falling && value === 0n) ? null : `is ${shown} used; write a number above 0`;
    case 'remaining':
      return value >= 0n ? null : `is ${shown} remaining; write 0 or more`;
    case 'remaining_fraction':
      return value >= 0n && value < ONE
        ? null
        : `is ${shown} of the limit remaining; write a fraction from 0 and below 1, so 10 % is 0.1`;
    case 'spend':
      return value > 0n ? null : `is ${shown} spent; write an amount above 0, in minor units (cents)`;
    case 'every':
      return value > 0n ? null : `is every ${shown}; write a step above 0`;
  }
}

/** What is wrong with the credits that a plan allocates; paths start within them. */
function problemsOfCredits({ allocation, onRenewal, reset, priority }: CreditRule): readonly Problem[] {
  const isPriority = Number.isInteger(priority) && Math.abs(priority) <= CREDIT_PRIORITY_MAX;
  return [
    ...problemAt(
      ['allocation'],
      allocation > 0n && allocation <= PREPAID_MAX
        ? null
        : `is ${formatUnits(allocation)}; credits are more than 0 units and at most ${formatUnits(PREPAID_MAX)}, or null for none`,
    ),
    ...(typeof onRenewal === 'object' ? under(['onRenewal', 'rollover'], problemsOfRollover(onRenewal)) : []),
    ...problemAt(['reset'], reset === null ? null : problemOfReset(reset)),
    ...problemAt(
      ['priority'],
      isPriority ? null : `is ${priority}; write a whole number from ${-CREDIT_PRIORITY_MAX} to ${CREDIT_PRIORITY_MAX}`,
    ),
  ];
}

/** What is wrong with a rollover; paths start within it. */
export function problemsOfRollover({ max, maxFraction, expiresAfter }: Rollover): readonly Problem[] {
  const both = max !== null && maxFraction !== null;
  return [
    ...problemAt(['max'], max === null || max > 0n ? null : `is ${formatUnits(max)}; a cap is above 0, or left out`),
    ...problemAt(
      ['maxFraction'],
      maxFraction === null || maxFraction > 0n ? null : `is ${formatUnits(maxFraction)}; a cap is above 0, or left out`,
    ),
    ...problemAt(['maxFraction'], both ? 'is there beside max; a cap is units or a fraction, not both' : null),
    ...problemAt(['expiresAfter'], expiresAfter === null ? null : problemOfReset(expiresAfter)),
  ];
}

/** What is wrong with the rate limits of a plan or feature; paths begin with `rateLimits`. */
export function problemsOfRateLimits(rateLimits: readonly RateLimit[]): readonly Problem[] {
  const windows = new Set<number>();
  const each = rateLimits.flatMap((rule, i): readonly Problem[] => {
    const path = ['rateLimits', String(i)];
    if (windows.has(rule.windowMs)) {
      const sentence = 'is as long as the window of another; keep the smaller limit of the two';
      return [{ path: [...path, 'window'], sentence }];
    }
    windows.add(rule.windowMs);
    return under(path, problemsOfRateLimit(rule));
  });
  return [...problemsOfCount(['rateLimits'], rateLimits.length, RATE_LIMITS_MAX, 'rate limits'), ...each];
}

function problemsOfRateLimit({ limit, windowMs }: RateLimit): readonly Problem[] {
  const isLimit = Number.isInteger(limit) && limit >= 1 && limit <= RATE_LIMIT_MAX;
  const isWindow = Number.isInteger(windowMs) && windowMs >= RATE_WINDOW_MIN_MS && windowMs <= RATE_WINDOW_MAX_MS;
  return [
    ...problemAt(
      ['limit'],
      isLimit ? null : `is ${limit}; write how many calls fit into the window, a whole number from 1`,
    ),
    ...problemAt(
      ['window'],
      isWindow ? null : `is ${windowMs / 1_000} seconds; a window is from 1 second to 31 days long`,
    ),
  ];
}

function problemOfValue(value: EntitlementValue): string | null {
  if (typeof value === 'string') return problemOfLine(value, VALUE_LENGTH_MAX);
  return typeof value === 'boolean' || Number.isFinite(value)
    ? null
    : `is ${value}; write a finite number, text or true`;
}
