/** threshold — a line whose crossing is worth an alert. */
import { formatUnits, ONE, type Units, unitsOf } from './units.ts';

export const THRESHOLD_KINDS = ['fraction', 'used', 'remaining', 'remaining_fraction', 'spend', 'every'] as const;
/**
 * What a threshold is measured by. `fraction` of the limit used, absolute units `used`, and `spend`, what units beyond
 * included and credits cost in minor units, fire at or above; units `remaining` under the limit and `remaining_fraction`
 * of it fire at or below; `every` fires at each multiple of so many units used.
 */
export type ThresholdKind = (typeof THRESHOLD_KINDS)[number];

export const FALLING_KINDS = ['fraction', 'used'] as const satisfies readonly ThresholdKind[];
/** The kinds that can also watch the way down, of a feature whose use can be given back. */
export type FallingKind = (typeof FALLING_KINDS)[number];

/** Whether a threshold of this kind may be `falling`. */
export const canFall = (kind: ThresholdKind): kind is FallingKind => FALLING_KINDS.some((known) => known === kind);

type Rising = { readonly kind: ThresholdKind; readonly value: Units; readonly falling?: never };
/** Fires when use that was above the line falls to it or below. */
type Falling = { readonly kind: FallingKind; readonly value: Units; readonly falling: true };

/** `value` is in what `kind` measures. Watches the way up, towards the limit, unless it is `falling`. */
export type Threshold = Rising | Falling;

export const DEFAULT_THRESHOLDS: readonly Threshold[] = [
  { kind: 'fraction', value: unitsOf('0.8') },
  { kind: 'fraction', value: ONE },
];

const KEY = /^([a-z_]+):([^:]+)(:falling)?$/;

/** One text per threshold: `fraction:0.8`, `used:5:falling`. Has no spaces, and neither `@` nor `#`. */
export const thresholdKey = ({ kind, value, falling }: Threshold): string =>
  `${kind}:${formatUnits(value)}${falling ? ':falling' : ''}`;

/** Reads what `thresholdKey` wrote. Throws a `TypeError` on anything else. */
export function parseThresholdKey(key: string): Threshold {
  const [, name, text = '', falling] = KEY.exec(key) ?? [];
  const kind = THRESHOLD_KINDS.find((known) => known === name);
  if (kind && !falling) return { kind, value: unitsOf(text) };
  if (kind && canFall(kind)) return { kind, value: unitsOf(text), falling: true };
  throw new TypeError(`"${key}" is not a threshold`);
}
