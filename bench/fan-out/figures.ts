/** figures — what is found out about subscribers, as `--json` writes it, and its table. */
import { type Spread, spread } from '../statistics.ts';
import { figure, range, table, whole } from '../table.ts';
import { type Target, verdict } from '../target.ts';

export type FanOutOptions = {
  /** Sockets, each with one subscription. */
  readonly watchers: number;
  /** Whom they watch: so many of them watch each. */
  readonly customers: number;
  /** False: executed for each subscriber, for comparison. */
  readonly isShared: boolean;
};

export type FanOut = FanOutOptions & {
  readonly loadAverage: { readonly before: number; readonly after: number };
  readonly figures: readonly Figure[];
};

export type Figure = Spread & {
  readonly what: string;
  readonly unit: string;
  /** Of each time that it was measured; infinite (in JSON null) where what was awaited never came. */
  readonly values: readonly number[];
  readonly target: Target | null;
  /** Whether the median reaches it. */
  readonly verdict: string;
};

export function figureOf(what: string, unit: string, values: readonly number[], target: Target | null): Figure {
  const found = spread(values);
  return { what, unit, values, ...found, target, verdict: verdict(target, found.median) };
}

export const spellFigure = ({ what, unit, values, ...found }: Figure): string =>
  `${what}: ${values.length === 1 ? figure(found.median) : range(found)} ${unit}`;

export function fanOutReport({ watchers, customers, isShared, loadAverage, figures }: FanOut): string {
  const lines = figures.map(({ what, unit, values, median, min, max, verdict }) => {
    const ends = values.length === 1 ? '–' : `${figure(min)}–${figure(max)}`;
    return [what, unit, figure(median), ends, verdict];
  });
  const { before, after } = loadAverage;
  return [
    `- ${whole(watchers)} sockets with a subscription each, ${figure(watchers / customers)} of a customer, executed ${isShared ? 'once for all who watch the same' : 'for each'}`,
    `- load average ${figure(before)} before, ${figure(after)} after`,
    '',
    table(['subscribers', 'of', 'median', 'min–max', 'wanted'], lines),
    '',
    'µs: processor time of the gateway.',
  ].join('\n');
}
