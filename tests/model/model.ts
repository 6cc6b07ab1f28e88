/**
 * model — the whole metering engine again, small and slow, from its rules alone: what it says to each request is what the
 * real one has to say. It takes the real one's requests and keeps one book for each customer.
 */

import type { LimitFields } from '../../server/domain/feature.ts';
import { type Period, periodAt } from '../../server/domain/period.ts';
import type { Units } from '../../server/domain/units.ts';
import type {
  CommitRequest,
  ConsumeRequest,
  GrantRequest,
  Request,
  ReserveRequest,
} from '../../server/metering/requests.ts';
import { raise } from './alerts.ts';
import type { Ask } from './ask.ts';
import type { Book, Entry, Hold, ModelGrant, Paid } from './book.ts';
import { definitionOf, planNamed } from './catalog.ts';
import { addEntry } from './entries.ts';
import { givenBack, payersOfEntry, restOf, together } from './giving-back.ts';
import { isAdditive } from './measure.ts';
import {
  balanceOf,
  creditsOf,
  entriesIn,
  heldIn,
  isEntitled,
  partIn,
  periodFrom,
  periodOf,
  planAt,
  policyAt,
  regularPeriod,
  remainingOf,
  usedIn,
} from './questions.ts';
import { alignAllocations, letGo, settle } from './settling.ts';
import { decimal, instant, refusedWith, spellSplit, type Told } from './told.ts';
import { verdictOn } from './verdict.ts';

/** What the model says to a request, which it then remembers as told. */
export function tell(book: Book, request: Request, nowMs: number): Told {
  settle(book, nowMs);
  const key = request.idempotencyKey;
  if (key === null) return answerTo(book, request, nowMs);
  const content = JSON.stringify(request, (_, value) => (typeof value === 'bigint' ? `${value}` : value));
  const earlier = book.answers.get(key);
  if (earlier)
    return earlier.content === content ? { ...earlier.told, replayed: true } : refusedWith('IDEMPOTENCY_CONFLICT');
  const told = answerTo(book, request, nowMs);
  if (!('error' in told)) book.answers.set(key, { content, told });
  return told;
}

/** What `consume` would say now; nothing is remembered. */
export function foretell(book: Book, request: ConsumeRequest, nowMs: number): Told {
  const told = tell(structuredClone(book), { ...request, idempotencyKey: null }, nowMs);
  return 'alerts' in told ? { ...told, alerts: '' } : told; // an alert is a stored fact
}

function answerTo(book: Book, request: Request, nowMs: number): Told {
  switch (request.kind) {
    case 'consume':
      return consume(book, request, nowMs);
    case 'reserve':
      return reserve(book, request, nowMs);
    case 'commit':
      return commit(book, request, nowMs);
    case 'release':
      return release(book, request.reservationId, nowMs);
    case 'grant':
      return grant(book, request, nowMs);
    case 'void-grant':
      return voidGrant(book, request.grantId, nowMs);
    case 'top-up':
      return topUp(book, request.amount, nowMs);
    case 'reverse':
      return reverse(book, request.sequence, nowMs);
    case 'reset':
      return restart(book, request.featureKey, nowMs);
    case 'settle':
      return {};
    default:
      throw new RangeError(`the model knows no ${request.kind}`);
  }
}

function consume(book: Book, request: ConsumeRequest, nowMs: number): Told {
  const atMs = request.occurredAtMs ?? nowMs;
  const { featureKey, amount, mode, purpose, entityId } = request;
  return use(book, { featureKey, amount, mode, purpose, entityId, value: countedValue(request), atMs }, nowMs);
}

function countedValue({ featureKey, properties }: ConsumeRequest): string | null {
  const { of } = definitionOf(featureKey);
  return of && properties ? JSON.stringify(JSON.parse(properties)[of]) : null;
}

function use(book: Book, ask: Ask, nowMs: number): Told {
  const verdict = verdictOn(book, ask, nowMs);
  if (verdict.outcome === 'invalid') return refusedWith('INVALID_AMOUNT');
  if (verdict.outcome === 'denied') {
    return {
      ...decided(verdict.reason),
      amount: '0',
      split: 'nothing',
      alerts: '',
      ...reading(book, ask.featureKey, nowMs, nowMs),
    };
  }
  if (ask.purpose !== 'record') book.calls.push({ featureKey: ask.featureKey, atMs: nowMs });
  const period = periodOf(book, ask.featureKey, ask.atMs);
  const before = entriesIn(book, ask.featureKey, period);
  const { taken, paid } = verdict;
  addEntry(book, {
    featureKey: ask.featureKey,
    entityId: ask.entityId,
    atMs: ask.atMs,
    toldAtMs: nowMs,
    reported: ask.amount,
    value: ask.value,
    taken,
    paid,
  });
  return tookTold(book, ask.featureKey, period, before, taken, paid, nowMs);
}

