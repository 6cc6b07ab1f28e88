/** currency — in which money a payment is booked. */
import type { Payment } from '../../domain/payment.ts';
import type { Meter } from '../meter.ts';

/**
 * The currency of the feature's price. Where it has none any more, money that goes back goes into the wallet that moved
 * last: it must not be lost.
 *
 * @returns ISO 4217, lower case; null where no money moves.
 */
export function currencyOf({ customer, policy }: Meter, { walletCharge }: Payment): string | null {
  if (policy.price !== null || walletCharge === 0n) return policy.price?.currency ?? null;
  const wallets = [...customer.wallets.values()].sort((a, b) => (a.sequence < b.sequence ? 1 : -1));
  return wallets[0]?.currency ?? null;
}
