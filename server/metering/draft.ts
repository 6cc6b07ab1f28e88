/**
 * draft — the changes of a batch while they are made: each is applied to the customer's state, and kept to be stored.
 *
 * It keeps what it is given and decides nothing: verbs say what changes, `booking/` what moves between accounts.
 */
import { nextDueMs } from '../domain/credits.ts';
import type { Grant } from '../domain/grant.ts';
import type { Notice } from '../domain/notice.ts';
import type { Payment } from '../domain/payment.ts';
import type { EntryKind, Posting } from '../domain/posting.ts';
import type { Reservation } from '../domain/reservation.ts';
import { formatUnits, isCountable, type Units } from '../domain/units.ts';
import type { AnswerJson } from './answer.ts';
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
  readonly notices: Notice[] = [];
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

  addAlerts(alerts: readonly NewAlert[]): void {
    this.alerts.push(...alerts);
  }

  addNotice(notice: Notice): void {
    this.notices.push(notice);
  }

  post(customer: CustomerState, sequence: bigint, kind: EntryKind, postings: readonly Posting[]): void {
    for (const posting of postings) this.postings.push({ ...posting, customer, sequence, kind });
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

  /** Credits were drawn for use, or (below 0) given back by it: whoever gives back without naming an event goes by that. */
  addDrawn(customer: CustomerState, featureKey: string, draws: Payment['draws']): void {
    if (draws.length > 0) customer.drawn.set(featureKey, [...(customer.drawn.get(featureKey) ?? []), ...draws]);
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

  /** Keeps an answer under its key; a later request of this batch with the same key hears it too. */
  remember(customer: CustomerState, idempotencyKey: string, fingerprint: string, answer: AnswerJson): void {
    customer.answers.set(idempotencyKey, { fingerprint, answer });
    this.answers.push({ customer, idempotencyKey, fingerprint, answer: JSON.stringify(answer) });
  }
}

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