/** What is said of units that were taken: the split, the alerts that they raise, and where the meter stands. */
function tookTold(
  book: Book,
  featureKey: string,
  period: Period,
  before: readonly Entry[],
  taken: Units,
  paid: Paid,
  nowMs: number,
): Told {
  const policy = policyAt(book, featureKey, nowMs);
  const after = entriesIn(book, featureKey, period);
  const alerts = raise(book, featureKey, period.startMs, policy, before, after);
  return {
    ...decided(null),
    amount: decimal(taken),
    split: splitTold(paid),
    alerts,
    ...readingOf(book, featureKey, period, nowMs),
  };
}

const decided = (reason: string | null): Told => ({ allowed: reason === null, reason });
const splitTold = (paid: Paid): string => spellSplit({ ...paid, overageCost: paid.cost - paid.walletCharge });

/** A meter as it stands, in the period of an instant. */
export function reading(book: Book, featureKey: string, atMs: number, nowMs: number): Told {
  return readingOf(book, featureKey, periodOf(book, featureKey, atMs), nowMs);
}

function readingOf(book: Book, featureKey: string, period: Period, nowMs: number): Told {
  const entries = entriesIn(book, featureKey, period);
  const policy = policyAt(book, featureKey, nowMs);
  const left = policy.limit === null ? null : policy.limit - usedIn(entries) - heldIn(entries);
  const remaining = left !== null && left < 0n ? 0n : left;
  return {
    plan: planAt(book, nowMs),
    used: decimal(usedIn(entries)),
    held: decimal(heldIn(entries)),
    limit: decimal(policy.limit),
    remaining: isEntitled(book, featureKey, nowMs) ? decimal(remaining) : '0',
    credits: decimal(creditsOf(book, featureKey, nowMs)),
    wallet: policy.price && decimal(balanceOf(book, nowMs)),
    overage: decimal(partIn(entries, 'overage')),
    estimatedCost: policy.price && decimal(partIn(entries, 'cost') - partIn(entries, 'walletCharge')),
    since: instant(period.startMs),
    until: instant(period.endMs),
  };
}

function reserve(book: Book, request: ReserveRequest, nowMs: number): Told {
  const { featureKey, amount, mode, entityId, reservationId } = request;
  const ask: Ask = { featureKey, amount, mode, purpose: 'hold', entityId, value: null, atMs: nowMs };
  const verdict = verdictOn(book, ask, nowMs);
  if (verdict.outcome === 'invalid') return refusedWith('INVALID_AMOUNT');
  if (verdict.outcome === 'denied') {
    return {
      ...decided(verdict.reason),
      amount: null,
      state: null,
      split: 'nothing',
      ...reading(book, featureKey, nowMs, nowMs),
    };
  }
  book.calls.push({ featureKey, atMs: nowMs });
  const { taken, paid } = verdict;
  const entry = addEntry(book, {
    featureKey,
    entityId,
    atMs: nowMs,
    toldAtMs: nowMs,
    reported: taken,
    taken,
    paid,
    state: 'held',
  });
  const hold: Hold = {
    id: reservationId,
    entryId: entry.id,
    expiresAtMs: nowMs + request.ttlMs,
    state: 'open',
    reserved: taken,
    committed: null,
    told: null,
  };
  book.holds.push(hold);
  return holdTold(book, hold, paid, nowMs);
}

function holdTold(book: Book, hold: Hold, paid: Paid, nowMs: number): Told {
  const entry = entryOf(book, hold);
  return {
    ...decided(null),
    amount: decimal(entry.taken),
    state: hold.state,
    split: splitTold(paid),
    ...readingOf(book, entry.featureKey, periodFrom(book, entry.featureKey, entry.periodStartMs), nowMs),
  };
}

const holdNamed = (book: Book, id: string): Hold | undefined => book.holds.find((hold) => hold.id === id);

function entryOf(book: Book, hold: Hold): Entry {
  const entry = book.entries.find(({ id }) => id === hold.entryId);
  if (!entry) throw new RangeError(`hold ${hold.id} holds nothing`);
  return entry;
}

function release(book: Book, id: string, nowMs: number): Told {
  const hold = holdNamed(book, id);
  if (!hold) return refusedWith('RESERVATION_NOT_FOUND');
  if (hold.state === 'expired') return refusedWith('RESERVATION_EXPIRED');
  if (hold.state === 'committed') return refusedWith('RESERVATION_CLOSED');
  const { paid } = entryOf(book, hold);
  if (hold.state === 'released') return { ...holdTold(book, hold, paid, nowMs), replayed: true };
  letGo(book, id, 'released');
  return holdTold(book, hold, paid, nowMs);
}

