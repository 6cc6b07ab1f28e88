/** past — use that happened earlier: the counter it belongs to, and what that changes in the periods since. */
import { measure } from '../../domain/aggregation.ts';
import { crossings, raisedAfter } from '../../domain/alert.ts';
import type { Feature } from '../../domain/feature.ts';
import { giveBack, NO_PAYMENT, paidInto, pay } from '../../domain/payment.ts';
import { contains, periodAt, ruleKey } from '../../domain/period.ts';
import type { Units } from '../../domain/units.ts';
import type { Draft } from '../draft.ts';
import { currentCounter, freshCounter, type Meter, periodRuleOf, stateOf } from '../meter.ts';
import { type CustomerState, meterKey, type StoredCounter } from '../state.ts';
import { currencyOf } from './currency.ts';
import type { Use } from './described-use.ts';

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

/** A level that changed in the past goes on into the periods since, also into those that nobody has opened yet. */
export function correctLater(
  draft: Draft,
  meter: Meter,
  described: Use,
  before: StoredCounter,
  after: StoredCounter,
): void {
  const { customer, feature } = meter;
  const changed = (after.gauge?.level ?? 0n) - (before.gauge?.level ?? 0n);
  let { endMs } = after.period;
  while (changed !== 0n && endMs !== null && endMs <= draft.nowMs) {
    const next = counterAt(customer, feature, null, endMs, draft.nowMs);
    const wasSetSince = feature.aggregation === 'latest' && (next.gauge?.atMs ?? 0) > next.period.startMs;
    if (wasSetSince) return;
    carryInto(draft, meter, described, next, changed);
    endMs = next.period.endMs;
  }
}

function carryInto(draft: Draft, meter: Meter, described: Use, counter: StoredCounter, changed: Units): void {
  const { customer, feature, policy } = meter;
  const level = counter.gauge?.level ?? 0n;
  const amount = feature.aggregation === 'latest' ? level + changed : changed;
  const report = { amount, atMs: counter.period.startMs, isNewValue: false };
  const measured = measure(feature.aggregation, counter, report);
  const gauge = measured.gauge && { ...measured.gauge, atMs: counter.gauge?.atMs ?? report.atMs };
  const { funds, paid } = stateOf(meter, counter, null, draft.nowMs);
  const { taken } = measured;
  const payment =
    taken === 0n
      ? NO_PAYMENT
      : taken > 0n
        ? pay(policy, counter, funds, taken)
        : giveBack(policy, counter, paid, -taken);
  const sequence = draft.nextSequence(customer);
  const paidFor = paidInto(counter, payment, 'used');
  const raised = crossings(policy, counter, paidFor, counter.raised);
  const after: StoredCounter = {
    ...counter,
    ...paidFor,
    period: counter.period,
    gauge,
    raised: raisedAfter(counter.raised, raised),
    sequence,
    correctedAtMs: counter.closedAtMs === null ? counter.correctedAtMs : draft.nowMs,
  };
  draft.putCounter(customer, feature.key, null, after);
  const currency = currencyOf(meter, payment);
  draft.applyPayment(meter, payment, { kind: 'use', sequence, currency, spentAtMs: counter.period.startMs });
  draft.addEvent({
    customer,
    sequence,
    kind: 'carry',
    featureKey: feature.key,
    entityId: null,
    periodStartMs: counter.period.startMs,
    reported: amount,
    amount: taken,
    payment,
    currency,
    usedAfter: after.used,
    reverses: null,
    idempotencyKey: null,
    properties: described.properties,
    dimensions: feature.dimensions,
    occurredAtMs: counter.period.startMs,
  });
  draft.raise(meter, after, raised, sequence);
}
