/** duration — an ISO 8601 duration like `PT1M30S`, as units of the feature that counts time. */
import { DIGITS_MAX, divideHalfEven, FRACTION_DIGITS_MAX, ONE, type ParsedUnits, UNITS_MAX } from './units.ts';

export const DURATION_UNITS = ['second', 'minute', 'hour', 'day'] as const;
export type DurationUnit = (typeof DURATION_UNITS)[number];

/** Elapsed time: a day is 24 hours, whatever the clocks of a place do on it. */
const SECONDS = { second: 1n, minute: 60n, hour: 3_600n, day: 86_400n, week: 604_800n } as const;

/** Longer text is no duration that anyone measured; refusing it early keeps hostile input cheap. */
const TEXT_LENGTH_MAX = 128;
const SHOWN_LENGTH_MAX = 40;

const NUMBER = String.raw`(\d+(?:[.,]\d+)?)`;
const PARTS = ['Y', 'M', 'W', 'D'].map((letter) => `(?:${NUMBER}${letter})?`).join('');
const TIME_PARTS = ['H', 'M', 'S'].map((letter) => `(?:${NUMBER}${letter})?`).join('');
const DURATION = new RegExp(`^([+-]?)P(?=[\\dT])${PARTS}(?:T(?=\\d)${TIME_PARTS})?$`);

/**
 * Reads an ISO 8601 duration as units of `unit`: `PT1M30S` is 90 seconds or 1.5 minutes.
 *
 * Weeks, days, hours, minutes and seconds, largest first; the smallest that is given may have a fraction, after a point or
 * a comma; a sign may come before the `P`. The result is exact where 9 fractional digits hold it, and otherwise rounded
 * once, half-even: a second is 0.000277778 hours.
 *
 * @returns the units, or a sentence part that says what is wrong, as `parseUnits` does.
 */
export function durationToUnits(iso: string, unit: DurationUnit): ParsedUnits {
  const match = iso.length <= TEXT_LENGTH_MAX ? DURATION.exec(iso) : null;
  if (!match) return { ok: false, problem: `${shown(iso)} is not ${WANTED}` };
  const [, sign, years, months, weeks, days, hours, minutes, seconds] = match;
  if (years !== undefined || months !== undefined)
    return { ok: false, problem: withoutFixedLength(iso, years, months) };
  const parts: readonly Part[] = [
    [weeks, SECONDS.week],
    [days, SECONDS.day],
    [hours, SECONDS.hour],
    [minutes, SECONDS.minute],
    [seconds, SECONDS.second],
  ];
  const given = parts.filter(([text]) => text !== undefined);
  if (given.slice(0, -1).some(([text]) => isFraction(text))) {
    return { ok: false, problem: `${shown(iso)} has a fraction before its last part; only the last may have one` };
  }
  const { numerator, denominator } = totalSeconds(given);
  const magnitude = divideHalfEven(numerator * ONE, denominator * SECONDS[unit]);
  if (magnitude > UNITS_MAX) {
    const wholeMax = DIGITS_MAX - FRACTION_DIGITS_MAX;
    return {
      ok: false,
      problem: `${shown(iso)} has more than ${wholeMax} digits before the point in ${unit}s; it does not fit`,
    };
  }
  return { ok: true, units: sign === '-' ? -magnitude : magnitude };
}

/** What was written before a letter, and how many seconds one of it is. */
type Part = readonly [text: string | undefined, seconds: bigint];

const isFraction = (text = ''): boolean => /[.,]/.test(text);

/** The sum as a fraction, so that nothing is rounded before the end. */
function totalSeconds(parts: readonly Part[]): { numerator: bigint; denominator: bigint } {
  let numerator = 0n;
  let denominator = 1n;
  for (const [text = '0', seconds] of parts) {
    const [whole = '', fraction = ''] = text.split(/[.,]/);
    const scale = 10n ** BigInt(fraction.length); // 1 but for the last part
    numerator = numerator * scale + BigInt(whole + fraction) * seconds;
    denominator *= scale;
  }
  return { numerator, denominator };
}

const WANTED = 'an ISO 8601 duration; write it like "PT1M30S" (a minute and a half) or "P1DT2H" (a day and two hours)';

function withoutFixedLength(iso: string, years: string | undefined, months: string | undefined): string {
  const found = years === undefined ? 'months' : months === undefined ? 'years' : 'years and months';
  const minutes = years === undefined && months !== undefined ? `; minutes come after a T: "PT${months}M"` : '';
  return `${shown(iso)} has ${found}, which have no fixed length; write weeks, days, hours, minutes or seconds${minutes}`;
}

const shown = (text: string): string =>
  JSON.stringify(text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text);
