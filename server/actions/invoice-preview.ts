/** invoice-preview — what the running billing period costs: as of now, or as forecast. Reads under row level security. */
import { billOf, planHistoryOf } from '../billing/customer-bill.ts';
import type { Db } from '../db/client.ts';
import { billingAccountOf } from '../db/queries/billing-accounts.ts';
import { invoicePositionOf } from '../db/queries/invoice-positions.ts';
import { queryIn } from '../db/query-in.ts';
import { billingPeriod } from '../domain/billing-period.ts';
import { anchorZoneOf, type Customer, currentPlanOf } from '../domain/customer.ts';
import { MeterError } from '../domain/errors.ts';
import { type Invoice, projectedCharge, type UsageCharge } from '../domain/invoice.ts';
import { invoiceLeft } from '../domain/invoice-left.ts';
import { intervalOf, invoicePeriodAround } from '../domain/invoice-period.ts';
import { atTerms, type Catalog, planOfCustomer } from '../domain/plan.ts';
import type { Price } from '../domain/price.ts';
import type { BillingPeriod } from '../domain/proration.ts';
import { termsOf } from '../domain/subscription.ts';
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
 * periods that ended within it or are running. Where invoices are made of past periods, it is what the next of them would
 * say: what was billed before is not billed again, and what changed since is.
 *
 * It is the billing period of the plan that holds now, and that plan is billed to its end: by the interval and in the
 * currency of the customer's subscription, or else at the first of its prices.
 *
 * @throws {MeterError} `INVALID_INPUT` for more periods, or changes of plan, than a bill can list.
 */
export async function invoicePreview(
  deps: Pick<Deps, 'database' | 'clock'>,
  question: InvoiceQuestion,
): Promise<InvoicePreview> {
  const { customer, catalog, isForecast } = question;
  const atMs = deps.clock.now();
  const { bill, period } = await deps.database.readAs(customer.tenantId, (db) => readBill(db, customer, catalog, atMs));
  const usage = isForecast ? await forecastCharges(deps, question, bill.usage) : bill.usage;
  return { ...invoiceLeft({ ...bill, usage }), period, isForecast, atMs };
}

async function readBill(db: Db, customer: Customer, catalog: Catalog, nowMs: number) {
  const query = queryIn(db);
  const { tenantId, id: customerId, anchorAtMs } = customer;
  const position = await invoicePositionOf(query, { tenantId, customerId });
  const account = await billingAccountOf(db, { tenantId, customerId });
  const terms = termsOf(account?.subscription ?? null, nowMs);
  const plan = planOfCustomer(catalog, { tenantId, ...currentPlanOf(customer, nowMs) });
  const interval = intervalOf(plan && terms ? atTerms(plan, terms) : plan);
  const whole = billingPeriod(interval, anchorAtMs, anchorZoneOf(customer), nowMs);
  const history = await planHistoryOf(query, { customer, catalog, terms }, { ...whole, nowMs, max: SPANS_MAX + 1 });
  if (history.spans.length > SPANS_MAX)
    throw tooLong(`${SPANS_MAX} changes of plan; it can be had again from the next billing period on`);
  const around = invoicePeriodAround(nowMs, history);
  const period = { ...around, startMs: Math.max(around.startMs, position?.invoicedUntilMs ?? around.startMs) };
  const of = { customer, catalog, history, period, position, nowMs, withRunning: true, max: PERIODS_MAX + 1 };
  const bill = await billOf(query, of);
  if (bill.usage.length > PERIODS_MAX)
    throw tooLong(`${PERIODS_MAX} periods of features; read their totals with usageSeries`);
  return { bill, period: { startMs: period.startMs, endMs: period.endMs } };
}

const tooLong = (what: string): MeterError =>
  new MeterError('INVALID_INPUT', `This bill would have more than ${what}.`, { path: ['referenceId'] });

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
