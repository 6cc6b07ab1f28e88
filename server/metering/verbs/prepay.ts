/** prepay — what a customer has paid for in advance: grants of units, and money in wallets. */
import { grantNotFound, insufficientBalance, invalidInput, walletNotFound } from '../../domain/errors.ts';
import { type Grant, isGone } from '../../domain/grant.ts';
import { takenFrom, voidGrant } from '../../domain/grant-change.ts';
import { newGrant, problemOfGrant } from '../../domain/new-grant.ts';
import { balanceToppedUp } from '../../domain/notices-of-money.ts';
import { paidInto } from '../../domain/payment.ts';
import type { Plan } from '../../domain/plan.ts';
import { type Account, move } from '../../domain/posting.ts';
import { settleOverage } from '../../domain/refund.ts';
import { formatUnits, minUnits, type Units } from '../../domain/units.ts';
import { problemOfFloor, walletUnder } from '../../domain/wallet.ts';
import { bookGrantChanges } from '../booking/grants.ts';
import { askByItself, asksAgainAtMs, momentOf, runLowByRefund, walletIn } from '../booking/wallet.ts';
import type { Draft } from '../draft.ts';
import { currentCounter, type Meter, periodLookupOf, stateOf, usageOfMeter } from '../meter.ts';
import type {
  Granted,
  GrantRequest,
  SettleTopUpRequest,
  SetWalletRequest,
  TopUpRequest,
  VoidGrantRequest,
  WalletMoved,
} from '../requests.ts';
import type { CustomerState, StoredWallet } from '../state.ts';
import { moveCounter } from './movement.ts';

/**
 * A grant that there is, live or not, is not given again.
 *
 * @throws {MeterError} `INVALID_INPUT` for what no grant may be.
 */
export function grantUnits(draft: Draft, meter: Meter, request: GrantRequest): Granted {
  const { customer, feature } = meter;
  const { nowMs } = draft;
  const { grantId: id, source, amount, priority, effectiveFromMs, expiresAtMs, recurring } = request;
  const asked = { id, featureKey: feature.key, source, amount, priority, effectiveFromMs, expiresAtMs, recurring };
  const problem = problemOfGrant(asked, nowMs);
  if (problem) throw invalidInput(['input', ...problem.path], `\`${problem.path.join('.')}\` ${problem.sentence}.`);
  if (draft.accountOf(customer, feature.key).grants.has(id)) return { ...grantedOf(draft, meter, id), replayed: true };
  const change = newGrant(asked, { periodAt: periodLookupOf(customer, feature), featureReset: feature.reset, nowMs });
  const sequence = draft.nextSequence(customer);
  bookGrantChanges(draft, customer, feature.key, [change], { kind: 'grant', sequence });
  if (request.settlesOverage && change.grant.state === 'live') payOverage(draft, meter, id, sequence);
  return grantedOf(draft, meter, id);
}

/** Lets a grant pay for what the running period would be billed for, the latest first. */
function payOverage(draft: Draft, meter: Meter, grantId: string, sequence: bigint): void {
  const { customer, feature, policy } = meter;
  const counter = currentCounter(customer, feature, null, draft.nowMs);
  const remaining = draft.accountOf(customer, feature.key).grants.get(grantId)?.remaining ?? 0n;
  const units = minUnits(stateOf(meter, counter, null, draft.nowMs).paid.overage, remaining);
  if (units <= 0n) return;
  const payment = settleOverage(policy, counter, { grantId, units });
  moveCounter(draft, meter, counter, {
    sequence,
    kind: 'use', // of nothing more: what was used has another payer now
    reported: 0n,
    amount: 0n,
    payment,
    occurredAtMs: draft.nowMs,
    after: paidInto(counter, payment, 'used'),
    bookedAs: 'use',
  });
}

/**
 * Takes a grant back; of one that comes again also what came of it, so that none comes any more. Or takes a part of it.
 *
 * @throws {MeterError} `GRANT_NOT_FOUND`; `INSUFFICIENT_BALANCE` where a part is more than is left.
 */
export function voidUnits(draft: Draft, meter: Meter, { grantId, units }: VoidGrantRequest): Granted {
  const { customer, feature } = meter;
  const grant = draft.accountOf(customer, feature.key).grants.get(grantId);
  if (!grant) throw grantNotFound();
  if (units !== undefined) return takeUnits(draft, meter, grant, units);
  const cameOfIt = [...draft.accountOf(customer, feature.key).grants.values()].filter((g) => g.originId === grantId);
  const voided = [grant, ...cameOfIt].filter((known) => !isGone(known)).map(voidGrant);
  if (voided.length === 0) return { ...grantedOf(draft, meter, grantId), replayed: true };
  bookGrantChanges(draft, customer, feature.key, voided, { kind: 'void', sequence: draft.nextSequence(customer) });
  return grantedOf(draft, meter, grantId);
}

function takeUnits(draft: Draft, meter: Meter, grant: Grant, units: Units): Granted {
  const { customer, feature } = meter;
  if (units > grant.remaining) {
    const sentence = `The grant has ${formatUnits(grant.remaining)} left, and ${formatUnits(units)} were to be taken; take at most what is left.`;
    throw insufficientBalance(sentence);
  }
  const sequence = draft.nextSequence(customer);
  bookGrantChanges(draft, customer, feature.key, [takenFrom(grant, units)], { kind: 'void', sequence });
  return grantedOf(draft, meter, grant.id);
}

