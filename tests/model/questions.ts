/** questions — what is known of a modelled customer, worked out from the lists of its book each time it is asked. */
import type { Period, PeriodRule, Reset } from '../../server/domain/period.ts';
import { periodAt } from '../../server/domain/period.ts';
import type { LimitPolicy } from '../../server/domain/policy.ts';
import type { RateLimit } from '../../server/domain/rate-limit.ts';
import type { Units } from '../../server/domain/units.ts';
import type { Book, Draw, Entry, ModelGrant } from './book.ts';
import { definitionOf, planNamed } from './catalog.ts';
import { policyOf } from './policy.ts';

export const sumOf = (amounts: readonly Units[]): Units => amounts.reduce((total, amount) => total + amount, 0n);

export function planAt(book: Book, atMs: number): string {
  return book.plans.filter(({ fromMs }) => fromMs <= atMs).at(-1)?.planKey ?? '';
}

export function policyAt(book: Book, featureKey: string, atMs: number): LimitPolicy {
  const plan = planNamed(planAt(book, atMs));
  return policyOf(definitionOf(featureKey), plan.features.get(featureKey), book.overrides.get(featureKey));
}

export const isEntitled = (book: Book, featureKey: string, atMs: number): boolean =>
  planNamed(planAt(book, atMs)).features.has(featureKey) || book.overrides.has(featureKey);

/** The regular period of a reset, whatever happened. */
export function regularPeriod(book: Book, featureKey: string, reset: Reset, atMs: number): Period {
  const rule: PeriodRule = {
    reset,
    anchor: definitionOf(featureKey).anchor ?? 'calendar',
    anchorMs: book.createdAtMs,
    timeZone: book.timeZone,
    sinceMs: book.createdAtMs,
  };
  return periodAt(rule, atMs);
}

/** The period in which use of an instant counts: the regular one, cut where it was started again by hand. */
export function periodOf(book: Book, featureKey: string, atMs: number): Period {
  const regular = regularPeriod(book, featureKey, definitionOf(featureKey).reset ?? 'monthly', atMs);
  const cuts = book.restarts.filter((cut) => cut.featureKey === featureKey && cut.atMs > regular.startMs);
  const before = cuts.filter((cut) => cut.atMs <= atMs).at(-1);
  const after = cuts.find((cut) => cut.atMs > atMs && (regular.endMs === null || cut.atMs < regular.endMs));
  return { startMs: before?.atMs ?? regular.startMs, endMs: after?.atMs ?? regular.endMs };
}

/** The period that begins at an instant. */
export function periodFrom(book: Book, featureKey: string, startMs: number): Period {
  const regular = regularPeriod(book, featureKey, definitionOf(featureKey).reset ?? 'monthly', startMs);
  const after = book.restarts.find((cut) => cut.featureKey === featureKey && cut.atMs > startMs);
  const isCut = after !== undefined && (regular.endMs === null || after.atMs < regular.endMs);
  return { startMs, endMs: isCut ? after.atMs : regular.endMs };
}

/** What counts in a period, oldest first; of one entity, or of all together. */
export const entriesIn = (book: Book, featureKey: string, period: Period, entityId: string | null = null): Entry[] =>
  book.entries.filter(
    (entry) =>
      entry.state !== 'undone' &&
      entry.featureKey === featureKey &&
      entry.periodStartMs === period.startMs &&
      (entityId === null || entry.entityId === entityId),
  );

/** What counted in any period. */
export const entriesOf = (book: Book, featureKey: string): Entry[] =>
  book.entries.filter((entry) => entry.state !== 'undone' && entry.featureKey === featureKey);

export const usedIn = (entries: readonly Entry[]): Units =>
  sumOf(entries.filter(({ state }) => state === 'used').map(({ taken }) => taken));

export const heldIn = (entries: readonly Entry[]): Units =>
  sumOf(entries.filter(({ state }) => state === 'held').map(({ taken }) => taken));

type Part = 'included' | 'credits' | 'wallet' | 'overage' | 'cost' | 'walletCharge';
export const partIn = (entries: readonly Entry[], part: Part): Units => sumOf(entries.map(({ paid }) => paid[part]));

