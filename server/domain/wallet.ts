/** wallet — prepaid money of a customer in one currency. */
import { formatUnits, type Units } from './units.ts';

/** Asks the biller for money when a wallet runs low. */
export type AutoTopUp = {
  /** Asked for when the balance is below this, in minor units. */
  readonly threshold: Units;
  /** How much, in minor units. */
  readonly amount: Units;
  /** How often in a calendar month at most. */
  readonly maxPerMonth: number;
  /** How long nothing is asked for after a top-up that failed. */
  readonly coolOffMs: number;
};

/** Where nothing else is said: enough for a busy month, and an end to what a mistake can charge. */
export const TOP_UPS_PER_MONTH = 10;
export const COOL_OFF_MS = 24 * 3_600_000;

export type WalletRule = {
  readonly currency: string;
  /** Use never takes the balance below: 0, or below 0, which is credit that the customer may use. */
  readonly floor: Units;
  readonly autoTopUp: AutoTopUp | null;
};

/** What is wrong with a floor, to be read after its name; null when nothing is. */
export const problemOfFloor = (floor: Units): string | null =>
  floor <= 0n
    ? null
    : `is ${formatUnits(floor)}; a floor is 0, or below 0 for credit: money that must stay is money not to be put in`;

/** A wallet as it stands. */
export type Wallet = {
  readonly currency: string;
  readonly balance: Units;
  readonly floor: Units;
};

/**
 * A wallet as it is stored, with the floor that holds for it: its own, or that of the plan's rule.
 *
 * @returns null before money was put in, unless the floor is credit.
 */
export function walletUnder(
  { currency, balance, floor }: Pick<Wallet, 'currency'> & { readonly [K in 'balance' | 'floor']: Units | null },
  rule: WalletRule | null,
): Wallet | null {
  const holding = floor ?? (rule?.currency === currency ? rule.floor : 0n);
  return balance === null && holding >= 0n ? null : { currency, balance: balance ?? 0n, floor: holding };
}

/** What can be spent now; never below 0. */
export const availableIn = ({ balance, floor }: Wallet): Units => (balance > floor ? balance - floor : 0n);
