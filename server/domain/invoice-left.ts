/**
 * invoice-left — what of a customer's periods no invoice has said yet. Pure.
 *
 * An invoice is never changed. Use that comes later, or is taken back, changes the total of its period all the same; then
 * the next invoice has the difference. A line is the rounded total less the whole amounts that were billed before: so the
 * lines of a period sum up to what one line of its final total would say, however often it changed.
 */
import {
  baseLines,
  descriptionOf,
  type Invoice,
  type InvoiceInput,
  type InvoiceLine,
  invoiceOfLines,
  type UsageCharge,
  type UsageLineKind,
  usageLines,
} from './invoice.ts';
import { unitAmountOf } from './price.ts';
import { multiplyUnits, ONE, type Units } from './units.ts';

/** What invoices have said of one period of a feature, by kind and currency. Those that are void count: see docs/billing-manual.md. */
export type BilledLine = {
  readonly featureKey: string;
  readonly periodStartMs: number;
  readonly kind: UsageLineKind;
  readonly currency: string;
  readonly quantity: Units;
  /** Whole minor units. */
  readonly amount: Units;
};

export type InvoiceLeftInput = InvoiceInput & {
  readonly billed: readonly BilledLine[];
  /** Until when periods were billed before; null where none was. */
  readonly invoicedUntilMs: number | null;
};

/** The invoice of what is left. Lines about periods that ended before are adjustments. */
export function invoiceLeft({ base, usage, billed, invoicedUntilMs }: InvoiceLeftInput): Invoice {
  const lines = usage.flatMap((charge) => {
    const before = billed.filter((line) => isOf(charge, line));
    const left = before.length === 0 ? usageLines(charge) : linesLeft(charge, before);
    return isPast(charge, invoicedUntilMs) ? left.map(asAdjustment) : left;
  });
  return invoiceOfLines([...base.flatMap(baseLines), ...lines]);
}

const isOf = ({ featureKey, period }: UsageCharge, line: BilledLine): boolean =>
  line.featureKey === featureKey && line.periodStartMs === period.startMs;

/** A period without an end goes on, and is billed bit by bit: that is no correction. */
const isPast = ({ period }: UsageCharge, invoicedUntilMs: number | null): boolean =>
  invoicedUntilMs !== null && period.endMs !== null && period.endMs <= invoicedUntilMs;

const asAdjustment = (line: InvoiceLine): InvoiceLine => ({
  ...line,
  description: `${line.description}, adjustment`,
  isAdjustment: true,
});

function linesLeft(charge: UsageCharge, billed: readonly BilledLine[]): readonly InvoiceLine[] {
  const wanted = usageLines(charge);
  const gone = billed.filter((line) => !wanted.some((other) => isSame(other, line)));
  return [
    ...wanted.map((line) =>
      less(
        line,
        billed.filter((other) => isSame(line, other)),
      ),
    ),
    ...gone.map((line) => less(emptyLine(charge, line), [line])),
  ].filter(({ quantity, amount }) => quantity !== 0n || amount.amount !== 0n);
}

const isSame = (line: InvoiceLine, { kind, currency }: BilledLine): boolean =>
  line.kind === kind && line.amount.currency === currency;

function less(line: InvoiceLine, billed: readonly BilledLine[]): InvoiceLine {
  const amount = billed.reduce((left, before) => left - before.amount, line.amount.amount);
  const units = billed.reduce((left, before) => left - before.quantity, line.quantity);
  const quantity = line.kind === 'minimum' && amount !== 0n ? ONE : units; // one sum, whatever it is
  const isProduct = line.unitAmount !== null && multiplyUnits(quantity, line.unitAmount) === amount;
  return {
    ...line,
    quantity,
    unitAmount: isProduct ? line.unitAmount : null,
    amount: { ...line.amount, amount },
  };
}

const emptyLine = (
  { featureKey, featureName, price, period }: UsageCharge,
  { kind, currency }: BilledLine,
): InvoiceLine => ({
  kind,
  description: descriptionOf(kind, featureName),
  featureKey,
  quantity: 0n,
  unitAmount: price.currency === currency ? unitAmountOf(price) : null,
  amount: { amount: 0n, currency },
  period,
});
