/**
 * settle — brings a customer up to now: a change of plan, holds that are overdue, credits, periods that have ended.
 *
 * Whoever touches a customer does this first, in the same transaction; so nothing has to run for it to be right, and two
 * gateways that notice the same boundary do it once, under the customer's lock.
 */
import { carriedInto, isCarried } from '../../domain/aggregation.ts';
import { crossings } from '../../domain/alert.ts';
import { nextDueMs, settleCredits } from '../../domain/credits.ts';
import { currentPlanOf, pendingPlanOf } from '../../domain/customer.ts';
import type { Feature } from '../../domain/feature.ts';
import { planChanged } from '../../domain/notices-of-money.ts';
import { paidInto, pay } from '../../domain/payment.ts';
import { periodFor, ruleKey } from '../../domain/period.ts';
import type { Catalog } from '../../domain/plan.ts';
import { newestOf } from '../../domain/plan-allocation.ts';
import { isOverdue, type Reservation } from '../../domain/reservation.ts';
import { bookGrantChanges } from '../booking/grants.ts';
import { askAgain, asksAgainAtMs, momentOf } from '../booking/wallet.ts';
import type { Draft } from '../draft.ts';
import { freshCounter, type Meter, meterOf, ownPlan, periodLookupOf, periodRuleOf, stateOf } from '../meter.ts';
import { type CustomerState, meterKey, type StoredCounter } from '../state.ts';

import { moveCounter, tellClosed } from './movement.ts';
import { keepOneCurrency } from './one-currency.ts';
import { giveBackHold } from './release.ts';
import { meterOfReservation } from './reservation.ts';
import { ruleText } from './rule-text.ts';

export const isDue = ({ dueAtMs }: CustomerState, nowMs: number): boolean => dueAtMs !== null && dueAtMs <= nowMs;

/**
 * Everything that is due of a customer. What it needs was loaded: see `lookAtDue`.
 *
 * @returns whether the customer is up to now. If not, it is due still: the rest is for the next transaction.
 */
export function settleCustomer(draft: Draft, customer: CustomerState, catalog: Catalog): boolean {
  const { nowMs } = draft;
  const sequenceBefore = customer.sequence;
  beginCredits(draft, customer, catalog, customer.dueAtMs ?? nowMs);
  const overdue = [...customer.reservations.values()]
    .filter((reservation) => isOverdue(reservation, nowMs))
    .sort((a, b) => a.expiresAtMs - b.expiresAtMs);
  const changesAtMs = customer.pendingPlan?.atMs ?? Number.POSITIVE_INFINITY;
  for (const reservation of overdue.filter(({ expiresAtMs }) => expiresAtMs < changesAtMs)) {
    expire(draft, customer, catalog, reservation);
  }
  changePlan(draft, customer, catalog);
  for (const reservation of overdue.filter(({ expiresAtMs }) => expiresAtMs >= changesAtMs)) {
    expire(draft, customer, catalog, reservation);
  }
  for (const feature of catalog.features.values()) {
    const meter = meterOf(customer, catalog, feature, ownPlan(customer, catalog, nowMs));
    settleMeterCredits(draft, meter, true);
    keepOneCurrency(draft, meter);
    closePeriods(draft, customer, catalog, feature);
  }
  const plan = ownPlan(customer, catalog, nowMs);
  askAgain(draft, customer, plan);
  customer.dueAtMs = null;
  draft.touch(customer);
  draft.settled.add(customer);
  for (const atMs of dueTimes(customer)) draft.dueAt(customer, atMs);
  for (const currency of customer.wallets.keys()) {
    draft.dueAt(customer, asksAgainAtMs(customer, plan, currency, nowMs));
  }
  const goesOn = customer.sequence > sequenceBefore || draft.carriesLeft === 0; // else another round would do no more
  return !isDue(customer, nowMs) || !goesOn;
}