/** Units of the period that have a price, used and held. */
export const pricedIn = (entries: readonly Entry[]): Units => partIn(entries, 'wallet') + partIn(entries, 'overage');

export function remainingOf(book: Book, grant: ModelGrant): Units {
  const drawn = sumOf(drawsOn(book, grant.id).map(({ units }) => units));
  const left = grant.amount - drawn - sumOf(grant.lost.map(({ units }) => units));
  return left > 0n ? left : 0n; // an allocation may have been lowered under what was drawn
}

const drawsOn = (book: Book, grantId: string): Draw[] =>
  book.entries
    .filter(({ state }) => state !== 'undone')
    .flatMap(({ paid }) => paid.draws)
    .filter((draw) => draw.grantId === grantId);

export const isLive = (grant: ModelGrant, atMs: number): boolean =>
  !grant.isVoided && grant.effectiveFromMs <= atMs && (grant.expiresAtMs === null || atMs < grant.expiresAtMs);

/** Grants that pay now, in the order in which they burn. */
export const burning = (book: Book, featureKey: string, atMs: number): ModelGrant[] =>
  book.grants
    .filter((grant) => grant.featureKey === featureKey && isLive(grant, atMs) && remainingOf(book, grant) > 0n)
    .sort((a, b) => {
      const never = Number.MAX_SAFE_INTEGER;
      return (
        a.priority - b.priority ||
        (a.expiresAtMs ?? never) - (b.expiresAtMs ?? never) ||
        a.createdAtMs - b.createdAtMs ||
        Number(b.rolledOver) - Number(a.rolledOver) || // its units are from before
        Number(b.isPlan) - Number(a.isPlan) || // what was bought lasts
        (a.originId < b.originId ? -1 : a.originId > b.originId ? 1 : a.id < b.id ? -1 : 1)
      );
    });

export const creditsOf = (book: Book, featureKey: string, atMs: number): Units =>
  sumOf(burning(book, featureKey, atMs).map((grant) => remainingOf(book, grant)));

/** Null where there is no wallet. */
export const balanceOf = (book: Book, atMs: number): Units | null => (hasWallet(book, atMs) ? moneyLeft(book) : null);

function moneyLeft(book: Book): Units {
  const charges = book.entries.filter(({ state }) => state !== 'undone').map(({ paid }) => paid.walletCharge);
  return sumOf(book.money.map(({ amount }) => amount)) - sumOf(charges);
}

const floorOf = (book: Book, atMs: number): Units => planNamed(planAt(book, atMs)).wallet?.floor ?? 0n;

/** Whether there is a wallet to pay: one that holds money or did, or one whose floor is credit. */
export const hasWallet = (book: Book, atMs: number): boolean =>
  floorOf(book, atMs) < 0n || book.money.length > 0 || book.hasPaid;

/** What the customer may spend of the wallet now; a floor below zero is credit. */
export function availableMoney(book: Book, atMs: number): Units {
  const left = moneyLeft(book) - floorOf(book, atMs);
  return left > 0n ? left : 0n;
}

/** What all use of the calendar month costs, of all features together; the month of a hold is the one that it began in. */
export function spentInMonth(book: Book, atMs: number): Units {
  const month = periodAt(
    { reset: 'monthly', anchor: 'calendar', anchorMs: 0, timeZone: book.timeZone, sinceMs: 0 },
    atMs,
  );
  const used = book.entries.filter((entry) => entry.state !== 'undone' && entry.atMs >= month.startMs);
  return sumOf(used.map(({ paid }) => paid.cost));
}

/** When the next window of a full rate limit opens; null where one more call passes. */
export function fullUntil(rule: RateLimit, callsAtMs: readonly number[], nowMs: number): number | null {
  let opensMs = Number.NEGATIVE_INFINITY;
  let count = 0;
  for (const atMs of callsAtMs) {
    if (atMs >= opensMs + rule.windowMs) {
      opensMs = atMs;
      count = 0;
    }
    count += 1;
  }
  return nowMs < opensMs + rule.windowMs && count >= rule.limit ? opensMs + rule.windowMs : null;
}
