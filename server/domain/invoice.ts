/**
 * invoice — what a customer's periods cost, line by line: as of now, or with forecast quantities. Pure.
 *
 * Money is exact up to here. A line is rounded once, half-even, to whole minor units (whatever these are in its
 * currency), and totals are sums of rounded lines: so an invoice always adds up.
 */
import type { Money } from './money.ts';
import type { Period } from './period.ts';
import { costBetween, type Price, unitAmountOf } from './price.ts';
import { type BillingPeriod, prorate } from './proration.ts';
import {
  divideHalfEven,
  formatUnits,
  maxUnits,
  minUnits,
  multiplyUnits,
  ONE,
  roundToWhole,
  type Units,
} from './units.ts';

export const INVOICE_LINE_KINDS = ['base', 'overage', 'wallet', 'minimum'] as const;
/**
 * `base`: a plan's price. `overage`: use billed at the period's end. `wallet`: use that the wallet has paid already.
 * `minimum`: what is missing to the least that a period with any use costs.
 */
export type InvoiceLineKind = (typeof INVOICE_LINE_KINDS)[number];

export type InvoiceLine = {
  readonly kind: InvoiceLineKind;
  readonly description: string;
  /** Null for a base price. */
  readonly featureKey: string | null;
  readonly quantity: Units;
  /** Minor units, not rounded; null where the amount is not simply quantity × unit price (tiers, fees, part of a period). */
  readonly unitAmount: Units | null;
  /** Whole minor units. Below 0 where the wallet paid more than the units cost in the end: a volume price that fell. */
  readonly amount: Money;
  /** What the line is for. */
  readonly period: Period;
  /** Set where it changes what an earlier invoice said of the period. */
  readonly isAdjustment?: true;
};

/** All that is in one currency; amounts in different ones are never added. */
export type InvoicePart = {
  readonly currency: string;
  /** Base prices first, then features in the order given. At least one. */
  readonly lines: readonly InvoiceLine[];
  /** The sum of the lines. */
  readonly total: Money;
  /** The sum of its `wallet` lines. */
  readonly paidFromWallet: Money;
  /** What is left to pay: the total less what the wallet has paid. */
  readonly due: Money;
};

/** In the order in which currencies first occur; empty when nothing costs anything. */
export type Invoice = { readonly parts: readonly InvoicePart[] };

/** A plan's base price for a billing period, and the part of that in which the customer had the plan. */
export type BaseCharge = {
  readonly planName: string;
  /** Of the whole billing period. */
  readonly price: Money;
  readonly period: BillingPeriod;
  /** From when to when it applied; null for the whole period. */
  readonly applied: BillingPeriod | null;
};

/** What one feature's counter says of a period. Quantities may be forecast ones. */
export type UsageCharge = {
  readonly featureKey: string;
  readonly featureName: string;
  readonly price: Price;
  readonly period: Period;
  /** All units used, paid for or not: whether there was any use. */
  readonly used: Units;
  /** Units that the wallet has paid for, and what it paid, in minor units. */
  readonly wallet: Units;
  readonly walletCharge: Units;
  /** Units to be billed. */
  readonly overage: Units;
  /** Minor units that wallet and overage units cost together, as of when they were used. */
  readonly cost: Units;
};

export type InvoiceInput = { readonly base: readonly BaseCharge[]; readonly usage: readonly UsageCharge[] };

/** The invoice of a customer's base prices and use. */
export const invoiceOf = ({ base, usage }: InvoiceInput): Invoice =>
  invoiceOfLines([...base.flatMap(baseLines), ...usage.flatMap(usageLines)]);

/** Lines by currency, with their sums. */
export function invoiceOfLines(lines: readonly InvoiceLine[]): Invoice {
  const currencies = new Set(lines.map(({ amount }) => amount.currency));
  return {
    parts: [...currencies].map((currency) =>
      partOf(
        currency,
        lines.filter(({ amount }) => amount.currency === currency),
      ),
    ),
  };
}

/**
 * The charge that a forecast comes to: with so many more units used in the period, of which `overage` are billed.
 * They cost what they would if they were used now, on top of what was priced before.
 */