/** Brings a customer up to now, as far as a transaction goes. @returns whether it is. */
export function bringUpToNow(draft: Draft, customer: CustomerState, catalog: Catalog): boolean {
  if (!isDue(customer, draft.nowMs)) return true;
  return !draft.settled.has(customer) && settleCustomer(draft, customer, catalog);
}

/** All instants at which something will be due. */
function dueTimes(customer: CustomerState): readonly (number | null)[] {
  const open = [...customer.reservations.values()].filter(({ state }) => state === 'open');
  const running = [...customer.counters.values()].filter(({ closedAtMs }) => closedAtMs === null);
  return [
    customer.laterMs,
    customer.pendingPlan?.atMs ?? null,
    ...open.map(({ expiresAtMs }) => expiresAtMs),
    ...running.map(({ period }) => period.endMs),
    ...[...customer.credits.values()].flatMap(({ grants }) => [...grants.values()].map(nextDueMs)),
  ];
}

/** Credits that renewed before the hold ended did so without what it held. */
function expire(draft: Draft, customer: CustomerState, catalog: Catalog, reservation: Reservation): void {
  const feature = catalog.features.get(reservation.featureKey);
  const { expiresAtMs, payment } = reservation;
  if (feature && payment.draws.length > 0) {
    const plan = ownPlan(customer, catalog, expiresAtMs);
    settleMeterCredits(draft, meterOf(customer, catalog, feature, plan), true, expiresAtMs);
  }
  const meter = meterOfReservation(customer, catalog, reservation, draft.nowMs);
  giveBackHold(draft, meter, reservation, { state: 'expired' });
}

/** The credits of the plan before are settled up to the change first: late or in time is the same. */
function changePlan(draft: Draft, customer: CustomerState, catalog: Catalog): void {
  const { pendingPlan } = customer;
  if (pendingPlan === null || pendingPlanOf(customer, draft.nowMs) !== null) return;
  for (const feature of catalog.features.values()) {
    const before = ownPlan({ ...customer, pendingPlan: null }, catalog, pendingPlan.atMs);
    settleMeterCredits(draft, meterOf(customer, catalog, feature, before), true, pendingPlan.atMs);
  }
  const { planKey, planVersion } = currentPlanOf(customer, draft.nowMs);
  const previousPlanKey = customer.planKey;
  customer.planKey = planKey;
  customer.planVersion = planVersion;
  customer.pendingPlan = null;
  draft.movePlan(customer, pendingPlan.atMs);
  const moment = momentOf(customer, customer.sequence, draft.nowMs);
  draft.addNotice(planChanged(moment, { planKey, previousPlanKey, effectiveAtMs: pendingPlan.atMs }));
  beginCredits(draft, customer, catalog, pendingPlan.atMs);
}

/**
 * Rules that have allocated nothing yet begin with what brought them: whoever registers, or gets other limits, is due at
 * that instant.
 */
function beginCredits(draft: Draft, customer: CustomerState, catalog: Catalog, atMs: number): void {
  const plan = ownPlan({ ...customer, pendingPlan: null }, catalog, atMs); // one that is pending begins after it
  for (const feature of catalog.features.values()) {
    settleMeterCredits(draft, meterOf(customer, catalog, feature, plan), false, atMs);
  }
}

/**
 * The credits of one meter: what is due of its grants, and the plan's allocation as its rule has it.
 *
 * @param all  Whether to look at grants though the rule is what it was.
 * @param atMs Up to when; not later than now.
 */
