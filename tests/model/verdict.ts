/**
 * verdict — what the model says to one call: the rules of the design page, read slowly.
 *
 * Refusals come in the order of the page. What a clamped call takes is found by trying: the most that would be allowed.
 */

import type { DenialReason } from '../../server/domain/denial.ts';
import type { LimitPolicy } from '../../server/domain/policy.ts';
import { ONE, type Units } from '../../server/domain/units.ts';
import type { Ask } from './ask.ts';
import type { Book, Entry, Paid } from './book.ts';
import { NOTHING_PAID } from './book.ts';
import { definitionOf, planNamed } from './catalog.ts';
import { costOf } from './cost.ts';
import { givenBack, payersOf } from './giving-back.ts';
import { isInvalid, levelOf, takenBy } from './measure.ts';
import {
  availableMoney,
  burning,
  entriesIn,
  entriesOf,
  fullUntil,
  hasWallet,
  heldIn,
  isEntitled,
  partIn,
  periodOf,
  planAt,
  policyAt,
  pricedIn,
  remainingOf,
  spentInMonth,
  usedIn,
} from './questions.ts';

export type Verdict =
  | { readonly outcome: 'allowed'; readonly taken: Units; readonly paid: Paid }
  | { readonly outcome: 'denied'; readonly reason: DenialReason }
  | { readonly outcome: 'invalid' };

const denied = (reason: DenialReason): Verdict => ({ outcome: 'denied', reason });

export function verdictOn(book: Book, ask: Ask, nowMs: number): Verdict {
  const policy = policyAt(book, ask.featureKey, nowMs);
  if (isInvalid(ask, policy)) return { outcome: 'invalid' };
  if (ask.purpose !== 'record' && isRateLimited(book, ask.featureKey, policy, nowMs)) return denied('RATE_LIMITED');
  if (!isEntitled(book, ask.featureKey, nowMs)) return denied('FEATURE_NOT_IN_PLAN');
  const entries = entriesIn(book, ask.featureKey, periodOf(book, ask.featureKey, ask.atMs));
  const taken = takenBy(book, ask, entries);
  if (taken > 0n) return verdictOnTaking(book, ask, policy, entries, taken, nowMs);
  const back = isBelowFloor(book, ask, policy, entries) ? mostGivenBack(ask, policy, entries) : taken;
  if (back === null) return denied('BELOW_MINIMUM');
  return {
    outcome: 'allowed',
    taken: back,
    paid: givenBack(entries, -back, policy.price, payersOf(entries, entriesOf(book, ask.featureKey))),
  };
}

/** A floor is one of the level of a quantity that is held, and of the units used of any other; entities' own is 0. */
function isBelowFloor(book: Book, ask: Ask, { minLimit }: LimitPolicy, entries: readonly Entry[]): boolean {
  const { aggregation } = definitionOf(ask.featureKey);
  const floor = minLimit ?? 0n;
  if (aggregation === 'latest') return ask.amount < floor;
  if (ask.amount >= 0n) return false;
  if (aggregation === 'weighted_sum') return levelOf(book, ask.featureKey) + ask.amount < floor;
  return usedIn(entries) + ask.amount < floor || (ask.entityId !== null && usedBy(ask, entries) + ask.amount < 0n);
}

/** What a clamped call may give back of amounts that add up; null when nothing. */
function mostGivenBack(ask: Ask, { minLimit }: LimitPolicy, entries: readonly Entry[]): Units | null {
  if (ask.mode !== 'CLAMP' || !['sum', 'duration'].includes(definitionOf(ask.featureKey).aggregation ?? 'sum'))
    return null;
  const all = usedIn(entries) - (minLimit ?? 0n);
  const own = ask.entityId === null ? all : usedBy(ask, entries);
  const most = own < all ? own : all;
  return most > 0n ? -most : null;
}

const usedBy = ({ entityId }: Ask, entries: readonly Entry[]): Units =>
  usedIn(entries.filter((entry) => entry.entityId === entityId));

function isRateLimited(book: Book, featureKey: string, policy: LimitPolicy, nowMs: number): boolean {
  return rateLimitsAt(book, featureKey, policy, nowMs).some(([window, rule]) => {
    const calls = book.calls.filter(({ windows }) => windows.has(window)).map(({ atMs }) => atMs);
    return fullUntil(rule, calls, nowMs) !== null;
  });
}

/** The windows that a call takes a slot of. */
export const windowsAt = (book: Book, featureKey: string, nowMs: number): ReadonlySet<string> =>
  new Set(rateLimitsAt(book, featureKey, policyAt(book, featureKey, nowMs), nowMs).map(([window]) => window));

function rateLimitsAt(book: Book, featureKey: string, policy: LimitPolicy, nowMs: number) {
  const ofPlan = planNamed(planAt(book, nowMs)).rateLimits ?? [];
  return [
    ...ofPlan.map((rule) => [`all ${rule.windowMs}`, rule] as const),
    ...policy.rateLimits.map((rule) => [`${featureKey} ${rule.windowMs}`, rule] as const),
  ];
}

const DIVISIBLE = ['sum', 'duration', 'max', 'latest'];

