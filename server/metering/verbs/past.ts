/** past — what use that happened earlier changes in the periods since. */
import { measure } from '../../domain/aggregation.ts';
import { crossings } from '../../domain/alert.ts';
import { NO_PAYMENT, type Payment, paidInto, pay } from '../../domain/payment.ts';
import { giveBack } from '../../domain/refund.ts';
import type { Units } from '../../domain/units.ts';
import type { Draft } from '../draft.ts';
import { type Meter, stateOf } from '../meter.ts';
import type { StoredCounter } from '../state.ts';
import { counterAt } from './counter-at.ts';
import type { Use } from './described-use.ts';
import { moveCounter } from './movement.ts';

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
  const { feature, policy } = meter;
  const level = counter.gauge?.level ?? 0n;
  const amount = feature.aggregation === 'latest' ? level + changed : changed;
  const report = { amount, atMs: counter.period.startMs, isNewValue: false };
  const measured = measure(feature.aggregation, counter, report);
  const gauge = measured.gauge && { ...measured.gauge, atMs: counter.gauge?.atMs ?? report.atMs };
  const { taken } = measured;
  const payment = paymentOf(draft, meter, counter, taken);
  const paid = paidInto(counter, payment, 'used');
  moveCounter(draft, meter, counter, {
    kind: 'carry',
    reported: amount,
    amount: taken,
    payment,
    properties: described.properties,
    occurredAtMs: counter.period.startMs,
    after: { ...paid, gauge },
    crossed: crossings(policy, counter, paid, counter.raised),
    bookedAs: 'use',
  });
}

function paymentOf(draft: Draft, meter: Meter, counter: StoredCounter, taken: Units): Payment {
  const { funds, paid } = stateOf(meter, counter, null, draft.nowMs);
  if (taken === 0n) return NO_PAYMENT;
  return taken > 0n ? pay(meter.policy, counter, funds, taken) : giveBack(meter.policy, counter, paid, -taken);
}
