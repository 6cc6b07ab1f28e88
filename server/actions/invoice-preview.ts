/** invoice-preview — what the running billing period costs: as of now, or as forecast. Reads under row level security. */
import { type BilledPeriod, billedPeriods } from '../db/queries/billed-periods.ts';
import { queryIn } from '../db/query-in.ts';
import { billingPeriod } from '../domain/billing-period.ts';
import type { Customer } from '../domain/customer.ts';
import { MeterError } from '../domain/errors.ts';
import type { Feature } from '../domain/feature.ts';
import { type BaseCharge, type Invoice, invoiceOf, projectedCharge, type UsageCharge } from '../domain/invoice.ts';
import type { Plan } from '../domain/plan.ts';
import type { Price } from '../domain/price.ts';
import type { BillingPeriod } from '../domain/proration.ts';
import type { Usage } from '../domain/usage.ts';
import type { Deps } from './deps.ts';
import { readUsageForecast, type UsageForecast } from './usage-forecast.ts';

export type InvoicePreview = Invoice & {
  /** The billing period that is running. */
  readonly period: BillingPeriod;
  readonly isForecast: boolean;
  readonly atMs: number;
};

export type InvoiceQuestion = {
  readonly customer: Customer;
  /** The one that holds now. */
  readonly plan: Plan | null;
  readonly features: ReadonlyMap<string, Feature>;
  /** The running meters, as they stand. */
  readonly usages: readonly Usage[];
  readonly isForecast: boolean;
};

/** A bill of more lines is nobody's to read; hourly periods of a feature fill a month with 744. */
const PERIODS_MAX = 1_000;

/**
 * Bills the base price of the running billing period, and each feature's periods that ended within it or are running.
 *
 * @throws {MeterError} `INVALID_INPUT` for more periods than a bill can list.
 */
export async function invoicePreview(
  deps: Pick<Deps, 'database' | 'clock'>,
  question: InvoiceQuestion,
): Promise<InvoicePreview> {
  const { customer, plan, isForecast } = question;
  const atMs = deps.clock.now();
  const period = billingPeriod(plan?.prices[0]?.interval ?? 'month', customer.anchorAtMs, customer.timeZone, atMs);
  const billed = await periodsSince(deps, customer, period.startMs);
  const charges = chargesOf(question, billed);
  const usage = isForecast ? await forecastCharges(deps, question, charges) : charges;
  return { ...invoiceOf({ base: baseOf(plan, period), usage }), period, isForecast, atMs };
}

async function periodsSince(
  { database }: Pick<Deps, 'database'>,
  { tenantId, id: customerId }: Customer,
  startMs: number,
): Promise<readonly BilledPeriod[]> {
  const of = { tenantId, customerId };
  const found = await database.readAs(tenantId, (db) => billedPeriods(queryIn(db), of, startMs, PERIODS_MAX + 1));
  if (found.length <= PERIODS_MAX) return found;
  const sentence = `This bill would have more than ${PERIODS_MAX} periods of features; read their totals with usageSeries.`;
  throw new MeterError('INVALID_INPUT', sentence, { path: ['referenceId'] });
}

/** A plan has the first of its base prices: the others are what it costs in other currencies, or paid by another interval. */
function baseOf(plan: Plan | null, period: BillingPeriod): readonly BaseCharge[] {
  const price = plan?.prices[0];
  return plan && price ? [{ planName: plan.displayName, price, period, applied: null }] : [];
}

function chargesOf({ usages, features }: InvoiceQuestion, billed: readonly BilledPeriod[]): readonly UsageCharge[] {
  const prices = new Map(usages.map(({ feature, policy }) => [feature.key, policy.price]));
  return billed.flatMap((counted) => {
    const price = prices.get(counted.featureKey) ?? pastPrice(counted);
    if (price === null) return [];
    return [{ ...counted, featureName: features.get(counted.featureKey)?.displayName ?? counted.featureKey, price }];
  });
}

/** What was charged stays charged when the price is gone: as a sum, for nothing says any more what a unit costs. */
const pastPrice = ({ currency }: BilledPeriod): Price | null =>
  currency === null ? null : { model: 'per_unit', unitAmount: 0n, currency, minimumSpend: null, maximumSpend: null };

/** Each running period as it will end; what has ended stays what it is. */
async function forecastCharges(
  deps: Pick<Deps, 'database'>,
  { customer, usages }: InvoiceQuestion,
  charges: readonly UsageCharge[],
): Promise<readonly UsageCharge[]> {
  const projected = new Map<string, UsageCharge>();
  for (const usage of usages) {
    if (usage.policy.price === null || !usage.entitled) continue;
    const key = nameOf(usage.feature.key, usage.period.startMs);
    const charge =
      charges.find((c) => nameOf(c.featureKey, c.period.startMs) === key) ?? emptyCharge(usage, usage.policy.price);
    projected.set(key, ahead(charge, await readUsageForecast(deps, customer, usage)));
  }
  const known = charges.map((charge) => {
    const key = nameOf(charge.featureKey, charge.period.startMs);
    const later = projected.get(key);
    projected.delete(key);
    return later ?? charge;
  });
  return [...known, ...projected.values()];
}

const nameOf = (featureKey: string, periodStartMs: number): string => `${featureKey} ${periodStartMs}`;

function ahead(charge: UsageCharge, { usage, projected, billedAhead }: UsageForecast): UsageCharge {
  if (projected === null) return charge;
  const isPrepaid = usage.policy.billing === 'prepaid';
  return projectedCharge(charge, { used: projected - usage.used, overage: isPrepaid ? 0n : billedAhead });
}

const emptyCharge = ({ feature, period }: Usage, price: Price): UsageCharge => ({
  featureKey: feature.key,
  featureName: feature.displayName,
  price,
  period,
  used: 0n,
  wallet: 0n,
  walletCharge: 0n,
  overage: 0n,
  cost: 0n,
});
