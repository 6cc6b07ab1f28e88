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
  /** Counts the changes to this plan, from 1. */
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

/** All features and plans of one tenant, as of one version; a change to any of them makes the next version. */
export type Catalog = {
  readonly version: number;
  readonly features: ReadonlyMap<string, Feature>;
  readonly plans: ReadonlyMap<string, Plan>;
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

export const liveKeys = (entries: ReadonlyMap<string, { archivedAtMs: number | null }>): string[] =>
  [...entries].filter(([, entry]) => entry.archivedAtMs === null).map(([key]) => key);
