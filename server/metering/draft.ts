/** draft — the changes of a batch while they are made: each is applied to the customer's state, and kept to be stored. */

import type { Crossing } from '../domain/alert.ts';
import { applyDraws } from '../domain/burn.ts';
import { nextDueMs } from '../domain/credits.ts';
import type { Grant, GrantChange } from '../domain/grant.ts';
import { isMuted } from '../domain/mute.ts';
import type { Payment } from '../domain/payment.ts';
import { type Account, type EntryKind, move, type Place, type Posting } from '../domain/posting.ts';
import type { Reservation } from '../domain/reservation.ts';
import { formatUnits, isCountable, type Units } from '../domain/units.ts';
import type { AnswerJson } from './answer.ts';
import { type Meter, monthOf, spentIn } from './meter.ts';
import { MoreGrantsNeeded } from './more-grants.ts';
import {
  type AskedTopUp,
  type ChangedBalance,
  type ChangedCounter,
  type ChangedGrant,
  type ChangedReservation,
  type ChangedTopUp,
  type ChangedWallet,
  type Changes,
  type CreditAccount,
  type CustomerState,
  type MovedPlan,
  meterKey,
  type NewAlert,
  type NewAnswer,
  type NewEvent,
  type NewPosting,
  type NewValue,
  NO_ACCOUNT,
  type StoredCounter,
  type StoredWallet,
  valueKey,
} from './state.ts';

/**
 * So many periods of gauges nobody touched are opened by one transaction, of all its customers together: a level that is
 * carried from minute to minute makes 1,440 of them a day, each with an event. See `settleCustomer`.
 */
export const CARRIED_PERIODS_MAX = 1_000;

export class Draft implements Changes {
  readonly nowMs: number;
  /** Periods that may still be opened by carrying a level. */
  carriesLeft: number;
  readonly counters = new Map<string, ChangedCounter>();
  readonly events: NewEvent[] = [];
  readonly answers: NewAnswer[] = [];
  readonly alerts: NewAlert[] = [];
  readonly postings: NewPosting[] = [];
  readonly grants = new Map<string, ChangedGrant>();
  readonly balances = new Map<string, ChangedBalance>();
  readonly wallets = new Map<string, ChangedWallet>();
  readonly topUps = new Map<string, ChangedTopUp>();
  readonly reservations = new Map<string, ChangedReservation>();
  readonly values: NewValue[] = [];
  readonly #touched = new Set<CustomerState>();
  readonly #movedPlans = new Map<CustomerState, MovedPlan>();
  readonly settled = new Set<CustomerState>();

  constructor(nowMs: number, carriesMax = CARRIED_PERIODS_MAX) {
    this.nowMs = nowMs;
    this.carriesLeft = carriesMax;
  }

