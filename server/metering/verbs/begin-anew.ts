/** begin-anew — ends a running period before its time: what follows is counted anew until it would have ended. */
import { carriedInto } from '../../domain/aggregation.ts';
import { paidInto, pay } from '../../domain/payment.ts';
import { restartedPeriod, ruleKey } from '../../domain/period.ts';
import type { LimitPolicy } from '../../domain/policy.ts';
import type { Draft } from '../draft.ts';
import { freshCounter, type Meter, periodRuleOf, stateOf } from '../meter.ts';
import type { StoredCounter } from '../state.ts';
import { moveCounter, tellClosed } from './movement.ts';

/**
 * @param policy By which a level is paid for that goes on.
 * @returns the counter of what follows.
 */
export function beginAnew(
  draft: Draft,
  meter: Meter,
  counter: StoredCounter,
  policy: LimitPolicy,
  idempotencyKey: string | null,
): StoredCounter {
  const { customer, feature } = meter;
  const sequence = draft.nextSequence(customer);
  const { startMs, endMs } = restartedPeriod(counter.period, periodRuleOf(customer, feature), draft.nowMs);
  const ended: StoredCounter = {
    ...counter,
    period: { ...counter.period, endMs: startMs },
    closedAtMs: draft.nowMs,
    sequence,
  };
  const fresh = freshCounter({ startMs, endMs, reset: ruleKey(feature.reset, feature.anchor) });
  const { taken, gauge } = carriedInto(feature.aggregation, counter.gauge, fresh.period); // what is there is there still
  const payment = pay(policy, fresh, stateOf(meter, fresh, null, draft.nowMs).funds, taken);
  draft.putCounter(customer, feature.key, null, ended);
  tellClosed(draft, meter, ended);
  const { counter: next } = moveCounter(draft, meter, fresh, {
    sequence,
    kind: 'reset',
    reported: gauge?.level ?? 0n,
    amount: taken,
    payment,
    idempotencyKey,
    occurredAtMs: draft.nowMs,
    after: { ...paidInto(fresh, payment, 'used'), gauge },
    bookedAs: 'use',
  });
  return next;
}
