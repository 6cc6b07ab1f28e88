/** calendar — when periods begin. They are counted from an anchor, so that a period of the 31st ends on the 28th and the next on the 31st. */
import type { Price } from './account.ts';
import { DAY, type Seconds } from './wire.ts';

export type Interval = Pick<NonNullable<Price['recurring']>, 'interval' | 'interval_count'>;
type Period = { readonly start: Seconds; readonly end: Seconds };

const DAYS: { readonly [interval: string]: number } = { day: 1, week: 7 };
const MONTHS: { readonly [interval: string]: number } = { month: 1, year: 12 };

/** The period that an instant is in: its start is within, its end is not. */
export function periodAt(anchor: Seconds, interval: Interval, at: Seconds): Period {
  let count = Math.floor((at - anchor) / longestOf(interval));
  while (boundary(anchor, interval, count + 1) <= at) count += 1;
  while (boundary(anchor, interval, count) > at) count -= 1;
  return { start: boundary(anchor, interval, count), end: boundary(anchor, interval, count + 1) };
}

/** So many intervals after the anchor, or before it. */
export function boundary(anchor: Seconds, { interval, interval_count }: Interval, count: number): Seconds {
  const days = DAYS[interval];
  if (days !== undefined) return anchor + days * DAY * interval_count * count;
  const date = new Date(anchor * 1_000);
  const month = date.getUTCMonth() + (MONTHS[interval] ?? 1) * interval_count * count;
  const lastDay = new Date(Date.UTC(date.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const time = anchor % DAY;
  return Date.UTC(date.getUTCFullYear(), month, Math.min(date.getUTCDate(), lastDay)) / 1_000 + time;
}

/** No interval takes longer. */
const longestOf = ({ interval, interval_count }: Interval): Seconds =>
  interval_count * ((DAYS[interval] ?? 0) + (MONTHS[interval] ?? 0) * 31) * DAY;
