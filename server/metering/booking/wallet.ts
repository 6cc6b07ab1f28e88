/** wallet — books what a wallet pays, what was spent of its month, and the money that it asks for when it runs low. */
import type { Payment } from '../../domain/payment.ts';
import type { Draft } from '../draft.ts';
import { type Meter, monthOf, spentIn } from '../meter.ts';
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
  if (walletCharge > 0n && policy.billing === 'prepaid') askForTopUp(draft, meter, currency, sequence);
}

/** A wallet that runs low asks the biller for money, if its plan says so and nothing keeps it from asking. */
function askForTopUp(draft: Draft, { customer, plan }: Meter, currency: string, sequence: bigint): void {
  const rule = plan?.wallet?.currency === currency ? plan.wallet.autoTopUp : null;
  const wallet = customer.wallets.get(currency);
  if (!rule || !wallet || (wallet.balance ?? 0n) >= rule.threshold) return;
  const coolsOff = wallet.topUpFailedAtMs !== null && draft.nowMs < wallet.topUpFailedAtMs + rule.coolOffMs;
  if (wallet.topUp !== null || coolsOff || wallet.topUps >= rule.maxPerMonth) return;
  const topUp = { sequence, amount: rule.amount, askedAtMs: draft.nowMs };
  draft.putWallet(customer, { ...wallet, topUps: wallet.topUps + 1, topUp });
  draft.putTopUp(customer, currency, topUp, 'asked');
}
