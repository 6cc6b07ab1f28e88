/** counter — the running total of one customer, feature and period, and what paid for it. */
import type { Period } from './period.ts';
import type { Units } from './units.ts';

/** The level of a gauge, and of a quantity that is held over time. */
export type Gauge = {
  readonly level: Units;
  /** When it was last set; what is reported of an earlier instant changes the past alone. */
  readonly atMs: number;
  /** Billionths of units × milliseconds, from each change to the end of the period; 0 for a plain gauge. */
  readonly area: bigint;
};

export type Counter = {
  readonly period: Period;
  readonly used: Units;
  /** Reserved, and not used yet. Paid for like use. */
  readonly held: Units;
  /** The parts of `used` and `held` that credits, the wallet and the bill at the end pay for; the rest is included. */
  readonly credits: Units;
  readonly wallet: Units;
  readonly overage: Units;
  /** Price of the wallet's and the overage's units, each as of when it was used, in minor units. */
  readonly cost: Units;
  /** What of `cost` the wallet has paid. */
  readonly walletCharge: Units;
  /** ISO 4217 of both; null while there is none. A period has one: see counter-currency.ts. */
  readonly currency: string | null;
  /** Null for what is no gauge, and before its first report. */
  readonly gauge: Gauge | null;
  /** Marks of the thresholds already raised in this period. */
  readonly raised: ReadonlySet<string>;
};

export const emptyCounter = (period: Period): Counter => ({
  period,
  used: 0n,
  held: 0n,
  credits: 0n,
  wallet: 0n,
  overage: 0n,
  cost: 0n,
  walletCharge: 0n,
  currency: null,
  gauge: null,
  raised: new Set(),
});

/** Used or spoken for: what limits look at. */
export const taken = ({ used, held }: Counter): Units => used + held;

/** The part that nothing but the plan itself pays for. */
export const includedUsed = (counter: Counter): Units =>
  taken(counter) - counter.credits - counter.wallet - counter.overage;

/** How many units of the period have a price: the position at which the next one is priced. */
export const pricedUnits = ({ wallet, overage }: Counter): Units => wallet + overage;

/** What of the period is still to be billed, in minor units. */
export const owed = ({ cost, walletCharge }: Pick<Counter, 'cost' | 'walletCharge'>): Units => cost - walletCharge;