function grantedOf(draft: Draft, meter: Meter, grantId: string): Granted {
  const { customer, feature } = meter;
  const grant = draft.accountOf(customer, feature.key).grants.get(grantId);
  if (!grant) throw grantNotFound();
  const counter = currentCounter(customer, feature, null, draft.nowMs);
  return { kind: 'granted', grant, usage: usageOfMeter(meter, counter, draft.nowMs), replayed: false };
}

/**
 * Puts money into a wallet, or (below 0) pays it out.
 *
 * @throws {MeterError} `INSUFFICIENT_BALANCE` when more is paid out than was put in and is left.
 */
export function topUp(draft: Draft, customer: CustomerState, plan: Plan | null, request: TopUpRequest): WalletMoved {
  const { currency, amount } = request;
  const wallet = walletIn(customer, currency, draft.nowMs);
  const balance = wallet.balance ?? 0n;
  if (amount < 0n && balance + amount < 0n) {
    const sentence = `The wallet holds ${formatUnits(balance)} ${currency} (minor units), and ${formatUnits(-amount)} were to be paid out; pay out at most what it holds.`;
    throw insufficientBalance(sentence);
  }
  return putMoney(draft, customer, plan, wallet, amount, amount < 0n ? 'refund' : 'top_up');
}

function putMoney(
  draft: Draft,
  customer: CustomerState,
  plan: Plan | null,
  wallet: StoredWallet,
  amount: Units,
  kind: 'top_up' | 'refund',
): WalletMoved {
  const { currency } = wallet;
  const sequence = draft.nextSequenceOfAll(customer);
  const after = { ...wallet, balance: (wallet.balance ?? 0n) + amount, sequence };
  draft.putWallet(customer, after);
  const from: { readonly account: Account } = { account: kind };
  draft.post(customer, sequence, kind, move(amount, currency, null, from, { account: 'wallet' }));
  if (kind === 'top_up') {
    draft.addNotice(
      balanceToppedUp(momentOf(customer, sequence, draft.nowMs), currency, { amount, balance: after.balance }),
    );
  } else runLowByRefund(draft, customer, plan, { before: wallet, sequence });
  return movedOf(customer, plan, after);
}

/**
 * Gives a wallet a floor of its own, or (null) the plan's again.
 *
 * @throws {MeterError} `INVALID_INPUT` for a floor above 0.
 */
export function setWallet(
  draft: Draft,
  customer: CustomerState,
  plan: Plan | null,
  { currency, floor }: SetWalletRequest,
): WalletMoved {
  const problem = floor === null ? null : problemOfFloor(floor);
  if (problem !== null) throw invalidInput(['input', 'floor'], `\`floor\` ${problem}.`);
  const wallet = walletIn(customer, currency, draft.nowMs);
  const sequence = draft.nextSequenceOfAll(customer);
  const after = { ...wallet, floor, balance: wallet.balance ?? 0n, sequence };
  draft.putWallet(customer, after);
  return movedOf(customer, plan, after);
}

/**
 * What became of the top-up that a wallet asked for. Told twice, it is the same as once.
 *
 * @throws {MeterError} `WALLET_NOT_FOUND` when there is none that asked.
 */
export function settleTopUp(
  draft: Draft,
  customer: CustomerState,
  plan: Plan | null,
  { currency, sequence: askedAt, outcome }: SettleTopUpRequest,
): WalletMoved {
  const wallet = customer.wallets.get(currency);
  if (!wallet) throw walletNotFound(currency);
  const { topUp } = wallet;
  const isAnother = topUp !== null && askedAt !== undefined && topUp.sequence !== askedAt;
  if (topUp === null || isAnother) return { ...movedOf(customer, plan, wallet), replayed: true };
  const answered = {
    ...wallet,
    topUp: null,
    topUpFailedAtMs: outcome === 'failed' ? draft.nowMs : null,
  };
  draft.putTopUp(customer, currency, topUp, outcome);
  if (outcome === 'paid') {
    const moved = putMoney(draft, customer, plan, answered, topUp.amount, 'top_up');
    askByItself(draft, customer, plan, currency); // it may have been used up to below what was put in
    draft.dueAt(customer, asksAgainAtMs(customer, plan, currency, draft.nowMs));
    return moved;
  }
  const sequence = draft.nextSequenceOfAll(customer);
  draft.putWallet(customer, { ...answered, sequence });
  draft.dueAt(customer, asksAgainAtMs(customer, plan, currency, draft.nowMs));
  return movedOf(customer, plan, { ...answered, sequence });
}

function movedOf(customer: CustomerState, plan: Plan | null, stored: StoredWallet): WalletMoved {
  const wallet = walletUnder(stored, plan?.wallet ?? null) ?? { currency: stored.currency, balance: 0n, floor: 0n };
  return { kind: 'wallet', referenceId: customer.referenceId, wallet, replayed: false };
}
