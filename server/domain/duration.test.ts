/**
 * Goal: a time that was measured counts exactly, and what is no length of time is refused with what to write instead.
 * Method: tables of durations and units, one row a case; laws against sums of whole seconds.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DURATION_UNITS, durationToUnits } from './duration.ts';
import { formatUnits, ONE } from './units.ts';

describe('durations in the unit of a feature', () => {
  it.each([
    // iso          unit      units
    ['PT1M30S', 'second', '90'],
    ['PT1M30S', 'minute', '1.5'],
    ['PT1M30S', 'hour', '0.025'],
    ['P1DT2H', 'hour', '26'],
    ['P1DT2H', 'minute', '1560'],
    ['P1D', 'day', '1'], // 24 hours, also on the night on which the clocks change
    ['PT36H', 'day', '1.5'],
    ['P2W', 'day', '14'],
    ['P1W2DT3H4M5S', 'second', '788645'],
    ['PT90M', 'hour', '1.5'], // parts may be more than the next larger one holds
    ['PT0S', 'second', '0'],
    ['-PT0S', 'second', '0'],
    ['-PT5M', 'second', '-300'],
    ['+PT5M', 'second', '300'],
    ['-P1DT12H', 'day', '-1.5'],
    // Fractions of the smallest part that is given, with a point or a comma.
    ['PT0.5S', 'second', '0.5'],
    ['PT1.5H', 'minute', '90'],
    ['PT1,5H', 'minute', '90'],
    ['P0.5D', 'hour', '12'],
    ['P0.5W', 'day', '3.5'],
    ['PT1M0.000000001S', 'second', '60.000000001'],
    ['PT1H0.25M', 'second', '3615'],
    ['PT007S', 'second', '7'],
    // Rounded half-even where 9 digits don't hold it.
    ['PT1S', 'hour', '0.000277778'], // 0.0002777…
    ['PT1S', 'minute', '0.016666667'],
    ['-PT1S', 'minute', '-0.016666667'],
    ['PT20S', 'minute', '0.333333333'],
    ['PT1S', 'day', '0.000011574'],
    ['PT0.0000000005S', 'second', '0'], // halfway, to the even one
    ['PT0.0000000015S', 'second', '0.000000002'],
    ['PT0.0000000025S', 'second', '0.000000002'],
    ['-PT0.0000000015S', 'second', '-0.000000002'],
    ['PT0.00000000250000001S', 'second', '0.000000003'], // more than halfway
    ['PT10H0.00000003M', 'hour', '10'], // half a billionth, to the even one
    ['PT99999999999999999999999999999.999999999S', 'second', '99999999999999999999999999999.999999999'],
    ['PT99999999999999999999999999999S', 'second', '99999999999999999999999999999'],
  ] as const)('%s is %s %s', (iso, unit, units) => {
    const parsed = durationToUnits(iso, unit);
    expect(parsed.ok ? formatUnits(parsed.units) : parsed.problem).toBe(units);
  });

  it('law: whole parts come to their sum, in every unit and either sign', () => {
    const part = fc.integer({ min: 0, max: 10_000 });
    fc.assert(
      fc.property(part, part, part, part, fc.constantFrom('', '-'), (days, hours, minutes, seconds, sign) => {
        const total = BigInt(days * 86_400 + hours * 3_600 + minutes * 60 + seconds) * (sign === '-' ? -1n : 1n);
        const iso = `${sign}P${days}DT${hours}H${minutes}M${seconds}S`;
        expect(durationToUnits(iso, 'second')).toEqual({ ok: true, units: total * ONE });
        for (const unit of DURATION_UNITS) {
          const parsed = durationToUnits(iso, unit);
          const perUnit = { second: 1n, minute: 60n, hour: 3_600n, day: 86_400n }[unit];
          // Rounded by at most half a billionth.
          const twiceOff = parsed.ok ? 2n * (parsed.units * perUnit - total * ONE) : perUnit + 1n;
          expect(-perUnit <= twiceOff && twiceOff <= perUnit).toBe(true);
        }
      }),
    );
  });

  it('law: one text in seconds is the same time in minutes, hours and days', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), fc.constantFrom('S', 'M', 'H'), (count, letter) => {
        const larger = { S: 'minute', M: 'hour', H: 'day' } as const;
        const perLarger = { S: 60, M: 60, H: 24 }[letter];
        const parsed = durationToUnits(`PT${count * perLarger}${letter}`, larger[letter]);
        expect(parsed).toEqual({ ok: true, units: BigInt(count) * ONE });
      }),
    );
  });
});

describe('what is refused', () => {
  const wanted =
    'is not an ISO 8601 duration; write it like "PT1M30S" (a minute and a half) or "P1DT2H" (a day and two hours)';
  const noMonths = 'have no fixed length; write weeks, days, hours, minutes or seconds';

  it.each([
    ['', `"" ${wanted}`],
    ['P', `"P" ${wanted}`],
    ['PT', `"PT" ${wanted}`],
    ['P1DT', `"P1DT" ${wanted}`],
    ['90', `"90" ${wanted}`],
    ['90s', `"90s" ${wanted}`],
    ['pt1m', `"pt1m" ${wanted}`],
    [' PT1M', `" PT1M" ${wanted}`],
    ['PT1M\n', `"PT1M\\n" ${wanted}`],
    ['1M', `"1M" ${wanted}`],
    ['P1H', `"P1H" ${wanted}`], // hours come after a T
    ['PT1D', `"PT1D" ${wanted}`], // and days before it
    ['PT1S1M', `"PT1S1M" ${wanted}`], // the largest first
    ['PT1M1M', `"PT1M1M" ${wanted}`],
    ['PT-5M', `"PT-5M" ${wanted}`], // one sign, before all of it
    ['--PT5M', `"--PT5M" ${wanted}`],
    ['PT.5S', `"PT.5S" ${wanted}`],
    ['PT5.S', `"PT5.S" ${wanted}`],
    ['PT1e3S', `"PT1e3S" ${wanted}`],
    ['PT٣S', `"PT٣S" ${wanted}`],
    [`PT${'9'.repeat(200)}S`, `"PT${'9'.repeat(38)}…" ${wanted}`],
    ['P1Y', `"P1Y" has years, which ${noMonths}`],
    ['P1Y2M', `"P1Y2M" has years and months, which ${noMonths}`],
    ['P1M', `"P1M" has months, which ${noMonths}; minutes come after a T: "PT1M"`],
    ['P0M', `"P0M" has months, which ${noMonths}; minutes come after a T: "PT0M"`],
    ['PT1.5H30M', '"PT1.5H30M" has a fraction before its last part; only the last may have one'],
    ['P0.5DT0S', '"P0.5DT0S" has a fraction before its last part; only the last may have one'],
    [
      'PT100000000000000000000000000000S',
      '"PT100000000000000000000000000000S" has more than 29 digits before the point in seconds; it does not fit',
    ],
  ])('%j: %s', (iso, problem) => {
    expect(durationToUnits(iso, 'second')).toEqual({ ok: false, problem });
  });

  it('fits or not by the unit it is counted in', () => {
    expect(durationToUnits('P100000000000000000000000000D', 'day').ok).toBe(true);
    expect(durationToUnits('P100000000000000000000000000D', 'second').ok).toBe(false);
  });
});