export function projectedCharge(
  charge: UsageCharge,
  more: { readonly used: Units; readonly overage: Units },
): UsageCharge {
  const priced = charge.wallet + charge.overage;
  return {
    ...charge,
    used: charge.used + more.used,
    overage: charge.overage + more.overage,
    cost: charge.cost + costBetween(charge.price, priced, priced + more.overage),
  };
}

function partOf(currency: string, lines: readonly InvoiceLine[]): InvoicePart {
  const total = sumOf(lines);
  const paid = sumOf(lines.filter(({ kind }) => kind === 'wallet'));
  return {
    currency,
    lines,
    total: { amount: total, currency },
    paidFromWallet: { amount: paid, currency },
    due: { amount: total - paid, currency },
  };
}

const sumOf = (lines: readonly InvoiceLine[]): Units => lines.reduce((sum, { amount }) => sum + amount.amount, 0n);

/** One line, or none for a plan that did not apply for a second of the period. */
export function baseLines({ planName, price, period, applied }: BaseCharge): readonly InvoiceLine[] {
  const startMs = Math.max(applied?.startMs ?? period.startMs, period.startMs);
  const endMs = Math.min(applied?.endMs ?? period.endMs, period.endMs);
  if (endMs <= startMs) return [];
  const isWhole = startMs === period.startMs && endMs === period.endMs;
  const percent = prorate({ amount: 100n * ONE, currency: price.currency }, period, startMs, endMs).amount;
  if (percent === 0n) return [];
  return [
    {
      kind: 'base',
      description: isWhole ? planName : `${planName}, ${spellPercent(percent)} % of the period`,
      featureKey: null,
      quantity: ONE,
      unitAmount: isWhole ? price.amount : null,
      amount: rounded(prorate(price, period, startMs, endMs)),
      period: { startMs, endMs },
    },
  ];
}

/** To two decimals. A part is never told as nothing, nor as all. */
function spellPercent(percent: Units): string {
  const hundredths = divideHalfEven(percent * 100n, ONE);
  return formatUnits((maxUnits(minUnits(hundredths, 9_999n), 1n) * ONE) / 100n);
}

/** Only lines that say something: of units that were used, or money that is owed. */
export function usageLines(charge: UsageCharge): readonly InvoiceLine[] {
  const { wallet, walletCharge, overage, cost } = charge;
  const missing = missingToMinimum(charge);
  const lines: InvoiceLine[] = [];
  if (wallet !== 0n || walletCharge !== 0n) {
    lines.push(usageLine(charge, 'wallet', wallet, walletCharge));
  }
  if (overage !== 0n || cost !== walletCharge) {
    lines.push(usageLine(charge, 'overage', overage, cost - walletCharge));
  }
  if (missing > 0n) {
    lines.push(usageLine(charge, 'minimum', ONE, missing));
  }
  return lines;
}

function missingToMinimum({ price, used, cost }: UsageCharge): Units {
  if (price.minimumSpend === null || used === 0n) return 0n;
  return maxUnits(price.minimumSpend - cost, 0n);
}

export type UsageLineKind = Exclude<InvoiceLineKind, 'base'>;

/** What a line of use is for, for people. */
export function descriptionOf(kind: UsageLineKind, featureName: string): string {
  switch (kind) {
    case 'overage':
      return featureName;
    case 'wallet':
      return `${featureName}, paid from the wallet`;
    case 'minimum':
      return `${featureName}, up to the minimum spend`;
  }
}

function usageLine(
  { featureKey, featureName, price, period, wallet, overage }: UsageCharge,
  kind: UsageLineKind,
  quantity: Units,
  exactAmount: Units,
): InvoiceLine {
  const unitAmount = kind === 'minimum' ? null : unitAmountOf(price, wallet + overage);
  const isProduct = unitAmount !== null && multiplyUnits(quantity, unitAmount) === exactAmount;
  return {
    kind,
    description: descriptionOf(kind, featureName),
    featureKey,
    quantity,
    unitAmount: isProduct ? unitAmount : null,
    amount: rounded({ amount: exactAmount, currency: price.currency }),
    period,
  };
}

const rounded = (money: Money): Money => ({ ...money, amount: roundToWhole(money.amount) });
