/** plan — a named, versioned set of limits per feature, and the catalog that holds a tenant's features and plans. */
import type { Feature, LimitFields } from './feature.ts';
import type { Money } from './money.ts';
import type { RateLimit } from './rate-limit.ts';
import type { Units } from './units.ts';
import type { WalletRule } from './wallet.ts';

export const BILLING_INTERVALS = ['day', 'week', 'month', 'year'] as const;
export type BillingInterval = (typeof BILLING_INTERVALS)[number];

/** Base price of a plan, in minor units. */
export type PlanPrice = { readonly amount: Units; readonly currency: string; readonly interval: BillingInterval };

export type Plan = {
  readonly tenantId: string;
  readonly key: string;
  readonly displayName: string;
  /** Counts the changes to this plan, from 1. What a version says never changes; its name and whether it is archived may. */
  readonly version: number;
  readonly prices: readonly PlanPrice[];
  /** Calls of all features together; each must pass. */
  readonly rateLimits: readonly RateLimit[];
  /** The most that a customer may spend beyond what is included, of all features in a calendar month. */
  readonly spendLimit: Money | null;
  /** How wallets of this plan's customers behave; null: floor 0, no top-up by itself. */
  readonly wallet: WalletRule | null;
  /** The features this plan entitles to, with what it sets for each. */
  readonly features: ReadonlyMap<string, LimitFields>;
  readonly archivedAtMs: number | null;
};

/** What customers of one plan may have: each stays on the version they were put on, until they are moved. */
export type PlanVersions = {
  /** Customers on an earlier version have this one all the same. */
  readonly movedVersion: number;
  /** From `movedVersion` to the newest: nobody has an earlier one any more. */
  readonly byNumber: ReadonlyMap<number, Plan>;
};

/** All features and plans of one tenant, as of one version; a change to any of them makes the next version. */
export type Catalog = {
  readonly version: number;
  readonly features: ReadonlyMap<string, Feature>;
  /** The newest version of each plan: what whoever is put on it now gets. */
  readonly plans: ReadonlyMap<string, Plan>;
  /** By key of the plan. */
  readonly planVersions: ReadonlyMap<string, PlanVersions>;
  /** Given to a customer who is registered without a plan. */
  readonly defaultPlanKey: string | null;
};

/** The feature by key, unless it is archived. */
export function liveFeature(catalog: Catalog, key: string): Feature | undefined {
  const feature = catalog.features.get(key);
  return feature?.archivedAtMs === null ? feature : undefined;
}

/** The plan by key, unless it is archived. Customers who have an archived plan keep it. */
export function livePlan(catalog: Catalog, key: string): Plan | undefined {
  const plan = catalog.plans.get(key);
  return plan?.archivedAtMs === null ? plan : undefined;
}

/** A version of a plan as it holds for a customer who was put on it: that one, or the later one its customers were moved to. */
export function planAt(catalog: Catalog, key: string, version: number): Plan | undefined {
  const versions = catalog.planVersions.get(key);
  return versions?.byNumber.get(Math.max(version, versions.movedVersion));
}

/** Which plan a customer has: null is none, and a version of null the newest. */
export type PlanHeld = { readonly planKey: string | null; readonly planVersion: number | null };

/** The plan that holds for a customer; one that is archived goes on for those who have it. Null is no plan, so every feature. */
export function planOfCustomer(catalog: Catalog, customer: PlanHeld & { readonly tenantId: string }): Plan | null {
  const { tenantId, planKey, planVersion } = customer;
  if (planKey === null) return null;
  const plan = planVersion === null ? catalog.plans.get(planKey) : planAt(catalog, planKey, planVersion);
  return plan ?? missingPlan(tenantId, planKey);
}

/** Plans are never deleted; should one be missing all the same, its customers get nothing rather than everything. */
const missingPlan = (tenantId: string, key: string): Plan => ({
  tenantId,
  key,
  displayName: key,
  version: 0,
  prices: [],
  rateLimits: [],
  spendLimit: null,
  wallet: null,
  features: new Map(),
  archivedAtMs: null,
});

/** For what interval, and in what currency, a customer pays a plan's base price. */
export type PlanTerms = Pick<PlanPrice, 'interval' | 'currency'> & { readonly planKey: string };

/** The plan at the price that is paid: of all that it lists that one alone, where it lists it. */
export function atTerms(plan: Plan, terms: PlanTerms): Plan {
  if (plan.key !== terms.planKey) return plan;
  const inInterval = plan.prices.filter(({ interval }) => interval === terms.interval);
  const paid = inInterval.filter(({ currency }) => currency === terms.currency);
  if (paid.length > 0) return { ...plan, prices: paid };
  return inInterval.length > 0 ? { ...plan, prices: inInterval } : plan;
}

/** Whether any feature or plan gives credits by itself: then they begin when a customer is registered. */
export const allocatesCredits = ({ features, plans }: Catalog): boolean =>
  [...features.values(), ...[...plans.values()].flatMap((plan) => [...plan.features.values()])].some(
    ({ credits }) => credits,
  );

export const liveKeys = (entries: ReadonlyMap<string, { archivedAtMs: number | null }>): string[] =>
  [...entries].filter(([, entry]) => entry.archivedAtMs === null).map(([key]) => key);
