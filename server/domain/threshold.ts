/** threshold — a line whose crossing is worth an alert. */
import { formatUnits, ONE, type Units, unitsOf } from './units.ts';

export const THRESHOLD_KINDS = ['fraction', 'used', 'remaining'] as const;
export type ThresholdKind = (typeof THRESHOLD_KINDS)[number];

/** `fraction` of the limit used, absolute units `used` (both fire at or above), units `remaining` (at or below). */
export type Threshold = { readonly kind: ThresholdKind; readonly value: Units };

export const DEFAULT_THRESHOLDS: readonly Threshold[] = [
  { kind: 'fraction', value: unitsOf('0.8') },
  { kind: 'fraction', value: ONE },
];

/** One text per threshold, e.g. `fraction:0.8`: with customer, feature and period it names an alert. */
export const thresholdKey = ({ kind, value }: Threshold): string => `${kind}:${formatUnits(value)}`;

/** Reads what `thresholdKey` wrote. */
export function parseThresholdKey(key: string): Threshold {
  const [kind, value = ''] = key.split(':');
  const known = THRESHOLD_KINDS.find((candidate) => candidate === kind);
  if (!known) throw new TypeError(`"${key}" is not a threshold`);
  return { kind: known, value: unitsOf(value) };
}
