/** wallet — books what a wallet pays, what was spent of its month, and the money that it asks for when it runs low. */
import { balanceLow } from '../../domain/notices-of-money.ts';
import type { Payment } from '../../domain/payment.ts';
import type { Plan } from '../../domain/plan.ts';
import type { Units } from '../../domain/units.ts';
import type { AutoTopUp } from '../../domain/wallet.ts';
import type { Draft } from '../draft.ts';
import { type Meter, monthAt, monthOf, spentIn } from '../meter.ts';
import type { CustomerState, StoredWallet } from '../state.ts';

type Spending = {
  readonly sequence: bigint;
  /** ISO 4217. */
  readonly currency: string;
  readonly spentAtMs: number;
};

/** A customer's wallet of a currency: an empty one where no money was ever put in or spent. */
export const walletIn = (customer: CustomerState, currency: string, nowMs: number): StoredWallet =>
  customer.wallets.get(currency) ?? {
    currency,
    balance: null,
    floor: null,
    spent: 0n,
    spentSinceMs: monthOf(customer, nowMs),
    topUps: 0,
    topUp: null,
    topUpFailedAtMs: null,
    sequence: 0n,
  };

/** Takes its charge out of the wallet, or (below 0) puts it back, and counts the cost as spent, whoever is to pay it. */
export function payFromWallet(
  draft: Draft,
  meter: Meter,
  { cost, walletCharge }: Payment,
  { sequence, currency, spentAtMs }: Spending,
): void {
  const { customer, policy } = meter;
  const wallet = walletIn(customer, currency, draft.nowMs);
  const monthMs = monthOf(customer, draft.nowMs);
  const isThisMonth = wallet.spentSinceMs >= monthMs;
  draft.putWallet(customer, {
    ...wallet,
    balance: walletCharge === 0n ? wallet.balance : (wallet.balance ?? 0n) - walletCharge,
    spent: spentIn(wallet, monthMs) + (spentAtMs >= monthMs ? cost : 0n), // an earlier month's is not this one's
    spentSinceMs: isThisMonth ? wallet.spentSinceMs : monthMs,
    topUps: isThisMonth ? wallet.topUps : 0,
    sequence,
  });
  if (walletCharge !== 0n) customer.limitsSequence = sequence; // other meters show the same wallet
  if (walletCharge > 0n) runLow(draft, meter, policy.billing === 'prepaid', { before: wallet, sequence });
}

/** A wallet that falls below the line of its plan asks for money, where it may, and others are told. */
function runLow(
  draft: Draft,
  { customer, plan }: Meter,
  isPrepaid: boolean,
  { before, sequence }: { readonly before: StoredWallet; readonly sequence: bigint },
): void {
  const { currency } = before;
  const rule = ruleOf(plan, currency);
  if (!rule || balanceOf(customer, currency) >= rule.threshold) return;
  const asked = isPrepaid && askForTopUp(draft, customer, rule, currency, sequence);
  if (!asked) draft.dueAt(customer, asksAgainAtMs(customer, plan, currency, draft.nowMs));
  tellLow(draft, customer, rule, { before, sequence, asked: asked ? rule.amount : null });
}

/** Money that is paid out, or taken back, may be missed as well; but nobody is charged for it by themselves. */
export function runLowByRefund(
  draft: Draft,
  customer: CustomerState,
  plan: Plan | null,
  { before, sequence }: { readonly before: StoredWallet; readonly sequence: bigint },
): void {
  const rule = ruleOf(plan, before.currency);
  if (rule && balanceOf(customer, before.currency) < rule.threshold)
    tellLow(draft, customer, rule, { before, sequence, asked: null });
}

const ruleOf = (plan: Plan | null, currency: string): AutoTopUp | null =>
  plan?.wallet?.currency === currency ? plan.wallet.autoTopUp : null;

const balanceOf = (customer: CustomerState, currency: string): Units => customer.wallets.get(currency)?.balance ?? 0n;

/** Of one that has fallen below the line, or asks; not of one that was low before. */
function tellLow(
  draft: Draft,
  customer: CustomerState,
  { threshold }: AutoTopUp,
  {
    before,
    sequence,
    asked,
  }: { readonly before: StoredWallet; readonly sequence: bigint; readonly asked: Units | null },
): void {
  const { currency } = before;
  if (asked === null && (before.balance ?? 0n) < threshold) return;
  const balance = balanceOf(customer, currency);
  draft.addNotice(balanceLow(momentOf(customer, sequence, draft.nowMs), currency, { balance, threshold, asked }));
}

