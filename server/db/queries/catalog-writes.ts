/** catalog-writes — how features and plans are stored. Whoever writes them holds the tenant's row. */
import { and, eq, inArray, ne, sql } from 'drizzle-orm';
import type { Feature } from '../../domain/feature.ts';
import type { Catalog, Plan } from '../../domain/plan.ts';
import type { Db } from '../client.ts';
import { limitFieldsToJson } from '../limit-fields-json.ts';
import { planTermsToJson } from '../plan-json.ts';
import { queryIn } from '../query-in.ts';
import { features, plans, planVersions, tenants } from '../tables/index.ts';
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
    of: feature.of,
    reset: feature.reset,
    anchor: feature.anchor,
    limits: limitFieldsToJson(feature),
    dimensions: [...feature.dimensions],
    details: [...feature.details],
    archivedAt: instantOf(feature.archivedAtMs),
  };
  await tx
    .insert(features)
    .values({ tenantId: feature.tenantId, key: feature.key, ...row })
    .onConflictDoUpdate({ target: [features.tenantId, features.key], set: row });
}

/**
 * Stores a plan, and its version unless that is stored already: what a version says never changes.
 *
 * @param movedVersion Customers on an earlier version have this one from now on; null leaves everybody where they are.
 */
export async function savePlanRow(tx: Db, plan: Plan, movedVersion: number | null = null): Promise<void> {
  const { tenantId, key, version } = plan;
  const row = {
    displayName: plan.displayName,
    version,
    archivedAt: instantOf(plan.archivedAtMs),
    ...(movedVersion !== null && { movedVersion }),
  };
  await tx
    .insert(planVersions)
    .values({ tenantId, key, version, ...planTermsToJson(plan) })
    .onConflictDoNothing();
  await tx
    .insert(plans)
    .values({ tenantId, key, ...row })
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

const instantOf = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));
