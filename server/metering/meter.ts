/** meter — one feature of one customer at an instant: all that a decision and a display need, out of a customer's state. */
import { type Counter, emptyCounter, taken } from '../domain/counter.ts';
import { currentPlanOf } from '../domain/customer.ts';
import type { Feature, LimitFields } from '../domain/feature.ts';
import { byBurnOrder, type Grant } from '../domain/grant.ts';
import type { EntityUse, MeterState } from '../domain/meter-state.ts';
import type { Money } from '../domain/money.ts';
import type { Funds } from '../domain/payment.ts';
import {
  calendarPeriod,
  type OpenPeriod,
  type Period,
  type PeriodRule,
  periodAt,
  periodFor,
  type Reset,
  ruleKey,
} from '../domain/period.ts';
import { type Catalog, type Plan, planOfCustomer } from '../domain/plan.ts';
import { isEntitled, type LimitPolicy, mergePolicy } from '../domain/policy.ts';
import type { RateRule } from '../domain/rate-limit.ts';
import type { Paid } from '../domain/refund.ts';
import type { Units } from '../domain/units.ts';
import { type Usage, usageOf } from '../domain/usage.ts';
import { walletUnder } from '../domain/wallet.ts';
import { type CustomerState, meterKey, type StoredCounter, type StoredWallet } from './state.ts';

/** A meter of a customer at an instant. */
export type Meter = {
  readonly customer: CustomerState;
  readonly catalog: Catalog;
  readonly feature: Feature;
  readonly plan: Plan | null;
  readonly policy: LimitPolicy;
  readonly entitled: boolean;
};

/** @param plan The plan to go by: the customer's own, or the one that a call names for itself. */
export function meterOf(customer: CustomerState, catalog: Catalog, feature: Feature, plan: Plan | null): Meter {
  const override = customer.overrides.get(feature.key);
  return {
    customer,
    catalog,
    feature,
    plan,
    policy: policyOf(feature, plan, override),
    entitled: isEntitled(feature.key, plan, override),
  };
}

/** Features and plans live as long as their catalog, and so do the policies merged of them. */
const policies = new WeakMap<Feature, WeakMap<object, LimitPolicy>>();
const NO_PLAN = {};

/** The merged policy; merged once for all customers who have no limits of their own. */
function policyOf(feature: Feature, plan: Plan | null, override: LimitFields | undefined): LimitPolicy {
  if (override !== undefined) return mergePolicy(feature, plan, override);
  const ofFeature = policies.get(feature) ?? new WeakMap<object, LimitPolicy>();
  policies.set(feature, ofFeature);
  const policy = ofFeature.get(plan ?? NO_PLAN) ?? mergePolicy(feature, plan, undefined);
  ofFeature.set(plan ?? NO_PLAN, policy);
  return policy;
}

/** The customer's own plan at an instant; a change that is due holds, whether or not it was stored yet. */
export function ownPlan(customer: CustomerState, catalog: Catalog, atMs: number): Plan | null {
  const { planKey, planVersion } = currentPlanOf(customer, atMs);
  return planOfCustomer(catalog, { tenantId: customer.tenantId, planKey, planVersion });
}

/** What a decision reads of a meter. */
export function stateOf(meter: Meter, counter: Counter, entity: EntityUse | null, nowMs: number): MeterState {
  const { customer, feature, plan, policy, entitled } = meter;
  return {
    featureKey: feature.key,
    aggregation: feature.aggregation,
    policy,
    planKey: plan?.key ?? null,
    entitled,
    rateRules: rateRulesOf(plan, feature.key, policy),
    rateWindows: customer.rateWindows,
    counter,
    entity,
    funds: fundsOf(meter, nowMs),
    paid: paidOf(customer, feature.key, counter),
  };
}

const NO_RULES: readonly RateRule[] = [];

function rateRulesOf(plan: Plan | null, featureKey: string, { rateLimits }: LimitPolicy): readonly RateRule[] {
  const ofPlan = plan?.rateLimits ?? NO_RULES;
  if (ofPlan.length + rateLimits.length === 0) return NO_RULES;
  return [
    ...ofPlan.map((rule) => ({ ...rule, scope: '' })),
    ...rateLimits.map((rule) => ({ ...rule, scope: featureKey })),
  ];
}

const NO_FUNDS: Funds = { credits: 0n, grants: [], wallet: null, spending: null };

function fundsOf({ customer, feature, plan, policy: { price } }: Meter, nowMs: number): Funds {
  const spendLimit = price && plan?.spendLimit?.currency === price.currency ? plan.spendLimit : null;
  const mayHaveWallet = customer.prepaid || (plan?.wallet ?? null) !== null; // a floor below 0 is money without a top-up
  if (!mayHaveWallet && spendLimit === null) return NO_FUNDS;
  const account = customer.credits.get(feature.key);
  const stored = price ? customer.wallets.get(price.currency) : undefined;
  return {
    credits: account?.live ?? 0n,
    grants: account ? burning(account.grants) : [],
    wallet: price && walletUnder(stored ?? noWallet(price.currency), plan?.wallet ?? null),
    spending: spendLimit && spendingOf(customer, spendLimit.amount, stored, nowMs),
  };
}

/** One into which no money was put. */
const noWallet = (currency: string) => ({ currency, balance: null, floor: null });