function verdictOnTaking(
  book: Book,
  ask: Ask,
  policy: LimitPolicy,
  entries: readonly Entry[],
  taken: Units,
  nowMs: number,
): Verdict {
  const isForced = ask.mode === 'OVERFLOW' || ask.purpose === 'record';
  const pay = (units: Units): Paid | DenialReason => payFor(book, ask, policy, entries, units, isForced, nowMs);
  const room = isForced ? null : roomFor(ask, policy, entries);
  const mayClamp = ask.mode === 'CLAMP' && DIVISIBLE.includes(definitionOf(ask.featureKey).aggregation ?? 'sum');
  let units = taken;
  if (room !== null && room < taken) {
    if (!mayClamp || room <= 0n) return denied('LIMIT_REACHED');
    units = room;
  }
  const paid = pay(units);
  if (typeof paid !== 'string') return { outcome: 'allowed', taken: units, paid };
  const most = mayClamp ? mostPayable(freeUnits(book, ask, policy, entries, nowMs), units, pay) : null;
  return most ?? denied(paid);
}

/** The most that would be allowed: what is free, and as many whole units on top as can be paid for. */
function mostPayable(free: Units, wanted: Units, pay: (units: Units) => Paid | DenialReason): Verdict | null {
  for (let whole = (wanted - free) / ONE; whole >= 0n; whole -= 1n) {
    const taken = free + whole * ONE;
    if (taken === 0n) return null;
    const paid = pay(taken);
    if (typeof paid !== 'string') return { outcome: 'allowed', taken, paid };
  }
  return null;
}

/** Null where no limit stands in the way. */
function roomFor(ask: Ask, policy: LimitPolicy, entries: readonly Entry[]): Units | null {
  if (policy.enforcement === 'soft') return null;
  const rooms: Units[] = [];
  if (policy.limit !== null) rooms.push(policy.limit - usedIn(entries) - heldIn(entries));
  if (ask.entityId !== null && policy.entityLimit !== null) {
    const own = entries.filter(({ entityId }) => entityId === ask.entityId);
    rooms.push(policy.entityLimit - usedIn(own) - heldIn(own));
  }
  return rooms.length === 0 ? null : rooms.reduce((a, b) => (a < b ? a : b));
}

function includedLeft(policy: LimitPolicy, entries: readonly Entry[]): Units | null {
  if (policy.included === null) return null;
  const left = policy.included - partIn(entries, 'included');
  return left > 0n ? left : 0n;
}

function freeUnits(book: Book, ask: Ask, policy: LimitPolicy, entries: readonly Entry[], nowMs: number): Units {
  const credits = burning(book, ask.featureKey, nowMs).map((grant) => remainingOf(book, grant));
  return credits.reduce((total, units) => total + units, includedLeft(policy, entries) ?? 0n);
}

/** Included, then credits, then the wallet, then the bill; or what stands in the way. */
function payFor(
  book: Book,
  ask: Ask,
  policy: LimitPolicy,
  entries: readonly Entry[],
  units: Units,
  isForced: boolean,
  nowMs: number,
): Paid | DenialReason {
  const paid: Paid = { ...NOTHING_PAID, draws: [] };
  const free = includedLeft(policy, entries);
  paid.included = free === null || free >= units ? units : free;
  let rest = units - paid.included;
  for (const grant of burning(book, ask.featureKey, nowMs)) {
    const left = remainingOf(book, grant);
    const drawn = left < rest ? left : rest;
    if (drawn > 0n) paid.draws.push({ grantId: grant.id, units: drawn });
    rest -= drawn;
  }
  paid.credits = units - paid.included - rest;
  if (rest === 0n) return paid;

  const { price } = policy;
  const position = pricedIn(entries);
  const costOfNext = (next: Units): Units =>
    price === null ? 0n : costOf(price, position + next) - costOf(price, position);
  paid.cost = costOfNext(rest);
  if (!isForced && exceedsSpend(book, policy, entries, paid.cost, nowMs)) return 'SPEND_LIMIT_REACHED';
  if (price !== null && hasWallet(book, nowMs)) {
    const money = availableMoney(book, nowMs);
    paid.wallet = [rest, ...wholesBelow(rest)].find((some) => costOfNext(some) <= money) ?? 0n;
    paid.walletCharge = costOfNext(paid.wallet);
  }
  paid.overage = rest - paid.wallet;
  const mayBill = isForced || (policy.billing === 'postpaid' && (price !== null || policy.enforcement === 'soft'));
  return paid.overage > 0n && !mayBill ? 'INSUFFICIENT_FUNDS' : paid;
}

/** 3 and 2 and 1 and 0 for 3.5; 2 and 1 and 0 for 3. */
function wholesBelow(units: Units): Units[] {
  const wholes: Units[] = [];
  for (let some = ((units - 1n) / ONE) * ONE; some >= 0n; some -= ONE) wholes.push(some);
  return wholes;
}

/** What pays for units that are used whatever may be. */
export function forcedPayment(
  book: Book,
  featureKey: string,
  entries: readonly Entry[],
  units: Units,
  atMs: number,
): Paid {
  const ask: Ask = {
    featureKey,
    amount: units,
    mode: 'OVERFLOW',
    purpose: 'record',
    entityId: null,
    value: null,
    atMs,
  };
  const paid = payFor(book, ask, policyAt(book, featureKey, atMs), entries, units, true, atMs);
  if (typeof paid === 'string') throw new RangeError(`${paid} of what can't be refused`);
  return paid;
}

function exceedsSpend(book: Book, policy: LimitPolicy, entries: readonly Entry[], cost: Units, nowMs: number): boolean {
  const own = policy.spendLimit;
  const ofPlan = planNamed(planAt(book, nowMs)).spendLimit ?? null;
  return (
    (own !== null && partIn(entries, 'cost') + cost > own) ||
    (ofPlan !== null && spentInMonth(book, nowMs) + cost > ofPlan.amount)
  );
}