  get customers(): readonly CustomerState[] {
    return [...this.#touched];
  }

  get movedPlans(): readonly MovedPlan[] {
    return [...this.#movedPlans.values()];
  }

  /** The customer's next sequence, for an event or another entry. */
  nextSequence(customer: CustomerState): bigint {
    customer.sequence += 1n;
    this.#touched.add(customer);
    return customer.sequence;
  }

  /** Takes a sequence that concerns every meter of the customer, as a change of plan or of its wallet does. */
  nextSequenceOfAll(customer: CustomerState): bigint {
    const sequence = this.nextSequence(customer);
    customer.limitsSequence = sequence;
    return sequence;
  }

  /** The customer's row is to be written though nothing was recorded. */
  touch(customer: CustomerState): void {
    this.#touched.add(customer);
  }

  /** The customer has the plan that it has since an instant: not later than now. */
  movePlan(customer: CustomerState, sinceMs: number): void {
    this.#movedPlans.set(customer, { customer, sinceMs });
    this.nextSequenceOfAll(customer);
  }

  /** Something of the customer is due then. */
  dueAt(customer: CustomerState, atMs: number | null): void {
    if (atMs === null || (customer.dueAtMs !== null && customer.dueAtMs <= atMs)) return;
    customer.dueAtMs = atMs;
    this.#touched.add(customer);
  }

  putCounter(customer: CustomerState, featureKey: string, entityId: string | null, counter: StoredCounter): void {
    refuseUncountable(counter.used);
    refuseUncountable(counter.cost);
    refuseUncountable(counter.gauge?.level ?? 0n);
    const key = meterKey(featureKey, entityId);
    const newest = customer.counters.get(key);
    const earlier = customer.earlier.get(key);
    const isNewest = !newest || newest.period.startMs <= counter.period.startMs;
    const isLater = newest && newest.period.startMs < counter.period.startMs;
    if (isNewest) customer.counters.set(key, counter);
    if (isLater)
      customer.earlier.set(key, replaced(earlier ?? [], newest)); // holds may go on in it
    else if (earlier || !isNewest) customer.earlier.set(key, replaced(earlier ?? [], counter));
    this.counters.set(`${customer.id}\n${key}\n${counter.period.startMs}`, {
      customer,
      featureKey,
      entityId,
      counter,
    });
    if (counter.closedAtMs === null) this.dueAt(customer, counter.period.endMs);
  }

  addEvent(event: NewEvent): void {
    this.events.push(event);
  }

  post(customer: CustomerState, sequence: bigint, kind: EntryKind, postings: readonly Posting[]): void {
    for (const posting of postings) this.postings.push({ ...posting, customer, sequence, kind });
  }

  /** Lets grants and wallet pay, or takes back what they paid. */
  applyPayment(meter: Meter, payment: Payment, entry: Entry): void {
    const { customer, feature } = meter;
    this.#refuseShortDraws(customer, feature.key, payment);
    if (payment.draws.length > 0) this.#applyDraws(customer, feature.key, payment, entry);
    if (payment.cost !== 0n || payment.walletCharge !== 0n) this.#applyMoney(meter, payment, entry);
  }

  /** What was held is used: it leaves the reservation, and nothing more is paid. */
  useHeld(meter: Meter, { draws, walletCharge }: Payment, { sequence, currency }: Entry): void {
    const { customer, feature } = meter;
    for (const { grantId, units } of draws) {
      const postings = move(
        units,
        feature.key,
        feature.key,
        { account: 'held', grantId },
        { account: 'usage', grantId },
      );
      this.post(customer, sequence, 'commit', postings);
    }
    if (currency !== null) {
      this.post(customer, sequence, 'commit', move(walletCharge, currency, feature.key, { account: 'held' }, USAGE));
    }
    addDrawn(customer, feature.key, draws);
  }

  /** Credits that are there must be drawn before anything else pays: if they were not, their grants were not read. */
  #refuseShortDraws(customer: CustomerState, featureKey: string, { credits, wallet, overage }: Payment): void {
    const isBeyond = wallet > 0n || overage > 0n;
    if (isBeyond && credits < this.accountOf(customer, featureKey).live) throw new MoreGrantsNeeded();
  }

  #applyDraws(customer: CustomerState, featureKey: string, { draws }: Payment, { kind, sequence }: Entry): void {
    const account = this.accountOf(customer, featureKey);
    const { grants, lost } = applyDraws(account.grants, draws);
    this.putGrants(customer, featureKey, grants, sequence);
    for (const { grantId, units } of draws) {
      const to: Place = { account: accountOfEntry(kind), grantId };
      this.post(customer, sequence, kind, move(units, featureKey, featureKey, { account: 'grant', grantId }, to));
    }
    for (const { grantId, kind: account, units } of lost) {
      const from: Place = { account: 'grant', grantId };
      this.post(customer, sequence, 'lost', move(units, featureKey, featureKey, from, { account }));
    }
    if (accountOfEntry(kind) === 'usage') addDrawn(customer, featureKey, draws);
  }

