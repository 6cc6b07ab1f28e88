/** alerts — which thresholds a change of a modelled meter raises: each once a period, and again when its limit changed. */
import type { LimitPolicy } from '../../server/domain/policy.ts';
import type { Threshold } from '../../server/domain/threshold.ts';
import { thresholdKey } from '../../server/domain/threshold.ts';
import { formatUnits, ONE, type Units } from '../../server/domain/units.ts';
import type { Book, Entry } from './book.ts';
import { partIn, usedIn } from './questions.ts';

/** Raises what the last change of these entries crosses, and says it: `fraction:0.8`, several with commas. */
export function raise(
  book: Book,
  featureKey: string,
  periodStartMs: number,
  policy: LimitPolicy,
  before: readonly Entry[],
  after: readonly Entry[],
): string {
  const was = measured(before);
  const is = measured(after);
  const raised: string[] = [];
  if (is.used <= was.used && is.cost <= was.cost) return '';
  for (const threshold of policy.thresholds) {
    for (const mark of marksReached(threshold, policy, was, is)) {
      const isKnown = book.alerts.some(
        (alert) => alert.featureKey === featureKey && alert.periodStartMs === periodStartMs && alert.mark === mark,
      );
      if (isKnown) continue;
      book.alerts.push({ featureKey, periodStartMs, mark });
      raised.push(thresholdKey(threshold));
    }
  }
  return raised.join(', ');
}

type Measured = { readonly used: Units; readonly cost: Units };
const measured = (entries: readonly Entry[]): Measured => ({ used: usedIn(entries), cost: partIn(entries, 'cost') });

function marksReached(threshold: Threshold, policy: LimitPolicy, was: Measured, is: Measured): string[] {
  const { kind, value } = threshold;
  const key = thresholdKey(threshold);
  switch (kind) {
    case 'used':
      return is.used >= value ? [key] : [];
    case 'spend':
      return is.cost >= value ? [key] : [];
    case 'every': {
      const steps: string[] = [];
      for (let step = value; step <= is.used; step += value)
        if (step > was.used) steps.push(`${key}#${formatUnits(step)}`);
      return steps;
    }
    case 'remaining':
      return policy.limit !== null && policy.limit - is.used <= value ? [`${key}@${formatUnits(policy.limit)}`] : [];
    case 'fraction': {
      const whole = wholeOf(policy);
      return whole !== null && is.used * ONE >= value * whole ? [`${key}@${formatUnits(whole)}`] : [];
    }
    case 'remaining_fraction': {
      const whole = wholeOf(policy);
      return whole !== null && (whole - is.used) * ONE <= value * whole ? [`${key}@${formatUnits(whole)}`] : [];
    }
  }
}

function wholeOf({ limit, included, credits }: LimitPolicy): Units | null {
  if (limit !== null) return limit;
  const whole = (included ?? 0n) + (credits?.allocation ?? 0n);
  return whole > 0n ? whole : null;
}
