/** config-parts — the pieces that the shapes of a config file are made of, each with a sentence for what is no such piece. */
import { Temporal } from 'temporal-polyfill';
import { z } from 'zod';
import { shown, unknownField, unknownValue } from './config-problems.ts';
import { parseUnits } from './domain/units.ts';

/** A group of fields that refuses others, with a line for each. `hint` is said to what is no group at all. */
export function fields<Shape extends z.ZodRawShape>(
  owner: string,
  shape: Shape,
  hint: (found: unknown) => string = () => '',
) {
  const allowed = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code === 'unrecognized_keys') {
        return issue.keys.map((key) => unknownField(key, owner, allowed)).join('\n');
      }
      return `is ${shown(issue.input)}; ${hint(issue.input)}${owner} is a group of fields: ${allowed.join(', ')}`;
    },
  });
}

/** Entries under keys that the user chooses. */
export function group<Entry extends z.ZodType>(what: string, entry: Entry) {
  return z.record(z.string(), entry, {
    error: (issue) => `is ${shown(issue.input)}; ${what} are written as { key: { … } }`,
  });
}

export const list = <Item extends z.ZodType>(item: Item, what: string) =>
  z.array(item, { error: (issue) => `is ${shown(issue.input)}; write ${what}` });

/** One of several words. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  z.enum(words, { error: (issue) => unknownValue(issue.input, words) });

export const text = z.string({ error: (issue) => `is ${shown(issue.input)}; write text in quotes` });

export const currency = text.transform((code) => code.toLowerCase());

/** A number that counts something. `what` says of which it is the number, after "write". */
export const whole = (what: string) => z.number({ error: (issue) => `is ${shown(issue.input)}; write ${what}` });

/** An exact decimal, given as a number or as a string. */
export const decimal = z.unknown().transform((value, context) => {
  if (typeof value !== 'number' && typeof value !== 'string') {
    context.addIssue({ code: 'custom', message: `is ${shown(value)}; write a number, or a string like "0.5"` });
    return z.NEVER;
  }
  const parsed = parseUnits(String(value));
  if (parsed.ok) return parsed.units;
  context.addIssue({ code: 'custom', message: `can't be read: ${parsed.problem}` });
  return z.NEVER;
});

/** An ISO 8601 duration as milliseconds. Months and years have no fixed length, so they are none of it. */
export const duration = z.unknown().transform((value, context): number => {
  try {
    if (typeof value === 'string') return Temporal.Duration.from(value).total({ unit: 'millisecond' });
  } catch {
    // Not a duration, or one without a fixed length: refused below.
  }
  const message = `is ${shown(value)}; write an ISO 8601 duration of seconds, minutes, hours or days, like "PT1M" for one minute`;
  context.addIssue({ code: 'custom', message });
  return z.NEVER;
});

/** The value of the schema that `choose` picks for what is there, with that schema's problems; or refused with a sentence. */
export const chosen = <T>(choose: (found: unknown) => z.ZodType<T> | string) =>
  z.unknown().transform((value, context): T => {
    const schema = choose(value);
    if (typeof schema === 'string') {
      context.addIssue({ code: 'custom', message: schema });
      return z.NEVER;
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    for (const issue of parsed.error.issues) context.addIssue({ ...issue });
    return z.NEVER;
  });

/** The schema, or null. Unlike `nullable`, null is no part of what the schema says it takes. */
export const orNull = <T>(schema: z.ZodType<T>): z.ZodType<T | null> =>
  chosen<T | null>((found) => (found === null ? z.null() : schema));

export const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
