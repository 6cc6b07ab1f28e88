/** payment — books what paid for units: grants and wallet give, or get their own back, and postings say where it went. */
import { applyDraws } from '../../domain/burn.ts';
import type { Payment } from '../../domain/payment.ts';
import { type Account, type EntryKind, move } from '../../domain/posting.ts';
import type { Draft } from '../draft.ts';
import type { Meter } from '../meter.ts';
import { MoreGrantsNeeded } from '../more-grants.ts';
import type { CustomerState } from '../state.ts';
import { payFromWallet } from './wallet.ts';

/** What a payment is booked as. */
export type Entry = {
  readonly kind: Extract<EntryKind, 'use' | 'hold' | 'release' | 'expiry' | 'reversal'>;
  readonly sequence: bigint;
  /** ISO 4217 of its money; null where no price is. What was paid in one currency goes back in it. */
  readonly currency: string | null;
  /** When its money was spent: a spend limit looks at the month of the use. */
  readonly spentAtMs: number;
};

/**
 * Lets grants and wallet pay, or takes back what they paid.
 *
 * @throws {MoreGrantsNeeded} when not all grants were read that must pay before anything else does.
 */
export function bookPayment(draft: Draft, meter: Meter, payment: Payment, entry: Entry): void {
  const { customer, feature } = meter;
  refuseShortDraws(draft, customer, feature.key, payment);
  if (payment.draws.length > 0) bookDraws(draft, customer, feature.key, payment.draws, entry);
  if (payment.cost !== 0n || payment.walletCharge !== 0n) bookMoney(draft, meter, payment, entry);
}

/** What was held is used: it leaves the reservation, and nothing more is paid. */
export function bookHeldAsUsed(
  draft: Draft,
  { customer, feature }: Meter,
  { draws, walletCharge }: Payment,
  { sequence, currency }: Pick<Entry, 'sequence' | 'currency'>,
): void {
  const { key } = feature;
  for (const { grantId, units } of draws) {
    const moved = move(units, key, key, { account: 'held', grantId }, { account: 'usage', grantId });
    draft.post(customer, sequence, 'commit', moved);
  }
  if (currency !== null) {
    draft.post(
      customer,
      sequence,
      'commit',
      move(walletCharge, currency, key, { account: 'held' }, { account: 'usage' }),
    );
  }
  draft.addDrawn(customer, key, draws);
}

/** Credits that are there must be drawn before anything else pays: if they were not, their grants were not read. */
function refuseShortDraws(draft: Draft, customer: CustomerState, featureKey: string, payment: Payment): void {
  const isBeyond = payment.wallet > 0n || payment.overage > 0n;
  if (isBeyond && payment.credits < draft.accountOf(customer, featureKey).live) throw new MoreGrantsNeeded();
}

function bookDraws(
  draft: Draft,
  customer: CustomerState,
  featureKey: string,
  draws: Payment['draws'],
  { kind, sequence }: Entry,
): void {
  const { grants, lost } = applyDraws(draft.accountOf(customer, featureKey).grants, draws);
  const account = accountOf(kind);
  draft.putGrants(customer, featureKey, grants, sequence);
  for (const { grantId, units } of draws) {
    const moved = move(units, featureKey, featureKey, { account: 'grant', grantId }, { account, grantId });
    draft.post(customer, sequence, kind, moved);
  }
  for (const { grantId, kind: why, units } of lost) {
    const moved = move(units, featureKey, featureKey, { account: 'grant', grantId }, { account: why });
    draft.post(customer, sequence, 'lost', moved);
  }
  if (account === 'usage') draft.addDrawn(customer, featureKey, draws);
}

function bookMoney(draft: Draft, meter: Meter, payment: Payment, { kind, sequence, currency, spentAtMs }: Entry): void {
  if (currency === null) return;
  const { customer, feature } = meter;
  const moved = move(payment.walletCharge, currency, feature.key, { account: 'wallet' }, { account: accountOf(kind) });
  draft.post(customer, sequence, kind, moved);
  payFromWallet(draft, meter, payment, { sequence, currency, spentAtMs });
}

/** Where paid units and money are afterwards. */
const accountOf = (kind: Entry['kind']): Account => (kind === 'use' || kind === 'reversal' ? 'usage' : 'held');
