/** create-checkout-session — opens a page on which a customer subscribes to a plan, or pays for something prepaid. */
import type { Biller, Checkout, Payer, Purchase } from '../billing/biller.ts';
import { customersById } from '../db/queries/customers.ts';
import { type BilledUse, billedUseOf, intervalsOf } from '../domain/billed-use.ts';
import type { BillingRules, CreditPack } from '../domain/billing-rules.ts';
import { problemOfRedirect } from '../domain/billing-rules.ts';
import { type Customer, customerIdOf } from '../domain/customer.ts';
import {
  billingDisabled,
  creditPackNotFound,
  customerNotFound,
  invalidInput,
  MeterError,
  planNotFound,
} from '../domain/errors.ts';
import {
  type BillingInterval,
  type Catalog,
  liveFeature,
  liveKeys,
  livePlan,
  type Plan,
  type PlanPrice,
  planOfCustomer,
} from '../domain/plan.ts';
import { formatUnits, ONE, type Units } from '../domain/units.ts';
import type { Deps } from './deps.ts';

export type { Checkout } from '../billing/biller.ts';

export type BillingDeps = Pick<Deps, 'database' | 'catalogs'> & {
  readonly biller: Biller;
  readonly billingRules: BillingRules;
};

/** What is to be paid for: exactly one of them is given. */
export type WantedPurchase = {
  readonly plan: {
    readonly planKey: string;
    readonly interval: BillingInterval | null;
    readonly currency: string | null;
  } | null;
  readonly creditPack: { readonly key: string } | null;
  readonly walletTopUp: { readonly amount: Units; readonly currency: string | null } | null;
};

export type NewCheckout = WantedPurchase & {
  readonly referenceId: string;
  readonly successUrl: string;
  readonly cancelUrl: string;
  readonly idempotencyKey: string | null;
};

/**
 * @throws {MeterError} `BILLING_DISABLED`, `CUSTOMER_NOT_FOUND`, `PLAN_NOT_FOUND`, `PLAN_NOT_FOR_SALE`,
 *   `CREDIT_PACK_NOT_FOUND`, `ALREADY_SUBSCRIBED`, `INVALID_INPUT`, `IDEMPOTENCY_CONFLICT`, `BILLING_UNAVAILABLE`
 */
export async function createCheckoutSession(
  deps: BillingDeps,
  tenantId: string,
  wanted: NewCheckout,
): Promise<Checkout> {
  const { biller, billingRules, catalogs, database } = deps;
  if (biller.kind === 'manual') throw billingDisabled();
  const { successUrl, cancelUrl, idempotencyKey } = wanted;
  refuseElsewhere(successUrl, 'successUrl', billingRules);
  refuseElsewhere(cancelUrl, 'cancelUrl', billingRules);
  const catalog = await catalogs.current(database.query, tenantId);
  const customer = await customerNamed(deps, tenantId, wanted.referenceId);
  const purchase = purchaseOf(wanted, customer, catalog, billingRules);
  const payer = payerFor(customer);
  return biller.createCheckout({ payer, purchase, successUrl, cancelUrl, idempotencyKey });
}

export const payerOf = async (deps: Pick<Deps, 'database'>, tenantId: string, referenceId: string): Promise<Payer> =>
  payerFor(await customerNamed(deps, tenantId, referenceId));

const payerFor = ({ tenantId, id: customerId, referenceId, name, email }: Customer): Payer => ({
  tenantId,
  customerId,
  referenceId,
  name,
  email,
});

async function customerNamed(
  { database }: Pick<Deps, 'database'>,
  tenantId: string,
  referenceId: string,
): Promise<Customer> {
  const [customer] = await customersById(database.db, tenantId, [customerIdOf(tenantId, referenceId)]);
  if (!customer) throw customerNotFound(referenceId);
  return customer;
}

/** @throws {MeterError} `INVALID_INPUT` for a page that customers may not be sent to. */
export function refuseElsewhere(url: string, field: string, rules: BillingRules): void {
  const problem = problemOfRedirect(url, rules);
  if (problem !== null) throw invalidInput(['input', field], `\`${field}\` ${problem}.`);
}

