/** alert — a stored fact about a threshold, and which thresholds a change has crossed. Pure. */
import type { Period } from './period.ts';
import type { LimitPolicy } from './policy.ts';
import { parseThresholdKey, type Threshold, type ThresholdKind, thresholdKey } from './threshold.ts';
import { formatUnits, maxUnits, ONE, type Units, unitsOf } from './units.ts';

/** A stored fact: this customer crossed this threshold of this feature in this period. */
export type Alert = {
  readonly tenantId: string;
  readonly customerId: string;
  readonly referenceId: string;
  readonly featureKey: string;
  readonly period: Period;
  readonly threshold: Threshold;
  /** With customer, feature and period it names the alert; see `Crossing`. */
  readonly mark: string;
  readonly used: Units;
  readonly limit: Units | null;
  readonly raisedAtMs: number;
  /** Set when it was raised while muted: it is stored, and nobody is told. */
  readonly mutedAtMs: number | null;
  readonly acknowledgedAtMs: number | null;
  /** Counts the tenant's alerts, gapless and in commit order: the resume point of the alert stream. */
  readonly sequence: bigint;
};

/** Where a reader of stored alerts stands. */
export type AlertPosition = {
  readonly tenantId: string;
  /** Null for all the tenant's customers. */
  readonly customerId: string | null;
  /** Position in the tenant's alerts: the last one heard. */
  readonly sequence: bigint;
  /** Position of the customer: only alerts raised by later events. */
  readonly eventSequence: bigint;
};

/** What thresholds look at: units used in the period, and what those beyond included and credits cost in minor units. */
export type Measures = { readonly used: Units; readonly cost: Units };

/**
 * A threshold that was crossed, and the mark by which this is remembered for the rest of the period. The mark is the
 * threshold's key; with what it is a part of, so that another limit arms it again (`fraction:0.8@100`); or with the step
 * that was reached (`every:10#30`). It has no spaces.
 */
export type Crossing = { readonly threshold: Threshold; readonly mark: string };

/** The most steps of one `every` that one change raises: the highest ones. */
export const STEPS_MAX = 100;

type AlertPolicy = Pick<LimitPolicy, 'thresholds' | 'limit' | 'included' | 'credits'>;

/**
 * Thresholds that a change crosses and that were not raised in this period, in order of their configuration.
 *
 * On the way up every line that holds counts, also one that held before: the limit may have been lowered under it. Steps
 * of `every` and falling lines must be crossed by the change itself.
 *
 * @param raised the marks of this period: those of earlier crossings, as `raisedAfter` keeps them.
 */
export function crossings(
  policy: AlertPolicy,
  before: Measures,
  after: Measures,
  raised: ReadonlySet<string>,
): readonly Crossing[] {
  const rose = after.used > before.used || after.cost > before.cost;
  const crossed = new Map<string, Crossing>(); // by mark: a threshold that is configured twice is one
  for (const threshold of policy.thresholds) {
    const isCrossed = threshold.falling
      ? isAbove(threshold, policy, before) && !isAbove(threshold, policy, after)
      : rose && isReached(threshold, policy, after);
    if (!isCrossed) continue; // most calls cross none
    for (const mark of newMarks(threshold, policy, before, after, raised)) crossed.set(mark, { threshold, mark });
  }
  return [...crossed.values()];
}

/** The marks to remember after these crossings: all, but of the steps of one `every` only the highest. */
export function raisedAfter(raised: ReadonlySet<string>, crossed: readonly Crossing[]): ReadonlySet<string> {
  if (crossed.length === 0) return raised;
  const marks = new Set(raised);
  for (const { threshold, mark } of crossed) {
    const passed = threshold.kind === 'every' ? stepMarks(marks, thresholdKey(threshold)) : [];
    for (const lower of passed) marks.delete(lower);
    marks.add(mark);
  }
  return marks;
}

/** The threshold that a mark is of. Throws a `TypeError` on text that is no mark. */
export function parseMark(mark: string): Threshold {
  const end = mark.search(/[@#]/);
  return parseThresholdKey(end === -1 ? mark : mark.slice(0, end));
}

const isReached = (threshold: Threshold, policy: AlertPolicy, measures: Measures): boolean =>
  (distanceBeyond(threshold, policy, measures) ?? -1n) >= 0n;

const isAbove = (threshold: Threshold, policy: AlertPolicy, measures: Measures): boolean =>
  (distanceBeyond(threshold, policy, measures) ?? -1n) > 0n;

/** How far beyond the line, towards the limit; only its sign is of use. Null where there is no such line. */
function distanceBeyond({ kind, value }: Threshold, policy: AlertPolicy, { used, cost }: Measures): bigint | null {
  if (kind === 'spend') return cost - value;
  if (kind === 'used' || kind === 'every') return used - value; // the first step is at the value itself
  const whole = wholeOf(kind, policy);
  if (whole === null) return null;
  if (kind === 'remaining') return value - (whole - used);
  if (kind === 'fraction') return used * ONE - value * whole;
  return value * whole - (whole - used) * ONE;
}

/** What the threshold is a part of; null where it stands for itself, or there is no such whole. */
function wholeOf(kind: ThresholdKind, policy: AlertPolicy): Units | null {
  if (kind === 'remaining') return policy.limit;
  return kind === 'fraction' || kind === 'remaining_fraction' ? fractionBase(policy) : null;
}

/** A fraction is of the limit; without one, of included plus the plan's credits; without either there is none. */
function fractionBase({ limit, included, credits }: AlertPolicy): Units | null {
  if (limit !== null) return limit;
  const prepaid = (included ?? 0n) + (credits?.allocation ?? 0n);
  return prepaid > 0n ? prepaid : null;
}

function newMarks(
  threshold: Threshold,
  policy: AlertPolicy,
  before: Measures,
  after: Measures,
  raised: ReadonlySet<string>,
): readonly string[] {
  const key = thresholdKey(threshold);
  if (threshold.kind === 'every') return stepsCrossed(threshold.value, key, before.used, after.used, raised);
  const whole = wholeOf(threshold.kind, policy);
  const mark = whole === null ? key : `${key}@${formatUnits(whole)}`;
  // A bare key was stored before marks named the whole; it stands for any, so that nobody is told a second time.
  return raised.has(mark) || raised.has(key) ? [] : [mark];
}

/**
 * Marks of the multiples of `step` that use rose over. Use that was given back and rises again meets steps a second
 * time: none up to the highest that was raised counts again.
 */
function stepsCrossed(
  step: Units,
  key: string,
  usedBefore: Units,
  usedAfter: Units,
  raised: ReadonlySet<string>,
): readonly string[] {
  if (step <= 0n) return []; // has no multiples to reach
  const last = usedAfter / step;
  if (last <= usedBefore / step) return []; // most calls stay within a step
  const raisedAt = stepMarks(raised, key).map((mark) => unitsOf(mark.slice(key.length + 1)));
  const done = raisedAt.reduce(maxUnits, maxUnits(usedBefore, 0n)) / step;
  const first = maxUnits(done, last - BigInt(STEPS_MAX)) + 1n;
  const marks: string[] = [];
  for (let n = first; n <= last; n++) marks.push(`${key}#${formatUnits(n * step)}`);
  return marks;
}

const stepMarks = (marks: ReadonlySet<string>, key: string): readonly string[] =>
  [...marks].filter((mark) => mark.startsWith(`${key}#`));