export function settleMeterCredits(draft: Draft, meter: Meter, all: boolean, atMs = draft.nowMs): void {
  const { customer, feature } = meter;
  const rule = meter.entitled ? meter.policy.credits : null;
  const text = ruleText(rule, feature.reset);
  const account = draft.accountOf(customer, feature.key);
  if (!all && account.rule === text) return;
  if (rule === null && account.grants.size === 0 && account.rule === null) return;
  const changes = settleCredits({
    customerId: customer.id,
    featureKey: feature.key,
    featureReset: feature.reset,
    grants: [...account.grants.values()],
    rule,
    periodAt: periodLookupOf(customer, feature),
    timeZone: customer.timeZone,
    grantedFromMs: atMs,
    nowMs: atMs,
  });
  if (changes.length === 0 && account.rule === text) return;
  const sequence = draft.nextSequence(customer);
  bookGrantChanges(draft, customer, feature.key, changes, { kind: 'renewal', sequence });
  const after = draft.accountOf(customer, feature.key);
  const allocation = newestOf([...after.grants.values()]);
  draft.putAccount(customer, feature.key, { ...after, rule: text, allocationId: allocation?.id ?? null, sequence });
}

/** Periods that have ended get their final total; the level of a gauge goes on into the next. */
function closePeriods(draft: Draft, customer: CustomerState, catalog: Catalog, feature: Feature): void {
  const meter = meterOf(customer, catalog, feature, ownPlan(customer, catalog, draft.nowMs));
  const { nowMs } = draft;
  const newest = customer.counters.get(feature.key);
  const goesOn = newest && isCarried(feature.aggregation) ? carryForward(draft, meter, newest) : null;
  for (const [key, counters] of countersOf(customer, feature.key)) {
    for (const counter of counters) {
      if (counter.closedAtMs !== null || counter.period.endMs === null || counter.period.endMs > nowMs) continue;
      if (counter === goesOn) continue; // what is open stays due
      const entityId = key === feature.key ? null : key.slice(feature.key.length + 1);
      draft.putCounter(customer, feature.key, entityId, { ...counter, closedAtMs: nowMs });
      if (entityId === null) tellClosed(draft, meter, counter);
    }
  }
}

function countersOf(
  customer: CustomerState,
  featureKey: string,
): readonly (readonly [string, readonly StoredCounter[]])[] {
  const isOwn = (key: string): boolean => key === featureKey || key.startsWith(meterKey(featureKey, ''));
  const keys = new Set([...customer.counters.keys(), ...customer.earlier.keys()].filter(isOwn));
  return [...keys].map((key) => {
    const newest = customer.counters.get(key);
    const all = [...(customer.earlier.get(key) ?? []), ...(newest ? [newest] : [])];
    return [key, [...new Map(all.map((counter) => [counter.period.startMs, counter])).values()]];
  });
}

/**
 * Opens each period since with the level that was left, and counts it there: as many as the transaction may.
 *
 * @returns the counter that is to be carried on from by the next transaction; null where the level has come to now.
 */
function carryForward(draft: Draft, meter: Meter, from: StoredCounter): StoredCounter | null {
  let counter = from;
  while (counter.gauge !== null && counter.period.endMs !== null && counter.period.endMs <= draft.nowMs) {
    if (draft.carriesLeft === 0) return counter;
    draft.carriesLeft -= 1;
    counter = carried(draft, meter, counter, counter.period.endMs);
  }
  return null;
}

function carried(draft: Draft, meter: Meter, from: StoredCounter, atMs: number): StoredCounter {
  const { customer, feature, policy } = meter;
  const reset = ruleKey(feature.reset, feature.anchor);
  const next = freshCounter({ ...periodFor(from.period, periodRuleOf(customer, feature), atMs), reset });
  const { taken, gauge } = carriedInto(feature.aggregation, from.gauge, next.period);
  const payment = pay(policy, next, stateOf(meter, next, null, draft.nowMs).funds, taken);
  const paid = paidInto(next, payment, 'used');
  const { counter } = moveCounter(draft, meter, next, {
    kind: 'carry',
    reported: gauge?.level ?? 0n,
    amount: taken,
    payment,
    occurredAtMs: next.period.startMs,
    after: { ...paid, gauge },
    crossed: crossings(policy, next, paid, next.raised),
    bookedAs: 'use',
  });
  return counter;
}
