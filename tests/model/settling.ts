/**
 * settling — what time does by itself to a modelled customer, one thing after the other in the order in which it is due:
 * holds expire, plans change, credits renew and roll over, quantities that are held go over into the next period.
 */
import { Temporal } from 'temporal-polyfill';
import type { CreditRule, Rollover } from '../../server/domain/credit-rule.ts';
import type { Interval } from '../../server/domain/period.ts';
import { multiplyUnits, type Units } from '../../server/domain/units.ts';
import { raise } from './alerts.ts';
import type { Book, ModelGrant } from './book.ts';
import { FEATURES } from './catalog.ts';
import { addEntry } from './entries.ts';
import { levelOf } from './measure.ts';
import { entriesIn, isEntitled, isLive, periodOf, policyAt, regularPeriod, remainingOf, sumOf } from './questions.ts';
import { forcedPayment } from './verdict.ts';

type Due = { readonly atMs: number; readonly happen: () => void };

/** Brings a customer up to now, step by step. */
export function settle(book: Book, nowMs: number): void {
  for (let due = firstDue(book, nowMs); due !== null; due = firstDue(book, nowMs)) due.happen();
}

/** Makes what the plan gives what plan and limits say now. */
export function alignAllocations(book: Book, atMs: number): void {
  for (const { key } of FEATURES) alignAllocation(book, key, atMs);
}

function firstDue(book: Book, nowMs: number): Due | null {
  // Of what is due at one instant the credits come first: their period was the old plan's, and none of a hold's that ends.
  const all = [...renewals(book), ...planChanges(book), ...holdsEnding(book), ...carries(book, nowMs)];
  const due = all.filter(({ atMs }) => atMs <= nowMs);
  return due.length === 0 ? null : due.reduce((first, next) => (next.atMs < first.atMs ? next : first));
}

function planChanges(book: Book): Due[] {
  return book.plans.flatMap((change) =>
    change.isSettled
      ? []
      : {
          atMs: change.fromMs,
          happen() {
            change.isSettled = true;
            alignAllocations(book, change.fromMs);
          },
        },
  );
}

function holdsEnding(book: Book): Due[] {
  return book.holds.flatMap((hold) =>
    hold.state !== 'open' ? [] : { atMs: hold.expiresAtMs, happen: () => letGo(book, hold.id, 'expired') },
  );
}

/** The units of a hold count for nothing from now on, and what paid for them is back where it was. */
export function letGo(book: Book, holdId: string, state: 'released' | 'expired'): void {
  const hold = book.holds.find(({ id }) => id === holdId);
  const entry = book.entries.find(({ id }) => id === hold?.entryId);
  if (!hold || !entry) throw new RangeError(`no hold ${holdId}`);
  hold.state = state;
  entry.state = 'undone';
}

const renewals = (book: Book): Due[] =>
  book.grants.flatMap((grant) =>
    grant.renewsAtMs === null || grant.isVoided
      ? []
      : { atMs: grant.renewsAtMs, happen: () => renew(book, grant, grant.renewsAtMs ?? 0) },
  );

/** The turn of a grant's period: what is left of it goes, stays or rolls over, and the next one comes. */
function renew(book: Book, grant: ModelGrant, atMs: number): void {
  grant.renewsAtMs = null;
  const left = remainingOf(book, grant);
  const onRenewal = grant.renewal?.onRenewal ?? 'reset';
  if (onRenewal === 'add') grant.expiresAtMs = null;
  else {
    const over = onRenewal === 'reset' ? 0n : least(left, roomToRollOver(book, grant, onRenewal, atMs));
    lose(grant, over, 'rolled_over');
    lose(grant, left - over, 'expired');
    if (onRenewal !== 'reset' && over > 0n) rollOver(book, grant, over, onRenewal, atMs);
  }
  if (grant.isPlan) alignAllocation(book, grant.featureKey, atMs);
  else if (grant.renewal) book.grants.push(nextPurchased(book, grant, atMs));
}

function roomToRollOver(book: Book, grant: ModelGrant, rollover: Rollover, atMs: number): Units {
  const { max, maxFraction } = rollover;
  const cap = max ?? (maxFraction === null ? null : multiplyUnits(grant.renewal?.amount ?? 0n, maxFraction));
  if (cap === null) return remainingOf(book, grant);
  const kin = book.grants.filter(
    (other) => other.originId === grant.originId && other.rolledOver && isLive(other, atMs),
  );
  const room = cap - sumOf(kin.map((other) => remainingOf(book, other)));
  return room > 0n ? room : 0n;
}

function rollOver(book: Book, from: ModelGrant, units: Units, { expiresAfter }: Rollover, atMs: number): void {
  book.grants.push({
    ...from,
    id: `${from.id}+`,
    amount: units,
    effectiveFromMs: atMs,
    expiresAtMs: expiresAfter === null ? null : later(book, atMs, expiresAfter),
    createdAtMs: atMs,
    renewal: null,
    renewsAtMs: null,
    rolledOver: true,
    lost: [],
    isVoided: false,
  });
}