function spendingOf(customer: CustomerState, limit: Units, stored: StoredWallet | undefined, nowMs: number) {
  const { startMs, endMs } = monthAt(customer, nowMs);
  return { limit, spent: spentIn(stored, startMs), endMs: endMs ?? Number.POSITIVE_INFINITY };
}

/** Live grants in burn order; a decision must never find fewer units in them than the balance says there are. */
export const burning = (grants: ReadonlyMap<string, Grant>): readonly Grant[] =>
  [...grants.values()].filter(({ state }) => state === 'live').sort(byBurnOrder);

/** Start of the calendar month in which a customer's spending counts. */
export const monthOf = (customer: CustomerState, atMs: number): number => monthAt(customer, atMs).startMs;

export const monthAt = ({ timeZone, createdAtMs }: CustomerState, atMs: number): Period =>
  calendarPeriod({ reset: 'monthly', timeZone, sinceMs: createdAtMs }, atMs);

export const spentIn = (wallet: StoredWallet | undefined, monthMs: number): bigint =>
  wallet && wallet.spentSinceMs >= monthMs ? wallet.spent : 0n;

/** What paid for the use of a period: what reservations hold of it can't be given back by others. */
function paidOf(customer: CustomerState, featureKey: string, counter: Counter): Paid {
  const { credits, wallet, overage, walletCharge, cost } = counter;
  const paid = { credits, wallet, overage, walletCharge, cost, draws: customer.drawn.get(featureKey) ?? [] };
  if (counter.held === 0n) return paid;
  const held = [...customer.reservations.values()].filter(
    (r) => r.state === 'open' && r.featureKey === featureKey && r.periodStartMs === counter.period.startMs,
  );
  const heldOf = (part: 'credits' | 'wallet' | 'overage' | 'walletCharge' | 'cost'): Units =>
    held.reduce((sum, { payment }) => sum + payment[part], 0n);
  return {
    credits: credits - heldOf('credits'),
    wallet: wallet - heldOf('wallet'),
    overage: overage - heldOf('overage'),
    walletCharge: walletCharge - heldOf('walletCharge'),
    cost: cost - heldOf('cost'),
    draws: paid.draws,
  };
}

export const periodRuleOf = (customer: CustomerState, { reset, anchor }: Feature): PeriodRule => ({
  reset,
  anchor,
  anchorMs: customer.anchorAtMs,
  timeZone: customer.timeZone,
  anchorTimeZone: customer.anchorTimeZone,
  sinceMs: customer.createdAtMs,
});

/** The regular period around an instant; of the feature's own reset, where none is named. */
export const periodLookupOf =
  (customer: CustomerState, feature: Feature) =>
  (reset: Reset | null, atMs: number): Period => {
    const rule = periodRuleOf(customer, feature);
    return periodAt(reset === null ? rule : { ...rule, reset }, atMs);
  };

/** The counter in whose period this instant lies: the newest one, or a fresh one when its time has come. */
export function currentCounter(
  customer: CustomerState,
  feature: Feature,
  entityId: string | null,
  atMs: number,
): StoredCounter {
  const newest = customer.counters.get(meterKey(feature.key, entityId));
  const period = periodFor(newest?.period ?? null, periodRuleOf(customer, feature), atMs);
  if (newest && newest.period.startMs === period.startMs) return newest;
  return freshCounter({ ...period, reset: ruleKey(feature.reset, feature.anchor) });
}

export const freshCounter = (period: OpenPeriod): StoredCounter => ({
  ...emptyCounter(period),
  period,
  sequence: 0n,
  closedAtMs: null,
  correctedAtMs: null,
});

/** What an entity has taken of the customer's shared limit, in the same period; what it holds can't be given back. */
export function entityUseOf(
  customer: CustomerState,
  featureKey: string,
  entityId: string | null,
  periodStartMs: number,
  givesBack: boolean,
): EntityUse | null {
  if (entityId === null) return null;
  const key = meterKey(featureKey, entityId);
  const all = [customer.counters.get(key), ...(customer.earlier.get(key) ?? [])];
  const counter = all.find((known) => known?.period.startMs === periodStartMs);
  if (!counter) return { id: entityId, taken: 0n };
  return { id: entityId, taken: givesBack ? counter.used : taken(counter) };
}

export function usageOfMeter(meter: Meter, counter: Counter, atMs: number): Usage {
  const { customer, catalog, feature, plan, policy, entitled } = meter;
  const { id: customerId, tenantId, referenceId, sequence } = customer;
  const frame = {
    tenantId,
    customerId,
    referenceId,
    feature,
    planKey: plan?.key ?? null,
    entitled,
    policy,
    sequence,
    catalogVersion: catalog.version,
    atMs,
  };
  const credits = customer.credits.get(feature.key)?.live ?? 0n;
  const { period, used, held, overage, cost, walletCharge, currency } = counter;
  return usageOf(frame, { period, used, held, overage, cost, walletCharge, currency, credits, wallet: moneyOf(meter) });
}

/** The wallet's balance, where the feature is paid for in its currency, and money was put in or the floor is credit. */
function moneyOf({ customer, plan, policy }: Meter): Money | null {
  if (policy.price === null) return null;
  const { currency } = policy.price;
  const wallet = walletUnder(customer.wallets.get(currency) ?? noWallet(currency), plan?.wallet ?? null);
  return wallet && { amount: wallet.balance, currency };
}
