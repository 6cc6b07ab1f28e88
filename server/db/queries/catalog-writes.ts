/** catalog-writes — how features and plans are stored. Whoever writes them holds the tenant's row. */
import { and, eq, inArray, ne, sql } from 'drizzle-orm';
import type { Feature } from '../../domain/feature.ts';
import type { Catalog, Plan, PlanPrice } from '../../domain/plan.ts';
import { formatUnits } from '../../domain/units.ts';
import type { Db } from '../client.ts';
import { limitFieldsMapToJson, limitFieldsToJson } from '../limit-fields-json.ts';
import { queryIn } from '../query-in.ts';
import { features, plans, tenants } from '../tables/index.ts';
import { loadCatalog } from './catalog.ts';

/** Locks the tenant until the transaction ends, so that catalogs change one after the other, and reads its catalog. */
export async function lockCatalog(tx: Db, tenantId: string): Promise<Catalog> {
  await tx.select({ id: tenants.id }).from(tenants).where(eq(tenants.id, tenantId)).for('no key update');
  return loadCatalog(queryIn(tx), tenantId);
}

/** Makes every gateway read features and plans again before its next batch. */
export async function raiseCatalogVersion(tx: Db, tenantId: string): Promise<void> {
  await tx
    .update(tenants)
    .set({ catalogVersion: sql`${tenants.catalogVersion} + 1` })
    .where(eq(tenants.id, tenantId));
}

export async function setDefaultPlan(tx: Db, tenantId: string, planKey: string | null): Promise<void> {
  await tx.update(tenants).set({ defaultPlanKey: planKey }).where(eq(tenants.id, tenantId));
}

export async function saveFeatureRow(tx: Db, feature: Feature): Promise<void> {
  const row = {
    displayName: feature.displayName,
    unit: feature.unit,
    aggregation: feature.aggregation,
    reset: feature.reset,
    limits: limitFieldsToJson(feature),
    details: [...feature.details],
    archivedAt: instantOf(feature.archivedAtMs),
  };
  await tx
    .insert(features)
    .values({ tenantId: feature.tenantId, key: feature.key, ...row })
    .onConflictDoUpdate({ target: [features.tenantId, features.key], set: row });
}

export async function savePlanRow(tx: Db, plan: Plan): Promise<void> {
  const row = {
    displayName: plan.displayName,
    version: plan.version,
    prices: plan.prices.map(priceToJson),
    rateLimit: plan.rateLimit,
    features: limitFieldsMapToJson(plan.features),
    archivedAt: instantOf(plan.archivedAtMs),
  };
  await tx
    .insert(plans)
    .values({ tenantId: plan.tenantId, key: plan.key, ...row })
    .onConflictDoUpdate({ target: [plans.tenantId, plans.key], set: row });
}

/** Keys of what the config file named when it was last synchronised. */
export async function keysFromConfig(tx: Db, tenantId: string) {
  const named = (table: typeof features | typeof plans) =>
    tx
      .select({ key: table.key })
      .from(table)
      .where(and(eq(table.tenantId, tenantId), table.fromConfig));
  const keysOf = (rows: readonly { key: string }[]): ReadonlySet<string> => new Set(rows.map(({ key }) => key));
  return { features: keysOf(await named(features)), plans: keysOf(await named(plans)) };
}

/** Remembers what the config file names now, and no more than that. */
export async function markFromConfig(
  tx: Db,
  table: typeof features | typeof plans,
  tenantId: string,
  keys: readonly string[],
): Promise<void> {
  const isNamed = keys.length === 0 ? sql`false` : inArray(table.key, [...keys]);
  await tx
    .update(table)
    .set({ fromConfig: isNamed })
    .where(and(eq(table.tenantId, tenantId), ne(table.fromConfig, isNamed)));
}

const priceToJson = ({ amount, currency, interval }: PlanPrice) => ({
  amount: formatUnits(amount),
  currency,
  interval,
});

const instantOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));
