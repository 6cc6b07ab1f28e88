/** scalars — Decimal, DateTime and JSON: the wire's text on one side, the domain's values on the other. */
import { GraphQLError, Kind, type ValueNode, valueFromASTUntyped } from 'graphql';
import { Temporal } from 'temporal-polyfill';
import { formatUnits, type ParsedUnits, parseUnits } from '../domain/units.ts';
import { builder } from './builder.ts';

/** A JSON number with more digits than these may have lost some before it got here. */
const EXACT_DIGITS_MAX = 15;

builder.scalarType('Decimal', {
  description:
    'An exact decimal: up to 9 fractional digits, 38 digits in all. Always a string in answers, in its one canonical form (`"12.5"`). In inputs a string, or a number as long as JSON keeps it exact.',
  serialize: (units) => formatUnits(typeof units === 'bigint' ? units : unitsOfDefault(units)),
  parseValue: (value) => decimalFromVariable(value),
  parseLiteral: (node) => decimalFromLiteral(node),
});

/** The default value of an input field is serialised, too, when the schema is printed. */
function unitsOfDefault(value: unknown): bigint {
  const parsed = value as ParsedUnits; // what inputs of this scalar are
  return parsed.ok ? parsed.units : 0n;
}

/** Reads a decimal from a variable. Something that is no decimal is the mutation's to answer; other types are refused. */
export function decimalFromVariable(value: unknown): ParsedUnits {
  if (typeof value === 'string') return parseUnits(value);
  if (typeof value !== 'number') throw badInput(`Decimal is a string or a number, not ${nounOf(value)}.`);
  const text = String(value);
  const digits = text
    .replace(/e.*$/, '')
    .replace(/[^0-9]/g, '')
    .replace(/^0+/, '');
  const isExact = Number.isInteger(value) ? Number.isSafeInteger(value) : digits.length <= EXACT_DIGITS_MAX;
  if (isExact || !Number.isFinite(value)) return parseUnits(text);
  return { ok: false, problem: `${text} has more digits than a JSON number keeps exactly; send it as a string` };
}

/** Reads a decimal from the document, where numbers have kept their text. */
export function decimalFromLiteral(node: ValueNode): ParsedUnits {
  if (node.kind === Kind.INT || node.kind === Kind.FLOAT || node.kind === Kind.STRING) return parseUnits(node.value);
  throw badInput('Decimal is a string or a number.', node);
}

builder.scalarType('DateTime', {
  description: 'An instant, ISO 8601. In answers in UTC and to the millisecond: `2026-03-01T00:00:00.000Z`.',
  specifiedByURL: 'https://scalars.graphql.org/andimarek/date-time',
  serialize: (ms) => new Date(ms).toISOString(),
  parseValue: (value) => instantFromText(value),
  parseLiteral: (node) => instantFromText(node.kind === Kind.STRING ? node.value : undefined, node),
});

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/i;

/** Epoch milliseconds of an ISO 8601 instant; finer digits are cut. */
export function instantFromText(value: unknown, node?: ValueNode): number {
  try {
    if (typeof value === 'string' && INSTANT.test(value)) return Temporal.Instant.from(value).epochMilliseconds;
  } catch {
    // A day that does not exist, like 31 February.
  }
  throw badInput('DateTime is an ISO 8601 instant with its offset, like "2026-03-01T00:00:00Z".', node);
}

builder.scalarType('JSON', {
  description: 'Any JSON value. Where it is taken in, its text may be at most 16 KiB and 32 levels deep.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
  parseValue: (value) => value,
  parseLiteral: (node, variables) => valueFromASTUntyped(node, variables),
});

const nounOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;

const badInput = (sentence: string, node?: ValueNode): GraphQLError =>
  new GraphQLError(sentence, {
    ...(node && { nodes: node }),
    extensions: { code: 'BAD_USER_INPUT', retryable: false },
  });
