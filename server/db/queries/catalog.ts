/** catalog — a tenant's features and plans, read whole: they are few, and change seldom. */
import type { Aggregation, Feature } from '../../domain/feature.ts';
import type { Anchor, Reset } from '../../domain/period.ts';
import type { Catalog, Plan, PlanVersions } from '../../domain/plan.ts';
import type { Query } from '../client.ts';
import { type LimitFieldsJson, limitFieldsFromJson } from '../limit-fields-json.ts';
import { type PlanTermsJson, planTermsFromJson } from '../plan-json.ts';

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
  readonly of: string | null;
  readonly reset: Reset;
  readonly anchor: Anchor;
  readonly limits: LimitFieldsJson;
  readonly dimensions: readonly string[];
  readonly details: readonly string[];
  readonly archived_at: string | null;
};
type PlanRow = {
  readonly key: string;
  readonly display_name: string;
  readonly version: number;
  readonly moved_version: number;
  readonly archived_at: string | null;
  readonly versions: readonly (PlanTermsJson & { readonly version: number })[];
};

/**
 * One statement, so that version, features and plans are of the same instant. Of versions that all customers were moved
 * away from, none is read.
 */
const LOAD_CATALOG = `
  SELECT t.catalog_version AS version, t.default_plan_key,
    (SELECT coalesce(json_agg(f ORDER BY f.key), '[]') FROM features f WHERE f.tenant_id = t.id) AS features,
    (SELECT coalesce(json_agg(p ORDER BY p.key), '[]') FROM (
      SELECT p.key, p.display_name, p.version, p.moved_version, p.archived_at, (
        SELECT json_agg(json_build_object('version', v.version, 'prices', v.prices, 'rateLimits', v.rate_limits,
          'spendLimit', v.spend_limit, 'wallet', v.wallet, 'features', v.features) ORDER BY v.version)
        FROM plan_versions v WHERE v.tenant_id = p.tenant_id AND v.key = p.key AND v.version >= p.moved_version
      ) AS versions
      FROM plans p WHERE p.tenant_id = t.id
    ) p) AS plans
  FROM tenants t WHERE t.id = $1`;

/** @throws when there is no such tenant: whoever asks has authenticated as one. */
export async function loadCatalog(query: Query, tenantId: string): Promise<Catalog> {
  const [row] = await query<CatalogRow>({ text: LOAD_CATALOG, params: [tenantId] });
  if (!row) throw new Error(`tenant ${tenantId} does not exist`);
  const versions = new Map(row.plans.map((plan) => [plan.key, versionsFromRow(tenantId, plan)]));
  return {
    version: Number(row.version),
    features: new Map(row.features.map((feature) => [feature.key, featureFromRow(tenantId, feature)])),
    plans: new Map(row.plans.map(({ key, version }) => [key, newest(versions.get(key), key, version)])),
    planVersions: versions,
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
  of: row.of,
  reset: row.reset,
  anchor: row.anchor,
  dimensions: row.dimensions,
  details: row.details,
  archivedAtMs: row.archived_at === null ? null : Date.parse(row.archived_at),
});

function versionsFromRow(tenantId: string, row: PlanRow): PlanVersions {
  const named = {
    tenantId,
    key: row.key,
    displayName: row.display_name,
    archivedAtMs: row.archived_at === null ? null : Date.parse(row.archived_at),
  };
  const plans = row.versions.map(({ version, ...terms }): Plan => ({ ...named, version, ...planTermsFromJson(terms) }));
  return { movedVersion: row.moved_version, byNumber: new Map(plans.map((plan) => [plan.version, plan])) };
}

function newest(versions: PlanVersions | undefined, key: string, version: number): Plan {
  const plan = versions?.byNumber.get(version);
  if (plan) return plan;
  throw new Error(`version ${version} of plan "${key}" was never stored`);
}

/** The number that every change to features or plans raises. */
export async function catalogVersion(query: Query, tenantId: string): Promise<number> {
  const [row] = await query({
    text: 'SELECT catalog_version AS version FROM tenants WHERE id = $1',
    params: [tenantId],
  });
  return Number(row?.version ?? 0);
}