/** What names something that happened to a customer. */
export const momentOf = ({ tenantId, id, referenceId }: CustomerState, sequence: bigint, atMs: number) => ({
  tenantId,
  customerId: id,
  referenceId,
  sequence,
  atMs,
});

/** Asks the biller for money, if nothing keeps the wallet from asking. @returns whether it did. */
function askForTopUp(
  draft: Draft,
  customer: CustomerState,
  rule: AutoTopUp,
  currency: string,
  sequence: bigint,
): boolean {
  const wallet = customer.wallets.get(currency);
  if (!wallet || wallet.topUp !== null || mayAskAtMs(customer, wallet, rule, draft.nowMs) > draft.nowMs) return false;
  const topUp = { sequence, amount: rule.amount, askedAtMs: draft.nowMs };
  draft.putWallet(customer, { ...wallet, topUps: wallet.topUps + 1, topUp });
  draft.putTopUp(customer, currency, topUp, 'asked');
  return true;
}

/** When nothing keeps a wallet from asking any more: neither its cool-off, nor what it has asked for this month. */
function mayAskAtMs(customer: CustomerState, wallet: StoredWallet, rule: AutoTopUp, nowMs: number): number {
  const { startMs, endMs } = monthAt(customer, nowMs);
  const isEnough = wallet.spentSinceMs >= startMs && wallet.topUps >= rule.maxPerMonth;
  const cooledMs = wallet.topUpFailedAtMs === null ? nowMs : wallet.topUpFailedAtMs + rule.coolOffMs;
  return Math.max(nowMs, cooledMs, isEnough ? (endMs ?? Number.POSITIVE_INFINITY) : nowMs);
}

/**
 * When a wallet that is low, and waits, asks by itself: it may be empty by then, and no use that it pays comes any more.
 *
 * @returns null for one that does not wait: it was never refused, or may ask with the next use.
 */
export function asksAgainAtMs(
  customer: CustomerState,
  plan: Plan | null,
  currency: string,
  nowMs: number,
): number | null {
  const rule = ruleOf(plan, currency);
  const wallet = customer.wallets.get(currency);
  if (!rule || !wallet || wallet.topUp !== null || (wallet.balance ?? 0n) >= rule.threshold) return null;
  const waits = wallet.topUpFailedAtMs !== null || wallet.topUps >= rule.maxPerMonth;
  return waits ? mayAskAtMs(customer, wallet, rule, nowMs) : null;
}

/** Wallets that have waited for long enough ask for money, if they are low still. */
export function askAgain(draft: Draft, customer: CustomerState, plan: Plan | null): void {
  for (const currency of customer.wallets.keys()) {
    const atMs = asksAgainAtMs(customer, plan, currency, draft.nowMs);
    if (atMs !== null && atMs <= draft.nowMs) askByItself(draft, customer, plan, currency);
  }
}

/** Asks for money though nothing was used, if the wallet is low. */
export function askByItself(draft: Draft, customer: CustomerState, plan: Plan | null, currency: string): void {
  const rule = ruleOf(plan, currency);
  const wallet = walletIn(customer, currency, draft.nowMs);
  const balance = wallet.balance ?? 0n;
  if (!rule || balance >= rule.threshold) return;
  if (wallet.topUp !== null || mayAskAtMs(customer, wallet, rule, draft.nowMs) > draft.nowMs) return;
  const monthMs = monthOf(customer, draft.nowMs);
  const sequence = draft.nextSequenceOfAll(customer);
  const isThisMonth = wallet.spentSinceMs >= monthMs;
  const month = isThisMonth ? {} : { spent: 0n, spentSinceMs: monthMs, topUps: 0 };
  draft.putWallet(customer, { ...wallet, ...month, sequence });
  askForTopUp(draft, customer, rule, currency, sequence);
  const moment = momentOf(customer, sequence, draft.nowMs);
  draft.addNotice(balanceLow(moment, currency, { balance, threshold: rule.threshold, asked: rule.amount }));
}