  #applyMoney(meter: Meter, { cost, walletCharge }: Payment, entry: Entry): void {
    const { customer, policy, feature } = meter;
    const { kind, sequence, currency, spentAtMs = this.nowMs } = entry;
    if (currency === null) return;
    const stored = customer.wallets.get(currency);
    const monthMs = monthOf(customer, this.nowMs);
    const wallet = stored ?? emptyWallet(currency, monthMs);
    const isThisMonth = wallet.spentSinceMs >= monthMs;
    const paid = walletCharge === 0n ? wallet.balance : (wallet.balance ?? 0n) - walletCharge;
    this.putWallet(customer, {
      ...wallet,
      balance: paid,
      spent: spentIn(wallet, monthMs) + (spentAtMs >= monthMs ? cost : 0n), // an earlier month's is not this one's
      spentSinceMs: isThisMonth ? wallet.spentSinceMs : monthMs,
      topUps: isThisMonth ? wallet.topUps : 0,
      sequence,
    });
    const to: Place = { account: accountOfEntry(kind) };
    this.post(customer, sequence, kind, move(walletCharge, currency, feature.key, { account: 'wallet' }, to));
    if (walletCharge !== 0n) customer.limitsSequence = sequence; // other meters show the same wallet
    if (walletCharge > 0n && policy.billing === 'prepaid') this.#askForTopUp(meter, currency, sequence);
  }

  /** A wallet that runs low asks the biller for money, if its plan says so and nothing keeps it from asking. */
  #askForTopUp({ customer, plan }: Meter, currency: string, sequence: bigint): void {
    const rule = plan?.wallet?.currency === currency ? plan.wallet.autoTopUp : null;
    const wallet = customer.wallets.get(currency);
    if (!rule || !wallet || (wallet.balance ?? 0n) >= rule.threshold) return;
    const coolsOff = wallet.topUpFailedAtMs !== null && this.nowMs < wallet.topUpFailedAtMs + rule.coolOffMs;
    if (wallet.topUp !== null || coolsOff || wallet.topUps >= rule.maxPerMonth) return;
    const topUp = { sequence, amount: rule.amount, askedAtMs: this.nowMs };
    this.putWallet(customer, { ...wallet, topUps: wallet.topUps + 1, topUp });
    this.putTopUp(customer, currency, topUp, 'asked');
  }

  putTopUp(customer: CustomerState, currency: string, topUp: AskedTopUp, state: ChangedTopUp['state']): void {
    this.topUps.set(`${customer.id} ${currency} ${topUp.sequence}`, { customer, currency, topUp, state });
  }

  putWallet(customer: CustomerState, wallet: StoredWallet): void {
    refuseUncountable(wallet.balance ?? 0n);
    refuseUncountable(wallet.spent);
    customer.wallets.set(wallet.currency, wallet);
    if (wallet.balance !== null || wallet.floor !== null) customer.prepaid = true;
    this.wallets.set(`${customer.id} ${wallet.currency}`, { customer, wallet });
    this.#touched.add(customer);
  }

  /** The credits of a feature; none yet, where there are none. */
  accountOf(customer: CustomerState, featureKey: string): CreditAccount {
    return customer.credits.get(featureKey) ?? NO_ACCOUNT;
  }

  putAccount(customer: CustomerState, featureKey: string, account: CreditAccount): void {
    refuseUncountable(account.live);
    customer.credits.set(featureKey, account);
    customer.prepaid = true;
    this.balances.set(`${customer.id}\n${featureKey}`, { customer, featureKey, account });
    this.#touched.add(customer);
  }

  /** Grants as they are from now on; the balance follows. */
  putGrants(customer: CustomerState, featureKey: string, grants: readonly Grant[], sequence: bigint): void {
    if (grants.length === 0) return;
    const account = this.accountOf(customer, featureKey);
    const all = new Map(account.grants);
    let live = account.live;
    for (const grant of grants) {
      live += liveUnits(grant) - liveUnits(all.get(grant.id));
      all.set(grant.id, grant);
      const known = this.grants.get(`${customer.id} ${grant.id}`);
      this.grants.set(`${customer.id} ${grant.id}`, { customer, grant, sequence: known?.sequence ?? sequence });
      this.dueAt(customer, nextDueMs(grant));
    }
    this.putAccount(customer, featureKey, { ...account, live, grants: all, sequence });
  }

  /** What settling, granting or voiding did to grants. */
  applyGrantChanges(
    customer: CustomerState,
    featureKey: string,
    changes: readonly GrantChange[],
    kind: EntryKind,
    sequence: bigint,
  ): void {
    this.putGrants(
      customer,
      featureKey,
      changes.map(({ grant }) => grant),
      sequence,
    );
    for (const { grant, movements } of changes) {
      for (const movement of movements) {
        const place = { account: 'grant', grantId: grant.id } as const;
        const isIn = movement.kind === 'granted';
        const postings = isIn
          ? move(movement.units, featureKey, featureKey, { account: 'issued' }, place)
          : move(movement.units, featureKey, featureKey, place, { account: movement.kind as 'expired' });
        this.post(customer, sequence, kind, postings);
      }
    }
  }

  putReservation(customer: CustomerState, reservation: Reservation, sequence: bigint, answer: AnswerJson | null): void {
    customer.reservations.set(reservation.id, reservation);
    this.reservations.set(reservation.id, {
      customer,
      reservation,
      sequence,
      answer: answer && JSON.stringify(answer),
    });
    this.#touched.add(customer);
    if (reservation.state === 'open') this.dueAt(customer, reservation.expiresAtMs);
  }

  addValue(value: NewValue): void {
    value.customer.seen.add(valueKey(value.featureKey, value.periodStartMs, value.value));
    this.values.push(value);
  }

  raise(meter: Meter, counter: StoredCounter, crossed: readonly Crossing[], sequence: bigint): readonly NewAlert[] {
    const { customer, feature, policy } = meter;
    const mutedAtMs = isMuted(customer.mutes, feature.key, this.nowMs) ? this.nowMs : null;
    const alerts = crossed.map(({ threshold, mark }) => ({
      tenantId: customer.tenantId,
      customerId: customer.id,
      referenceId: customer.referenceId,
      featureKey: feature.key,
      period: { startMs: counter.period.startMs, endMs: counter.period.endMs },
      threshold,
      mark,
      used: counter.used,
      limit: policy.limit,
      raisedAtMs: this.nowMs,
      mutedAtMs,
      eventSequence: sequence,
    }));
    this.alerts.push(...alerts);
    return alerts;
  }

  /** Keeps an answer under its key; a later request of this batch with the same key hears it too. */
  remember(customer: CustomerState, idempotencyKey: string, fingerprint: string, answer: AnswerJson): void {
    customer.answers.set(idempotencyKey, { fingerprint, answer });
    this.answers.push({ customer, idempotencyKey, fingerprint, answer: JSON.stringify(answer) });
  }
}

