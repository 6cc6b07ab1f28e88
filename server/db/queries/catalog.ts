/** catalog — a tenant's features and plans, read whole: they are few, and change seldom. */
import type { Aggregation, Feature } from '../../domain/feature.ts';
import type { Reset } from '../../domain/period.ts';
import type { BillingInterval, Catalog, Plan } from '../../domain/plan.ts';
import type { RateLimit } from '../../domain/rate-limit.ts';
import { unitsOf } from '../../domain/units.ts';
import type { Query } from '../client.ts';
import { type LimitFieldsJson, limitFieldsFromJson, limitFieldsMapFromJson } from '../limit-fields-json.ts';

type CatalogRow = {
  readonly version: string;
  readonly default_plan_key: string | null;
  readonly features: readonly FeatureRow[];
  readonly plans: readonly PlanRow[];
};
type FeatureRow = {
  readonly key: string;
  readonly display_name: string;
  readonly unit: string | null;
  readonly aggregation: Aggregation;
  readonly reset: Reset;
  readonly limits: LimitFieldsJson;
  readonly details: readonly string[];
  readonly archived_at: string | null;
};
type PlanRow = {
  readonly key: string;
  readonly display_name: string;
  readonly version: number;
  readonly prices: readonly { amount: string; currency: string; interval: BillingInterval }[];
  readonly rate_limit: RateLimit | null;
  readonly features: Readonly<Record<string, LimitFieldsJson>>;
  readonly archived_at: string | null;
};

/** One statement, so that version, features and plans are of the same instant. */
const LOAD_CATALOG = `
  SELECT t.catalog_version AS version, t.default_plan_key,
    (SELECT coalesce(json_agg(f ORDER BY f.key), '[]') FROM features f WHERE f.tenant_id = t.id) AS features,
    (SELECT coalesce(json_agg(p ORDER BY p.key), '[]') FROM plans p WHERE p.tenant_id = t.id) AS plans
  FROM tenants t WHERE t.id = $1`;

/** @throws when there is no such tenant: whoever asks has authenticated as one. */
export async function loadCatalog(query: Query, tenantId: string): Promise<Catalog> {
  const [row] = await query<CatalogRow>({ text: LOAD_CATALOG, params: [tenantId] });
  if (!row) throw new Error(`tenant ${tenantId} does not exist`);
  return {
    version: Number(row.version),
    features: new Map(row.features.map((feature) => [feature.key, featureFromRow(tenantId, feature)])),
    plans: new Map(row.plans.map((plan) => [plan.key, planFromRow(tenantId, plan)])),
    defaultPlanKey: row.default_plan_key,
  };
}

const featureFromRow = (tenantId: string, row: FeatureRow): Feature => ({
  ...limitFieldsFromJson(row.limits),
  tenantId,
  key: row.key,
  displayName: row.display_name,
  unit: row.unit,
  aggregation: row.aggregation,
  reset: row.reset,
  details: row.details,
  archivedAtMs: row.archived_at === null ? null : Date.parse(row.archived_at),
});

const planFromRow = (tenantId: string, row: PlanRow): Plan => ({
  tenantId,
  key: row.key,
  displayName: row.display_name,
  version: row.version,
  prices: row.prices.map(({ amount, ...price }) => ({ ...price, amount: unitsOf(amount) })),
  rateLimit: row.rate_limit,
  features: limitFieldsMapFromJson(row.features),
  archivedAtMs: row.archived_at === null ? null : Date.parse(row.archived_at),
});

/** The number that every change to features or plans raises. */
export async function catalogVersion(query: Query, tenantId: string): Promise<number> {
  const [row] = await query({
    text: 'SELECT catalog_version AS version FROM tenants WHERE id = $1',
    params: [tenantId],
  });
  return Number(row?.version ?? 0);
}
