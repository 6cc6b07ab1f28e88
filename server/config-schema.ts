/** config-schema — the shape of a config file's features and plans, read into definitions of the domain. */
import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import { shown, unknownField, unknownValue } from './config-problems.ts';
import { AGGREGATIONS, ENFORCEMENTS } from './domain/feature.ts';
import { DEFAULT_CURRENCY } from './domain/money.ts';
import { RESETS } from './domain/period.ts';
import { BILLING_INTERVALS } from './domain/plan.ts';
import type { Threshold, ThresholdKind } from './domain/threshold.ts';
import { parseUnits } from './domain/units.ts';

/** Said of what Metergraph is going to know: to ignore it silently would be a wrong bill. */
const notYet = (what: string, instead: string) => `is not supported yet: ${what}; ${instead}`;

/** A group of fields that refuses others, with a line for each; `later` names those it doesn't support yet. */
function fields<Shape extends z.ZodRawShape>(
  owner: string,
  shape: Shape,
  later: Readonly<Record<string, string>> = {},
) {
  const allowed = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => later[key] ?? unknownField(key, owner, allowed)).join('\n');
      }
      return `is ${shown(issue.input)}; ${owner} is a group of fields: ${allowed.join(', ')}`;
    },
  });
}

/** One of several words. `later` says of further words, or by a function of other values, what is not supported yet. */
const oneOf = <const Words extends readonly [string, ...string[]]>(
  words: Words,
  later: (found: unknown) => string | undefined = () => undefined,
) => z.enum(words, { error: (issue) => later(issue.input) ?? unknownValue(issue.input, words) });

const text = z.string({ error: (issue) => `is ${shown(issue.input)}; write text in quotes` });

/** An exact decimal, given as a number or as a string. */
const decimal = z.unknown().transform((value, context) => {
  if (typeof value !== 'number' && typeof value !== 'string') {
    context.addIssue({ code: 'custom', message: `is ${shown(value)}; write a number, or a string like "0.5"` });
    return z.NEVER;
  }
  const parsed = parseUnits(String(value));
  if (parsed.ok) return parsed.units;
  context.addIssue({ code: 'custom', message: `can't be read: ${parsed.problem}` });
  return z.NEVER;
});

const list = <Item extends z.ZodType>(item: Item, what: string) =>
  z.array(item, { error: (issue) => `is ${shown(issue.input)}; write ${what}` });

const decimalOrNull = z.unknown().transform((value, context) => {
  if (value === null) return null;
  const parsed = decimal.safeParse(value);
  if (parsed.success) return parsed.data;
  context.addIssue({ code: 'custom', message: parsed.error.issues[0]?.message ?? '' });
  return z.NEVER;
});

/** `0.8`, `{ used: 800 }` or `{ remaining: 10 }`. */
const threshold = z.unknown().transform((value, context): Threshold => {
  const [kind, amount] = kindAndAmount(value);
  if (kind === null) {
    const message = `is ${shown(value)}; write a fraction of the limit like 0.8, { used: 800 } or { remaining: 10 }`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  }
  const parsed = decimal.safeParse(amount);
  if (parsed.success) return { kind, value: parsed.data };
  context.addIssue({ code: 'custom', message: parsed.error.issues[0]?.message ?? '' });
  return z.NEVER;
});

function kindAndAmount(value: unknown): readonly [ThresholdKind | null, unknown] {
  if (typeof value === 'number' || typeof value === 'string') return ['fraction', value];
  if (typeof value !== 'object' || value === null) return [null, null];
  const [[kind, amount] = [], ...more] = Object.entries(value);
  return (kind === 'used' || kind === 'remaining') && more.length === 0 ? [kind, amount] : [null, null];
}

const currency = text.transform((code) => code.toLowerCase());

const unitPrice = fields(
  'a price',
  { unitAmount: decimal, currency: currency.default(DEFAULT_CURRENCY) },
  {
    tiers: notYet('prices in tiers', 'give one unitAmount'),
    mode: notYet('prices in tiers', 'give one unitAmount'),
  },
);

const limitFields = {
  limit: decimalOrNull.exactOptional(),
  included: decimal.exactOptional(),
  enforcement: oneOf(ENFORCEMENTS).exactOptional(),
  minLimit: decimal.exactOptional(),
  thresholds: list(threshold, 'a list like [0.8, 1]').exactOptional(),
  price: unitPrice.exactOptional(),
};

const LATER_LIMIT_FIELDS = {
  credits: notYet('credits that a plan allocates', 'use included for units that cost nothing'),
};

const LATER_AGGREGATIONS: readonly unknown[] = ['max', 'unique', 'duration', 'latest'];

export const featureSchema = fields(
  'a feature',
  {
    displayName: text.exactOptional(),
    unit: text.exactOptional(),
    aggregation: oneOf(AGGREGATIONS, (found) =>
      LATER_AGGREGATIONS.includes(found) ? notYet(`the aggregation ${shown(found)}`, 'use count or sum') : undefined,
    ).exactOptional(),
    reset: oneOf(RESETS, (found) =>
      typeof found === 'object' && found !== null
        ? notYet('a reset of your own length', `use ${RESETS.join(', ')}`)
        : undefined,
    ).exactOptional(),
    details: list(text, 'a list of lines of text').exactOptional(),
    ...limitFields,
  },
  { ...LATER_LIMIT_FIELDS, of: notYet('counting distinct values of a property', 'use the aggregation count or sum') },
);

const planFeature = fields('what a plan sets for a feature', limitFields, LATER_LIMIT_FIELDS);

const planPrice = fields("a plan's price", {
  amount: decimal,
  currency: currency.default(DEFAULT_CURRENCY),
  interval: oneOf(BILLING_INTERVALS),
});

/** An ISO 8601 duration as milliseconds. Months and years have no fixed length, so they are none of it. */
const duration = z.unknown().transform((value, context): number => {
  try {
    if (typeof value === 'string') return Temporal.Duration.from(value).total({ unit: 'millisecond' });
  } catch {
    // Not a duration, or one without a fixed length: refused below.
  }
  const message = `is ${shown(value)}; write an ISO 8601 duration of seconds, minutes, hours or days, like "PT1M" for one minute`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

const rateLimit = fields('a rate limit', {
  limit: z.number({ error: (issue) => `is ${shown(issue.input)}; write how many calls fit into the window` }),
  window: duration,
}).transform(({ limit, window }) => ({ limit, windowMs: window }));

export const planSchema = fields('a plan', {
  displayName: text.exactOptional(),
  price: list(planPrice, 'a list of { amount, currency, interval }').exactOptional(),
  rateLimit: rateLimit.exactOptional(),
  features: group('the features of a plan', planFeature),
});

/** The file as a whole: its features and plans are looked at one by one, so that all problems are found at once. */
export const fileSchema = fields(
  'a config',
  {
    features: group('features', z.unknown()),
    plans: group('plans', z.unknown()).default({}),
    defaultPlan: text.exactOptional(),
  },
  {
    hooks: notYet('hooks', 'decide in your app before it calls consume'),
    authorizeReference: notYet('authorizeReference', 'a key may act for every customer of its tenant'),
  },
);

/** Entries under keys that the user chooses. */
function group<Entry extends z.ZodType>(what: string, entry: Entry) {
  return z.record(z.string(), entry, {
    error: (issue) => `is ${shown(issue.input)}; ${what} are written as { key: { … } }`,
  });
}