/** What a payment is booked as. */
export type Entry = {
  readonly kind: Extract<EntryKind, 'use' | 'hold' | 'release' | 'expiry' | 'reversal'>;
  readonly sequence: bigint;
  /** ISO 4217 of its money; null where no price is. What was paid in one currency goes back in it. */
  readonly currency: string | null;
  /** When its money was spent, where that is not now: a spend limit looks at the month of the use. */
  readonly spentAtMs?: number;
};

const USAGE: Place = { account: 'usage' };

/** Where paid units and money are afterwards. */
const accountOfEntry = (kind: Entry['kind']): Account => (kind === 'use' || kind === 'reversal' ? 'usage' : 'held');

function addDrawn(customer: CustomerState, featureKey: string, draws: Payment['draws']): void {
  if (draws.length > 0) customer.drawn.set(featureKey, [...(customer.drawn.get(featureKey) ?? []), ...draws]);
}

export const emptyWallet = (currency: string, spentSinceMs: number): StoredWallet => ({
  currency,
  balance: null,
  floor: null,
  spent: 0n,
  spentSinceMs,
  topUps: 0,
  topUp: null,
  topUpFailedAtMs: null,
  sequence: 0n,
});

/** A sum has become longer than any column holds: what led to it can't be recorded. See `Engine`, which tells its caller. */
export class Uncountable extends Error {
  override readonly name = 'Uncountable';
}

/** The state is half changed by now: this fails the batch, and its requests are decided one by one. */
function refuseUncountable(sum: Units): void {
  if (!isCountable(sum)) throw new Uncountable(`a sum of ${formatUnits(sum)} does not fit`);
}

const liveUnits = (grant: Grant | undefined): Units => (grant?.state === 'live' ? grant.remaining : 0n);

/** In order of time. Whoever carries a level from period to period adds at the end, and does so often. */
function replaced(counters: StoredCounter[], counter: StoredCounter): StoredCounter[] {
  const last = counters.at(-1);
  if (last && last.period.startMs >= counter.period.startMs) {
    return [...counters.filter(({ period }) => period.startMs !== counter.period.startMs), counter].sort(
      (a, b) => a.period.startMs - b.period.startMs,
    );
  }
  counters.push(counter);
  return counters;
}
