/** config-limits — the limit fields, as a config file writes them on a feature and in a plan. */
import { z } from 'zod';
import { chosen, decimal, duration, fields, isGroup, list, oneOf, orNull, text, whole } from './config-parts.ts';
import { price } from './config-price.ts';
import { shown, unknownValue } from './config-problems.ts';
import { type CreditRule, type OnRenewal, PLAN_PRIORITY } from './domain/credit-rule.ts';
import { BILLINGS, ENFORCEMENTS, type EntitlementValue, type LimitFields } from './domain/feature.ts';
import { INTERVAL_UNITS, type Interval, intervalOf, NAMED_RESETS, type Reset } from './domain/period.ts';
import type { RateLimit } from './domain/rate-limit.ts';
import { canFall, FALLING_KINDS, type Threshold, type ThresholdKind } from './domain/threshold.ts';
import type { Units } from './domain/units.ts';

const interval = fields('an interval', {
  every: whole('a whole number, like 6'),
  unit: oneOf(INTERVAL_UNITS),
}).transform(({ every, unit }): Interval => intervalOf(every, unit));

/** A name, or `{ every: 6, unit: 'hour' }`. */
export const reset = chosen<Reset>((found) => {
  if (isGroup(found)) return interval;
  if (NAMED_RESETS.some((name) => name === found)) return z.enum(NAMED_RESETS);
  return `${unknownValue(found, NAMED_RESETS)}, and intervals like { every: 6, unit: "hour" }`;
});

/** The words for what a threshold is measured by. */
const KINDS = {
  fraction: 'fraction',
  used: 'used',
  remaining: 'remaining',
  remainingFraction: 'remaining_fraction',
  spend: 'spend',
  every: 'every',
} as const satisfies Record<string, ThresholdKind>;

const isKind = (word: string): word is keyof typeof KINDS => Object.hasOwn(KINDS, word);

const THRESHOLDS =
  'a fraction of the limit like 0.8, or one of { used: 800 }, { remaining: 10 }, { remainingFraction: 0.1 }, { spend: 5_000 }, { every: 100 }';

const falling = z.boolean({ error: (issue) => `is ${shown(issue.input)}; write true, or leave it out` });

/** `0.8`, or `{ used: 800 }` and its like, some with `falling: true`. */
const threshold = chosen<Threshold>((found) => {
  if (typeof found === 'number' || typeof found === 'string') {
    return decimal.transform((value): Threshold => ({ kind: 'fraction', value }));
  }
  const words = isGroup(found) ? Object.keys(found).filter((word) => word !== 'falling') : [];
  const [word = ''] = words;
  if (words.length !== 1 || !isKind(word)) return `is ${shown(found)}; write ${THRESHOLDS}`;
  return thresholdOf(word);
});

const thresholdOf = (word: keyof typeof KINDS) =>
  fields('a threshold', { [word]: decimal, falling: falling.exactOptional() }).transform((said, context): Threshold => {
    const kind = KINDS[word];
    const value = said[word] as Units; // a decimal, by the line above; a computed key is not told apart
    if (said.falling !== true) return { kind, value };
    if (canFall(kind)) return { kind, value, falling: true };
    const message = `is true, but only ${FALLING_KINDS.join(' and ')} are watched on the way down, too; leave it out`;
    context.addIssue({ code: 'custom', path: ['falling'], message });
    return z.NEVER;
  });

const HUNDRED: Units = 100n;

/** Units, or a part of the allocation like `'50%'`. */
const rolloverCap = chosen<{ max: Units } | { maxFraction: Units }>((found) =>
  typeof found === 'string' && found.trim().endsWith('%')
    ? text.transform((said, context) => {
        const percent = decimal.safeParse(said.trim().slice(0, -1).trim());
        if (percent.success && percent.data % HUNDRED === 0n) return { maxFraction: percent.data / HUNDRED };
        context.addIssue({ code: 'custom', message: `is ${shown(said)}; write a percentage like "50%"` });
        return z.NEVER;
      })
    : decimal.transform((max) => ({ max })),
);

