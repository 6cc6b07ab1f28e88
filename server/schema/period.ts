/** period — the time in which a counter counts, and when the next one begins. */
import { invalidInput } from '../domain/errors.ts';
import {
  type Interval,
  type IntervalUnit,
  intervalOf,
  type NamedReset,
  type Period,
  parseInterval,
  problemOfReset,
  type Reset,
} from '../domain/period.ts';
import type { Path } from './bounds.ts';
import { builder, wordEnum } from './builder.ts';

/** What the enum can say; how long an interval is, its own field says. */
type ResetWord = NamedReset | 'interval';

export const ResetEnum = wordEnum<ResetWord>(
  'Reset',
  "When a counter starts again from zero, in the time zone of the customer. By the calendar, unless the feature is anchored to the customer's own start.",
  {
    never: 'Never.',
    hourly: 'At every full hour.',
    daily: 'At midnight.',
    weekly: 'At midnight before Monday.',
    monthly: 'At midnight before the first of the month.',
    quarterly: 'At midnight before the first of January, April, July and October.',
    yearly: 'At midnight before the first of January.',
    interval: "After a time of its own, counted from the customer's start: `resetInterval` says how long.",
  },
);

export const AnchorEnum = wordEnum('Anchor', 'What periods follow.', {
  calendar: 'The calendar: midnight, Monday, the first of the month.',
  subscription:
    "The customer's own start, to the minute. Months count from its day: 31 January, 28 February, 31 March.",
});

const IntervalUnitEnum = wordEnum<IntervalUnit>('IntervalUnit', 'What an interval is counted in.', {
  minute: 'Minutes.',
  hour: 'Hours.',
  day: 'Days, from local time to the same local time, also where the clocks change between.',
  week: 'Seven days.',
  month: 'Months, from the original day, or the last of a month that is shorter.',
  year: 'Years.',
});

type IntervalParts = { readonly every: number; readonly unit: IntervalUnit };

export const IntervalType = builder.objectRef<IntervalParts>('Interval').implement({
  description: 'A length of time.',
  fields: (t) => ({
    every: t.exposeInt('every', { description: 'How many; at least 1.' }),
    unit: t.expose('unit', { type: IntervalUnitEnum, description: 'Of what.' }),
  }),
});

export const IntervalInput = builder.inputType('IntervalInput', {
  description: 'A length of time, like 6 hours.',
  fields: (t) => ({
    every: t.int({ required: true, description: 'How many: from 1 to 10,000, of years to 1,000.' }),
    unit: t.field({ type: IntervalUnitEnum, required: true, description: 'Of what.' }),
  }),
});

/** The enum's word for a reset. */
export const resetWordOf = (reset: Reset): ResetWord => (partsOf(reset) === null ? (reset as NamedReset) : 'interval'); // all else are names

/** What an interval says; null for a reset that has a name. */
export const partsOf = (reset: Reset): IntervalParts | null => parseInterval(reset);

/** @throws {MeterError} `INVALID_INPUT` for one that is out of bounds. */
export function intervalFrom({ every, unit }: IntervalParts, path: Path): Interval {
  const interval = intervalOf(every, unit);
  const problem = problemOfReset(interval);
  if (problem === null) return interval;
  throw invalidInput(path, `\`${path.at(-1)}\` ${problem}.`);
}

type ResetFields = {
  readonly reset?: ResetWord | null | undefined;
  readonly resetInterval?: IntervalParts | null | undefined;
};

/**
 * What `reset` and `resetInterval` say together: undefined for nothing, null for the default.
 *
 * @throws {MeterError} `INVALID_INPUT` where one of them contradicts the other.
 */
export function resetFrom({ reset, resetInterval }: ResetFields, path: Path): Reset | null | undefined {
  if (resetInterval) {
    if (!reset || reset === 'interval') return intervalFrom(resetInterval, [...path, 'resetInterval']);
    const said = reset.toUpperCase();
    throw invalidInput(
      [...path, 'resetInterval'],
      `\`resetInterval\` is there beside \`reset: ${said}\`; send one of them, or INTERVAL with its length.`,
    );
  }
  if (reset !== 'interval') return reset === undefined ? resetInterval : reset;
  const sentence = '`resetInterval` is missing; an INTERVAL has a length, like { every: 6, unit: HOUR }.';
  throw invalidInput([...path, 'resetInterval'], sentence);
}

export const PeriodType = builder.objectRef<Period>('Period').implement({
  description: 'Half-open: `start` is in it, `end` is not.',
  fields: (t) => ({
    start: t.expose('startMs', { type: 'DateTime', description: 'The first instant that counts.' }),
    end: t.expose('endMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When the counter starts again from zero. Null: never.',
    }),
  }),
});