function commit(book: Book, request: CommitRequest, nowMs: number): Told {
  const hold = holdNamed(book, request.reservationId);
  if (!hold) return refusedWith('RESERVATION_NOT_FOUND');
  if (hold.state === 'expired') return refusedWith('RESERVATION_EXPIRED');
  if (hold.state === 'released') return refusedWith('RESERVATION_CLOSED');
  if (hold.told !== null) {
    const isSame = (request.amount ?? hold.reserved) === hold.committed;
    return isSame ? { ...hold.told, replayed: true } : refusedWith('RESERVATION_CLOSED');
  }
  const told = commitOpen(book, request, hold, nowMs);
  if (told.allowed === true) {
    hold.state = 'committed';
    hold.committed = request.amount ?? hold.reserved;
    hold.told = told;
  }
  return told;
}

function commitOpen(book: Book, { amount, mode }: CommitRequest, hold: Hold, nowMs: number): Told {
  const entry = entryOf(book, hold);
  const wanted = amount ?? entry.taken;
  const { featureKey, entityId, atMs } = entry;
  if (wanted < 0n) return commitOtherSign(book, hold, wanted, mode, nowMs);
  const before = entriesIn(book, featureKey, { startMs: entry.periodStartMs, endMs: null });
  const was = structuredClone(before);
  if (wanted <= entry.taken) {
    entry.paid = together(entry.paid, restOf(entry.paid, entry.taken - wanted));
    entry.taken = wanted;
  }
  const extra = wanted - entry.taken;
  if (extra <= 0n) {
    entry.state = 'used';
    return tookTold(
      book,
      featureKey,
      periodFrom(book, featureKey, entry.periodStartMs),
      was,
      entry.taken,
      entry.paid,
      nowMs,
    );
  }
  const draft = structuredClone(book);
  const told = use(
    draft,
    { featureKey, amount: extra, mode, purpose: 'use', entityId, value: null, atMs: nowMs },
    nowMs,
  );
  if (told.allowed !== true) return told;
  entry.state = 'used';
  const first = tookTold(
    book,
    featureKey,
    periodFrom(book, featureKey, entry.periodStartMs),
    was,
    entry.taken,
    entry.paid,
    nowMs,
  );
  const count = book.entries.length;
  const more = use(
    book,
    { featureKey, amount: extra, mode, purpose: 'use', entityId, value: null, atMs: nowMs },
    nowMs,
  );
  const added = book.entries[count];
  if (!added) throw new RangeError('what goes beyond a hold was not used');
  const all = together(entry.paid, added.paid);
  return {
    ...more,
    ...reading(book, featureKey, atMs, nowMs),
    amount: decimal(entry.taken + added.taken),
    split: splitTold(all),
    alerts: [first.alerts, more.alerts].filter(Boolean).join(', '),
  };
}

function commitOtherSign(book: Book, hold: Hold, amount: Units, mode: Ask['mode'], nowMs: number): Told {
  const { featureKey, entityId, atMs } = entryOf(book, hold);
  const draft = structuredClone(book);
  letGo(draft, hold.id, 'released');
  const ask: Ask = { featureKey, amount, mode, purpose: 'use', entityId, value: null, atMs };
  const told = use(draft, ask, nowMs);
  if (told.allowed !== true) return told;
  letGo(book, hold.id, 'released');
  return use(book, ask, nowMs);
}

function grant(book: Book, request: GrantRequest, nowMs: number): Told {
  const { featureKey, amount, recurring, expiresAtMs } = request;
  const effectiveFromMs = request.effectiveFromMs ?? nowMs;
  const renewal = recurring && { ...recurring, amount };
  const renewsAtMs = renewal && regularPeriod(book, featureKey, renewal.reset, effectiveFromMs).endMs;
  const ends = renewal && renewal.onRenewal !== 'add' ? renewsAtMs : expiresAtMs;
  book.grants.push({
    id: request.grantId,
    featureKey,
    isPlan: false,
    amount,
    priority: request.priority ?? 100,
    effectiveFromMs,
    expiresAtMs: ends,
    createdAtMs: nowMs,
    renewal,
    renewsAtMs,
    originId: request.grantId,
    rolledOver: false,
    lost: [],
    isVoided: false,
  });
  return grantTold(book, request.grantId, nowMs);
}

