/**
 * bounds — what the fields of an input may hold. Each check returns the value, or throws `INVALID_INPUT` with the path
 * of the field and a sentence that says what was found and what is allowed.
 */
import { problemOfCurrency } from '../domain/currency.ts';
import { problemOfKey } from '../domain/definition-bounds.ts';
import { durationToUnits } from '../domain/duration.ts';
import { invalidInput, MeterError } from '../domain/errors.ts';
import { timeZoneOf } from '../domain/period.ts';
import { problemOfLine } from '../domain/text.ts';
import { formatUnits, type ParsedUnits, PREPAID_MAX, type Units } from '../domain/units.ts';
import { canonicalJson } from './canonical-json.ts';

export type Path = readonly string[];

const REFERENCE_LENGTH_MAX = 255;
const NAME_LENGTH_MAX = 255;
const EMAIL_LENGTH_MAX = 254;
const EMAIL = /^[^\s@]+@[^\s@]+$/;

/** The app's own id of a customer. */
export const referenceId = (text: string, path: Path): string => line(text, path, REFERENCE_LENGTH_MAX);

export const idempotencyKey = (text: string, path: Path): string => line(text, path, REFERENCE_LENGTH_MAX);

/** Key of a feature or plan that should exist: what could be none by its definition is refused before it is looked for. */
export const key = (text: string, path: Path): string => sound(text, path, problemOfKey(text));

export const name = (text: string, path: Path): string => line(text, path, NAME_LENGTH_MAX);

export function email(text: string, path: Path): string {
  if (line(text, path, EMAIL_LENGTH_MAX) && EMAIL.test(text)) return text;
  throw invalidInput(path, `${spell(path)} is ${shown(text)}; write an address like "name@example.com".`);
}

/** As the IANA spells it. */
export function timeZone(text: string, path: Path): string {
  const zone = text.length <= 64 ? timeZoneOf(text) : null;
  if (zone !== null) return zone;
  throw invalidInput(path, `${spell(path)} is ${shown(text)}; write an IANA time zone like "Europe/Berlin".`);
}

/** A whole number within `[min, max]`. */
export function whole(value: number, path: Path, min: number, max: number): number {
  if (value >= min && value <= max) return value;
  throw invalidInput(path, `${spell(path)} is ${value}; from ${min} to ${max} is allowed.`);
}

export function atMost<T>(list: readonly T[], path: Path, max: number): readonly T[] {
  if (list.length <= max) return list;
  throw invalidInput(path, `${spell(path)} has ${list.length} entries; at most ${max} are allowed.`);
}

/** A decimal of a definition: a limit, a price. */
export function decimal(parsed: ParsedUnits, path: Path): Units {
  if (parsed.ok) return parsed.units;
  throw invalidInput(path, `${spell(path)}: ${parsed.problem}.`);
}

/** The amount of a call; throws `INVALID_AMOUNT`. Whether it makes sense for the feature is the decision's to say. */
export function amount(parsed: ParsedUnits, path: Path): Units {
  if (parsed.ok) return parsed.units;
  throw new MeterError('INVALID_AMOUNT', `Amount ${parsed.problem}.`, { path });
}

/** An amount above 0, of units or of money; throws `INVALID_AMOUNT`. */
export function positiveAmount(parsed: ParsedUnits, path: Path): Units {
  const units = amount(parsed, path);
  if (units > 0n) return units;
  throw new MeterError('INVALID_AMOUNT', `Amount ${formatUnits(units)} is not above 0; send how much it is.`, { path });
}

/** Units or money put in at once; throws `INVALID_AMOUNT`. */
export function prepaidAmount(parsed: ParsedUnits, path: Path): Units {
  const units = positiveAmount(parsed, path);
  if (units <= PREPAID_MAX) return units;
  const sentence = `Amount ${formatUnits(units)} is too large; at most ${formatUnits(PREPAID_MAX)} can be put in at a time.`;
  throw new MeterError('INVALID_AMOUNT', sentence, { path });
}

/** An ISO 8601 duration as it was sent: what it comes to is the feature's unit to say. */
export function duration(text: string, path: Path): string {
  const parsed = durationToUnits(text, 'day');
  if (parsed.ok) return text;
  throw invalidInput(path, `Duration ${parsed.problem}.`);
}

/** Who under a customer uses: the app's own id of a seat, a workspace. */
export const entityId = (text: string, path: Path): string => line(text, path, REFERENCE_LENGTH_MAX);

/** ISO 4217, in small letters. */
export const currency = (text: string, path: Path): string => sound(text, path, problemOfCurrency(text));

/** A JSON object as its canonical text. */
export function object(value: unknown, path: Path): string {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw invalidInput(path, `${spell(path)} is not an object; write it like { plan: "beta" }.`);
  }
  const json = canonicalJson(value);
  if (json.ok) return json.text;
  throw invalidInput(path, `${spell(path)} ${json.problem}.`);
}

/** Whether a field was sent, and not as null. */
export const isGiven = <T>(value: T | null | undefined): value is T => value !== null && value !== undefined;

const line = (text: string, path: Path, max: number): string => sound(text, path, problemOfLine(text, max));

function sound(text: string, path: Path, problem: string | null): string {
  if (problem === null) return text;
  throw invalidInput(path, `${spell(path)} ${problem}.`);
}

/**
 * The field as the sentence names it: without the outermost `input`, which every path of a mutation has, and without
 * the place of a call among several, which is the path's to tell.
 */
function spell([outermost, ...path]: Path): string {
  if (outermost !== 'input') return `\`${[outermost, ...path].join('.')}\``;
  const ofOneCall = path[0] === 'inputs' && path.length > 2 ? path.slice(2) : path;
  return `\`${ofOneCall.join('.')}\``;
}

const shown = (text: string): string => JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