function nextPurchased(book: Book, { renewal, ...last }: ModelGrant, atMs: number): ModelGrant {
  if (renewal === null) throw new RangeError(`grant ${last.id} does not renew`);
  const { endMs } = regularPeriod(book, last.featureKey, renewal.reset, atMs);
  return {
    ...last,
    id: `${last.originId}@${atMs}`,
    amount: renewal.amount,
    effectiveFromMs: atMs,
    expiresAtMs: renewal.onRenewal === 'add' ? null : endMs,
    createdAtMs: atMs,
    renewal,
    renewsAtMs: endMs,
    lost: [],
  };
}

/** Makes the plan's running allocation what the policy says now: what was drawn stays drawn. */
function alignAllocation(book: Book, featureKey: string, atMs: number): void {
  const rule = isEntitled(book, featureKey, atMs) ? policyAt(book, featureKey, atMs).credits : null;
  const running = book.grants.find(
    (grant) => grant.isPlan && !grant.rolledOver && grant.featureKey === featureKey && grant.renewsAtMs !== null,
  );
  if (!rule) withdrawRolledOver(book, featureKey);
  if (!running) {
    if (rule) book.grants.push(newAllocation(book, featureKey, rule, atMs));
    return;
  }
  running.amount = rule?.allocation ?? 0n;
  if (!rule || running.renewal === null) return;
  running.renewal = { ...running.renewal, onRenewal: rule.onRenewal, amount: rule.allocation };
  running.expiresAtMs = rule.onRenewal === 'add' ? null : running.renewsAtMs;
  running.priority = rule.priority;
}

/** A plan without credits has none that were left over, either, and what is given back to those is lost. */
function withdrawRolledOver(book: Book, featureKey: string): void {
  for (const grant of book.grants) {
    if (grant.isPlan && grant.featureKey === featureKey && grant.renewsAtMs === null) {
      lose(grant, remainingOf(book, grant), 'withdrawn');
      grant.isVoided = true;
    }
  }
}

function newAllocation(book: Book, featureKey: string, rule: CreditRule, atMs: number): ModelGrant {
  const reset = rule.reset ?? FEATURES.find(({ key }) => key === featureKey)?.reset ?? 'monthly';
  const { startMs, endMs } = regularPeriod(book, featureKey, reset, atMs);
  return {
    id: `plan ${featureKey} ${startMs}`,
    featureKey,
    isPlan: true,
    amount: rule.allocation,
    priority: rule.priority,
    effectiveFromMs: startMs,
    expiresAtMs: rule.onRenewal === 'add' ? null : endMs,
    createdAtMs: startMs,
    renewal: { reset, onRenewal: rule.onRenewal, amount: rule.allocation },
    renewsAtMs: endMs,
    originId: `plan ${featureKey}`,
    rolledOver: false,
    lost: [],
    isVoided: false,
  };
}

/** A quantity that is held goes over into each period as a whole, as use that is not refused. */
function carries(book: Book, nowMs: number): Due[] {
  return FEATURES.filter(({ aggregation }) => aggregation === 'weighted_sum').flatMap(({ key }): Due[] => {
    const last = book.entries.filter(({ featureKey }) => featureKey === key).at(-1);
    if (!last) return [];
    const { endMs } = periodOf(book, key, last.atMs);
    const level = levelOf(book, key);
    if (endMs === null || endMs > nowMs || level === 0n) return [];
    return [{ atMs: endMs, happen: () => carry(book, key, level, endMs) }];
  });
}

function carry(book: Book, featureKey: string, level: Units, atMs: number): void {
  const period = periodOf(book, featureKey, atMs);
  const before = entriesIn(book, featureKey, period);
  const paid = forcedPayment(book, featureKey, before, level, atMs);
  addEntry(book, { featureKey, atMs, toldAtMs: atMs, reported: level, taken: level, paid, isCarry: true });
  const after = entriesIn(book, featureKey, period);
  raise(book, featureKey, period.startMs, policyAt(book, featureKey, atMs), before, after); // who asks later hears no more of it
}

function lose(grant: ModelGrant, units: Units, reason: ModelGrant['lost'][number]['reason']): void {
  if (units > 0n) grant.lost.push({ units, reason });
}

const least = (a: Units, b: Units): Units => (a < b ? a : b);

/** An interval later by the customer's calendar and clock. */
function later(book: Book, atMs: number, interval: Interval): number {
  const [, every = '1', unit = 'day'] = interval.split(' ');
  return Temporal.Instant.fromEpochMilliseconds(atMs)
    .toZonedDateTimeISO(book.timeZone)
    .add({ [`${unit}s`]: Number(every) }).epochMilliseconds;
}