function purchaseOf(wanted: WantedPurchase, customer: Customer, catalog: Catalog, rules: BillingRules): Purchase {
  const { plan, creditPack, walletTopUp } = wanted;
  const given = [plan, creditPack, walletTopUp].filter((one) => one !== null);
  if (given.length !== 1) {
    const sentence = `${given.length} of \`plan\`, \`creditPack\` and \`walletTopUp\` are given; a checkout is for exactly one.`;
    throw invalidInput(['input'], sentence);
  }
  if (plan) return planPurchase(plan, catalog, rules);
  if (creditPack) return packPurchase(creditPack.key, catalog, rules);
  const { amount = 0n, currency = null } = walletTopUp ?? {};
  return {
    kind: 'top_up',
    amount: wholeAmount(amount, ['input', 'walletTopUp', 'amount']),
    currency: currency ?? planOfCustomer(catalog, customer)?.wallet?.currency ?? rules.defaultCurrency,
  };
}

function planPurchase(
  { planKey, interval, currency }: NonNullable<WantedPurchase['plan']>,
  catalog: Catalog,
  rules: BillingRules,
): Purchase {
  const plan = livePlan(catalog, planKey);
  if (!plan) throw planNotFound(planKey, liveKeys(catalog.plans));
  if (catalog.defaultPlanKey === null || !livePlan(catalog, catalog.defaultPlanKey)) {
    const sentence = `When the subscription to "${planKey}" ends, there is no plan to fall back to; set \`defaultPlan\` in the config.`;
    throw new MeterError('PLAN_NOT_FOR_SALE', sentence, { path: ['input', 'plan', 'planKey'] });
  }
  const use = billedUseOf(
    plan,
    liveKeys(catalog.features).flatMap((key) => liveFeature(catalog, key) ?? []),
  );
  const offers = offersOf(plan, use);
  const offer = offerWanted(offers, interval, currency, rules.defaultCurrency);
  if (!offer) throw notForSale(planKey, offers, interval, currency ?? rules.defaultCurrency);
  return { kind: 'plan', plan, use, interval: offer.interval, currency: offer.currency };
}

/** A way to pay a plan. */
type Offer = Pick<PlanPrice, 'interval' | 'currency'>;

/** Its base prices; of a plan that costs nothing itself, the currencies of what its use costs. */
const offersOf = (plan: Plan, use: readonly BilledUse[]): readonly Offer[] =>
  plan.prices.length > 0
    ? plan.prices
    : [...new Set(use.map(({ price }) => price.currency))].flatMap((currency) =>
        intervalsOf(plan).map((interval) => ({ interval, currency })),
      );

/** What was asked for, or else the tenant's currency, or else the first that there is. */
function offerWanted(
  offers: readonly Offer[],
  interval: BillingInterval | null,
  currency: string | null,
  defaultCurrency: string,
): Offer | undefined {
  const fitting = offers.filter((offer) => interval === null || offer.interval === interval);
  const inWanted = fitting.find((offer) => offer.currency === (currency ?? defaultCurrency));
  return inWanted ?? (currency === null ? fitting[0] : undefined);
}

function notForSale(
  planKey: string,
  offers: readonly Offer[],
  interval: BillingInterval | null,
  currency: string,
): MeterError {
  const wanted = `by the ${interval ?? 'month'} in ${currency.toUpperCase()}`;
  const offered = offers.map((offer) => `by the ${offer.interval} in ${offer.currency.toUpperCase()}`);
  const hint =
    offered.length === 0
      ? 'it has no price at all: customers are put on it with setCustomerPlan'
      : `it is sold ${offered.join(', ')}`;
  return new MeterError('PLAN_NOT_FOR_SALE', `Plan "${planKey}" is not sold ${wanted}; ${hint}.`, {
    path: ['input', 'plan', 'planKey'],
  });
}

function packPurchase(key: string, catalog: Catalog, { creditPacks }: BillingRules): Purchase {
  const packs = creditPacks.filter(({ featureKey }) => catalog.features.get(featureKey)?.archivedAtMs === null);
  const pack: CreditPack | undefined = packs.find((one) => one.key === key);
  if (!pack)
    throw creditPackNotFound(
      key,
      packs.map((one) => one.key),
    );
  const { displayName, featureKey, units, price, currency } = pack;
  return { kind: 'credit_pack', packKey: key, displayName, featureKey, units, amount: price, currency };
}

/** Cards are charged whole minor units, and Stripe takes at most 99,999,999 of them. */
const CHARGE_MAX: Units = 99_999_999n * ONE;

function wholeAmount(amount: Units, path: readonly string[]): Units {
  if (amount > 0n && amount % ONE === 0n && amount <= CHARGE_MAX) return amount;
  const sentence = `\`${path.at(-1)}\` is ${formatUnits(amount)}; a payment is of whole minor units (cents), from 1 to ${formatUnits(CHARGE_MAX)}.`;
  throw new MeterError('INVALID_AMOUNT', sentence, { path });
}