function grantTold(book: Book, id: string, nowMs: number): Told {
  const found = book.grants.find((one) => one.id === id);
  if (!found) return refusedWith('GRANT_NOT_FOUND');
  return {
    granted: decimal(found.amount),
    left: isGone(found, nowMs) ? '0' : decimal(remainingOf(book, found)),
    renewsAt: instant(found.renewsAtMs),
    ...reading(book, found.featureKey, nowMs, nowMs),
  };
}

const isGone = ({ isVoided, expiresAtMs }: ModelGrant, nowMs: number): boolean =>
  isVoided || (expiresAtMs !== null && expiresAtMs <= nowMs);

/** A grant that comes again is voided with all that came of it. */
function voidGrant(book: Book, id: string, nowMs: number): Told {
  const running = book.grants.filter((one) => (one.id === id || one.originId === id) && !isGone(one, nowMs));
  for (const one of running) {
    one.isVoided = true;
    one.renewsAtMs = null;
  }
  const told = grantTold(book, id, nowMs);
  return running.length === 0 && !('error' in told) ? { ...told, replayed: true } : told;
}

function topUp(book: Book, amount: Units, nowMs: number): Told {
  if (amount < 0n && (balanceOf(book, nowMs) ?? 0n) + amount < 0n) return refusedWith('INSUFFICIENT_BALANCE');
  book.money.push({ amount });
  return { wallet: decimal(balanceOf(book, nowMs)) };
}

function reverse(book: Book, sequence: bigint, nowMs: number): Told {
  const entry = book.entries.find((one) => one.sequence === sequence);
  if (!entry) return refusedWith('EVENT_NOT_FOUND');
  if (entry.reversed) return refusedWith('EVENT_ALREADY_REVERSED');
  const { featureKey, entityId, atMs, periodStartMs } = entry;
  if (!isAdditive(featureKey) || entry.taken <= 0n) return refusedWith('INVALID_AMOUNT');
  const before = entriesIn(book, featureKey, { startMs: entry.periodStartMs, endMs: null });
  const policy = policyAt(book, featureKey, nowMs);
  const taken = least(entry.taken, usedIn(before)); // what was given back meanwhile is not given back twice
  const paid = givenBack(before, taken, policy.price, payersOfEntry(before, entry, taken));
  entry.reversed = true;
  addEntry(book, {
    featureKey,
    entityId,
    atMs,
    periodStartMs,
    toldAtMs: nowMs,
    reported: -taken,
    taken: -taken,
    paid,
    isReversal: true,
  });
  return tookTold(book, featureKey, periodFrom(book, featureKey, periodStartMs), before, -taken, paid, nowMs);
}

const least = (a: Units, b: Units): Units => (a < b ? a : b);

function restart(book: Book, featureKey: string, nowMs: number): Told {
  const { startMs } = periodOf(book, featureKey, nowMs);
  book.restarts.push({ featureKey, atMs: Math.max(nowMs, startMs + 1) }); // no two periods begin at one instant
  return reading(book, featureKey, Math.max(nowMs, startMs + 1), nowMs);
}

/**
 * Puts a customer on another plan; a change that was still to come is called off.
 *
 * @param effective When; null for what is usual: a dearer one and one as dear at once, a cheaper one when the billing
 *   period ends.
 */
export function changePlan(
  book: Book,
  planKey: string,
  effective: 'immediately' | 'at_renewal' | null,
  nowMs: number,
): void {
  settle(book, nowMs);
  const current = planAt(book, nowMs);
  const isCheaper = basePriceOf(planKey) < basePriceOf(current);
  const isLater = planKey !== current && (effective ?? (isCheaper ? 'at_renewal' : 'immediately')) === 'at_renewal';
  book.plans = book.plans.filter((change) => change.isSettled);
  book.plans.push({ planKey, fromMs: isLater ? billingEnd(book, nowMs) : nowMs, isSettled: false });
  settle(book, nowMs);
}

const basePriceOf = (planKey: string): Units => planNamed(planKey).prices?.[0]?.amount ?? 0n;

/** Months are counted from the day on which the customer began. */
function billingEnd({ createdAtMs, timeZone }: Book, atMs: number): number {
  const rule = {
    reset: 'monthly',
    anchor: 'subscription',
    anchorMs: createdAtMs,
    timeZone,
    sinceMs: createdAtMs,
  } as const;
  return periodAt(rule, atMs).endMs ?? Number.NaN;
}

export function changeLimits(book: Book, featureKey: string, fields: LimitFields, nowMs: number): void {
  settle(book, nowMs);
  if (Object.keys(fields).length === 0) book.overrides.delete(featureKey);
  else book.overrides.set(featureKey, fields);
  alignAllocations(book, nowMs);
}