const rollover = fields('a rollover', {
  max: rolloverCap.exactOptional(),
  expiresAfter: interval.exactOptional(),
}).transform(({ max: cap, expiresAfter }) => ({
  max: null,
  maxFraction: null,
  ...cap,
  expiresAfter: expiresAfter ?? null,
}));

const onRenewal = chosen<OnRenewal>((found) => {
  if (found === 'reset' || found === 'add') return z.enum(['reset', 'add']);
  if (isGroup(found)) return fields('onRenewal', { rollover }).transform((said) => said.rollover);
  if (found === 'rollover') return 'is "rollover"; write { rollover: {} }, with max and expiresAfter as you like';
  return `${unknownValue(found, ['reset', 'add'])}, and { rollover: { max: 50 } }`;
});

const creditFields = fields(
  'credits',
  {
    allocation: decimal,
    onRenewal: onRenewal.default('reset'),
    reset: orNull(reset).default(null),
    priority: whole('a whole number; lower burns first').default(PLAN_PRIORITY),
  },
  (found) => (typeof found === 'number' ? `write { allocation: ${found} }: ` : ''),
);

const credits: z.ZodType<CreditRule> = creditFields;

const rateLimitFields = fields('a rate limit', {
  limit: whole('how many calls fit into the window'),
  window: duration,
}).transform(({ limit, window }): RateLimit => ({ limit, windowMs: window }));

/** Either of two fields: most plans need one rule. */
export const rateLimitShape = {
  rateLimit: rateLimitFields.exactOptional(),
  rateLimits: list(rateLimitFields, 'a list of { limit, window }').exactOptional(),
};

type SaidRateLimits = { rateLimit?: RateLimit; rateLimits?: readonly RateLimit[] };

/** Both ways to write rate limits made one. */
export function withRateLimits<T extends SaidRateLimits>(said: T, context: z.RefinementCtx) {
  const { rateLimit, rateLimits, ...rest } = said;
  if (rateLimit && rateLimits) {
    const message = 'is there beside rateLimits; write them all into the list';
    context.addIssue({ code: 'custom', path: ['rateLimit'], message });
  }
  const all = rateLimits ?? (rateLimit && [rateLimit]);
  return { ...rest, ...(all && { rateLimits: all }) };
}

const value = z.custom<EntitlementValue>((found) => ['string', 'number', 'boolean'].includes(typeof found), {
  error: (issue) => `is ${shown(issue.input)}; write what the plan grants: a number, text, or true`,
});

export const limitShape = {
  limit: orNull(decimal).exactOptional(),
  included: decimal.exactOptional(),
  enforcement: oneOf(ENFORCEMENTS).exactOptional(),
  minLimit: decimal.exactOptional(),
  thresholds: list(threshold, 'a list like [0.8, 1]').exactOptional(),
  price: price.exactOptional(),
  billing: oneOf(BILLINGS).exactOptional(),
  spendLimit: orNull(decimal).exactOptional(),
  credits: orNull(credits).exactOptional(),
  ...rateLimitShape,
  entityLimit: orNull(decimal).exactOptional(),
  value: value.exactOptional(),
};

const planFeatureFields: z.ZodType<LimitFields> = fields('what a plan sets for a feature', limitShape, (found) =>
  typeof found === 'number'
    ? `write { limit: ${found} } or { value: ${found} }: `
    : 'write true, false, or its fields: ',
).transform(withRateLimits);

/** What a plan sets for a feature: `true` entitles without more, and `false` (null here) is as if it were not named. */
export const planFeature = chosen<LimitFields | null>((found) => {
  if (found === true) return z.literal(true).transform(() => ({}));
  if (found === false) return z.literal(false).transform(() => null);
  return planFeatureFields;
});
