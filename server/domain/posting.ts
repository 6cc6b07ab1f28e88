/**
 * posting — what moved between accounts: double entry for prepaid units and money.
 *
 * The postings of one entry sum to zero in each commodity, so nothing prepaid appears from nowhere or is lost.
 */
import type { Units } from './units.ts';

export const ENTRY_KINDS = [
  'use',
  'hold',
  'commit',
  'release',
  'expiry',
  'reversal',
  'grant',
  'renewal',
  'void',
  'lost',
  'top_up',
  'refund',
] as const;
/**
 * What happened. `expiry` is of a hold; `renewal` is what a period's turn does to credits; `lost` is what was given back to
 * a grant that is gone.
 */
export type EntryKind = (typeof ENTRY_KINDS)[number];

/** Where units and money are, come from and go to. `held` is between a grant or wallet and its use: what reservations have. */
export const ACCOUNTS = [
  'grant',
  'wallet',
  'held',
  'usage',
  'issued',
  'expired',
  'voided',
  'withdrawn',
  'rolled_over',
  'top_up',
  'refund',
] as const;
export type Account = (typeof ACCOUNTS)[number];

export type Posting = {
  readonly account: Account;
  /** Which one, for the account `grant`, and for what is `held` of it or used by what was. */
  readonly grantId: string | null;
  /** A feature's key for units, a currency for money. */
  readonly commodity: string;
  /** Which feature it is about; null for money put in or paid out. */
  readonly featureKey: string | null;
  /** Above 0 comes in, below 0 goes out. */
  readonly amount: Units;
};

/** An account, and which grant it is about. */
export type Place = { readonly account: Account; readonly grantId?: string };

/** A move from one account to another: two postings that sum to zero. Below 0 it goes the other way. */
export function move(
  units: Units,
  commodity: string,
  featureKey: string | null,
  from: Place,
  to: Place,
): readonly Posting[] {
  if (units === 0n) return [];
  const at = ({ account, grantId = null }: { account: Account; grantId?: string | null }, amount: Units): Posting => ({
    account,
    grantId,
    commodity,
    featureKey,
    amount,
  });
  return [at(from, -units), at(to, units)];
}
