/** correct — what is done about mistakes: an event is reversed by another, a period ended by hand. Nothing is updated. */

import { carriedInto, isAdditive } from '../../domain/aggregation.ts';
import { eventAlreadyReversed, eventNotFound, irreversible } from '../../domain/errors.ts';
import type { Draw } from '../../domain/grant.ts';
import { giveBack, NO_PAYMENT, type Paid, paidInto, pay } from '../../domain/payment.ts';
import { restartedPeriod, ruleKey } from '../../domain/period.ts';
import { maxUnits, minUnits, type Units } from '../../domain/units.ts';
import type { Draft } from '../draft.ts';
import { currentCounter, freshCounter, type Meter, periodRuleOf, stateOf, usageOfMeter } from '../meter.ts';
import type { Restarted, ReverseRequest } from '../requests.ts';
import type { CustomerState, PastEvent, StoredCounter } from '../state.ts';
import { counterAt } from './counter-at.ts';
import { moveCounter } from './movement.ts';
import { allowedOf, type Used } from './use.ts';

/** @throws {MeterError} `EVENT_NOT_FOUND`, `EVENT_ALREADY_REVERSED` */
export function eventToReverse(customer: CustomerState | undefined, sequence: bigint): PastEvent {
  const event = customer?.events.get(sequence);
  if (!event) throw eventNotFound();
  if (event.isReversed || event.kind === 'reversal') throw eventAlreadyReversed();
  return event;
}

/**
 * Takes an event back by another one, into the period it counted in: what paid for it gets its own back.
 *
 * @throws {MeterError} `INVALID_AMOUNT` for what can't be taken back by itself.
 */
export function reverse(draft: Draft, meter: Meter, event: PastEvent, request: ReverseRequest): Used {
  const { customer, feature, policy } = meter;
  if (!isAdditive(feature.aggregation) || event.amount <= 0n) {
    throw irreversible(feature, event.amount);
  }
  const counter = counterAt(customer, feature, null, event.periodStartMs, draft.nowMs);
  const amount = minUnits(event.amount, counter.used); // what was given back meanwhile is not given back twice
  const payment =
    amount === 0n ? NO_PAYMENT : giveBack(policy, counter, stillPaid(draft, meter, event, counter, amount), amount);
  const { counter: after, alerts } = moveCounter(draft, meter, counter, {
    kind: 'reversal',
    entityId: event.entityId,
    reported: -amount,
    amount: -amount,
    payment,
    currency: event.currency,
    reverses: event.sequence,
    idempotencyKey: request.idempotencyKey,
    properties: event.properties,
    occurredAtMs: event.occurredAtMs,
    after: paidInto(counter, payment, 'used'),
    bookedAs: 'reversal',
  });
  customer.events.set(event.sequence, { ...event, isReversed: true });
  return { consumption: allowedOf(meter, after, { amount: -amount, payment }, draft.nowMs), payment, alerts };
}

/**
 * What the event's payment and the period's still have in common: a part may have been given back already, and what holds
 * took is theirs. Where a grant has its own back, the last ones that were drawn from get theirs.
 */
function stillPaid(draft: Draft, meter: Meter, { payment }: PastEvent, counter: StoredCounter, amount: Units): Paid {
  const { paid } = stateOf(meter, counter, null, draft.nowMs);
  const own = payment.draws.map((draw) => ({ ...draw, units: minUnits(draw.units, missingOf(draft, meter, draw)) }));
  const credits = minUnits(payment.credits, paid.credits);
  const wallet = minUnits(payment.wallet, paid.wallet);
  const overage = minUnits(payment.overage, paid.overage);
  // What the event has no part in any more was given back in its place by others: theirs is given back instead.
  const included = maxUnits(counter.used - paid.credits - paid.wallet - paid.overage, 0n);
  const ofOthers = maxUnits(amount - credits - wallet - overage - included, 0n);
  const moreOverage = minUnits(ofOthers, paid.overage - overage);
  const moreWallet = minUnits(ofOthers - moreOverage, paid.wallet - wallet);
  const charge = minUnits(payment.walletCharge, paid.walletCharge);
  return {
    ...paid,
    credits: credits + minUnits(ofOthers - moreOverage - moreWallet, paid.credits - credits),
    wallet: wallet + moreWallet,
    overage: overage + moreOverage,
    walletCharge:
      moreWallet === 0n ? charge : charge + ((paid.walletCharge - charge) * moreWallet) / (paid.wallet - wallet),
    draws: [...paid.draws, ...own.map(({ grantId, units }) => ({ grantId, units: -units })), ...own],
  };
}

/** How many units a grant misses for use; of one that is gone, any number, since none of them come back. */
function missingOf(draft: Draft, { customer, feature }: Meter, { grantId, units }: Draw): Units {
  const grant = draft.accountOf(customer, feature.key).grants.get(grantId);
  if (!grant || grant.state === 'expired' || grant.state === 'voided') return units;
  const held = [...customer.reservations.values()]
    .filter(({ state }) => state === 'open')
    .flatMap(({ payment }) => payment.draws)
    .reduce((sum, draw) => (draw.grantId === grantId ? sum + draw.units : sum), 0n);
  return grant.amount - grant.remaining - held;
}

/** Ends the running period by hand: what follows is counted anew until the period would have ended. */
export function restart(draft: Draft, meter: Meter, idempotencyKey: string | null): Restarted {
  const { customer, feature, policy } = meter;
  const counter = currentCounter(customer, feature, null, draft.nowMs);
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
  return {
    kind: 'restarted',
    ended: { startMs: counter.period.startMs, endMs: startMs },
    usage: usageOfMeter(meter, next, draft.nowMs),
    replayed: false,
  };
}
