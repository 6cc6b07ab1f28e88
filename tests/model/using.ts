/** using — what the model says to use, and how a modelled meter stands. */
import type { Period } from '../../server/domain/period.ts';
import type { Units } from '../../server/domain/units.ts';
import { raise } from './alerts.ts';
import type { Ask } from './ask.ts';
import type { Book, Entry, Paid } from './book.ts';
import { addEntry } from './entries.ts';
import { namesNobody } from './measure.ts';
import {
  balanceOf,
  creditsOf,
  entriesIn,
  heldIn,
  isEntitled,
  partIn,
  periodOf,
  planAt,
  policyAt,
  usedIn,
} from './questions.ts';
import { decimal, instant, refusedWith, spellSplit, type Told } from './told.ts';
import { verdictOn, windowsAt } from './verdict.ts';

export function use(book: Book, ask: Ask, nowMs: number): Told {
  const verdict = verdictOn(book, ask, nowMs);
  if (verdict.outcome === 'invalid') return refusedWith(namesNobody(ask) ? 'INVALID_INPUT' : 'INVALID_AMOUNT');
  if (verdict.outcome === 'denied') {
    return {
      ...decided(verdict.reason),
      amount: '0',
      split: 'nothing',
      alerts: '',
      ...reading(book, ask.featureKey, nowMs, nowMs),
    };
  }
  if (ask.purpose !== 'record') book.calls.push({ atMs: nowMs, windows: windowsAt(book, ask.featureKey, nowMs) });
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
export function tookTold(
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

export const decided = (reason: string | null): Told => ({ allowed: reason === null, reason });
export const splitTold = (paid: Paid): string => spellSplit({ ...paid, overageCost: paid.cost - paid.walletCharge });

/** A meter as it stands, in the period of an instant. */
export function reading(book: Book, featureKey: string, atMs: number, nowMs: number): Told {
  return readingOf(book, featureKey, periodOf(book, featureKey, atMs), nowMs);
}

export function readingOf(book: Book, featureKey: string, period: Period, nowMs: number): Told {
  const entries = entriesIn(book, featureKey, period);
  const policy = policyAt(book, featureKey, nowMs);
  const [cost, charge] = [partIn(entries, 'cost'), partIn(entries, 'walletCharge')];
  const isPriced = policy.price !== null || cost !== 0n || charge !== 0n; // what was priced is owed without a price, too
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
    estimatedCost: isPriced ? decimal(cost - charge) : null,
    since: instant(period.startMs),
    until: instant(period.endMs),
  };
}
