/** counter-at — the counter of a meter in whose period an instant lies, also one that nobody has opened. */
import type { Feature } from '../../domain/feature.ts';
import { contains, periodAt, ruleKey } from '../../domain/period.ts';
import { currentCounter, freshCounter, periodRuleOf } from '../meter.ts';
import { type CustomerState, meterKey, type StoredCounter } from '../state.ts';

/** The counter of the period in which an instant lies. Periods of one meter never overlap, late ones neither. */
export function counterAt(
  customer: CustomerState,
  feature: Feature,
  entityId: string | null,
  atMs: number,
  nowMs: number,
): StoredCounter {
  const key = meterKey(feature.key, entityId);
  const newest = customer.counters.get(key);
  if (newest && contains(newest.period, atMs)) return newest;
  const current = currentCounter(customer, feature, entityId, nowMs);
  if (atMs >= current.period.startMs) return current;
  const known = knownCounters(customer, key, current);
  return known.find(({ period }) => contains(period, atMs)) ?? unopened(customer, feature, known, atMs, nowMs);
}

/** In order of time. */
function knownCounters(customer: CustomerState, key: string, current: StoredCounter): readonly StoredCounter[] {
  const newest = customer.counters.get(key);
  const all = [...(customer.earlier.get(key) ?? []), ...(newest ? [newest] : []), current];
  const byStart = new Map(all.map((counter) => [counter.period.startMs, counter]));
  return [...byStart.values()].sort((a, b) => a.period.startMs - b.period.startMs);
}

/** A period in which nothing was used until now: the regular one, as far as its neighbours leave room. */
function unopened(
  customer: CustomerState,
  feature: Feature,
  known: readonly StoredCounter[],
  atMs: number,
  nowMs: number,
): StoredCounter {
  const regular = periodAt(periodRuleOf(customer, feature), atMs);
  const before = known.findLast(({ period }) => period.startMs <= atMs)?.period.endMs ?? regular.startMs;
  const after = known.find(({ period }) => period.startMs > atMs)?.period.startMs ?? regular.endMs;
  const endMs = regular.endMs === null || (after !== null && after < regular.endMs) ? after : regular.endMs;
  const startMs = Math.max(regular.startMs, before);
  const fresh = freshCounter({ startMs, endMs, reset: ruleKey(feature.reset, feature.anchor) });
  return { ...fresh, closedAtMs: endMs !== null && endMs <= nowMs ? nowMs : null };
}
