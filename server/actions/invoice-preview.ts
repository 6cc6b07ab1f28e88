/** invoice-preview — what the running billing period costs: as of now, or as forecast. Reads under row level security. */
import { type BilledPeriod, billedPeriods } from '../db/queries/billed-periods.ts';
import { planSpansIn } from '../db/queries/plan-spans.ts';
import { queryIn } from '../db/query-in.ts';
import { billingPeriod } from '../domain/billing-period.ts';
import { type Customer, currentPlanOf } from '../domain/customer.ts';
import { MeterError } from '../domain/errors.ts';
import { type Invoice, invoiceOf, projectedCharge, type UsageCharge } from '../domain/invoice.ts';
import { type Catalog, type PlanHeld, planOfCustomer } from '../domain/plan.ts';
import { baseChargesOf, knownSpans, type PlanSpan } from '../domain/plan-span.ts';
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
  readonly catalog: Catalog;
  /** The running meters, as they stand. */
  readonly usages: readonly Usage[];
  readonly isForecast: boolean;
};

/** A bill of more lines is nobody's to read; hourly periods of a feature fill a month with 744. */
const PERIODS_MAX = 1_000;
const SPANS_MAX = 1_000;

/**
 * Bills the base prices of the running billing period, by the second where the plan changed in it, and each feature's
 * periods that ended within it or are running.
 *
 * It is the billing period of the plan that holds now, and that plan is billed to its end.
 *
 * @throws {MeterError} `INVALID_INPUT` for more periods, or changes of plan, than a bill can list.
 */
export async function invoicePreview(
  deps: Pick<Deps, 'database' | 'clock'>,
  question: InvoiceQuestion,
): Promise<InvoicePreview> {
  const { customer, catalog, isForecast } = question;
  const atMs = deps.clock.now();
  const planOf = (held: PlanHeld) => planOfCustomer(catalog, { tenantId: customer.tenantId, ...held });
  const interval = planOf(currentPlanOf(customer, atMs))?.prices[0]?.interval ?? 'month';
  const period = billingPeriod(interval, customer.anchorAtMs, customer.timeZone, atMs);
  const { billed, spans } = await historyOf(deps, customer, period);
  const base = baseChargesOf(knownSpans(spans, customer, atMs), period, interval, planOf);
  const charges = chargesOf(question, billed);
  const usage = isForecast ? await forecastCharges(deps, question, charges) : charges;
  return { ...invoiceOf({ base, usage }), period, isForecast, atMs };
}

type History = { readonly billed: readonly BilledPeriod[]; readonly spans: readonly PlanSpan[] };

async function historyOf(
  { database }: Pick<Deps, 'database'>,
  { tenantId, id: customerId }: Customer,
  period: BillingPeriod,
): Promise<History> {
  const of = { tenantId, customerId };
  const history = await database.readAs(tenantId, async (db) => ({
    billed: await billedPeriods(queryIn(db), of, period.startMs, PERIODS_MAX + 1),
    spans: await planSpansIn(queryIn(db), of, period, SPANS_MAX + 1),
  }));
  if (history.billed.length > PERIODS_MAX) {
    throw tooLong(`${PERIODS_MAX} periods of features; read their totals with usageSeries`);
  }
  if (history.spans.length > SPANS_MAX)
    throw tooLong(`${SPANS_MAX} changes of plan; it can be had again from the next billing period on`);
  return history;
}

const tooLong = (what: string): MeterError =>
  new MeterError('INVALID_INPUT', `This bill would have more than ${what}.`, { path: ['referenceId'] });

function chargesOf(
  { usages, catalog: { features } }: InvoiceQuestion,
  billed: readonly BilledPeriod[],
): readonly UsageCharge[] {
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
