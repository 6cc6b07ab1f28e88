/** grants — rows of grants in, domain values out. */
import { and, desc, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import type { Grant, GrantSource, GrantState, Renewal } from '../../domain/grant.ts';
import { type Page, type PageRequest, pageOf, rowsFor } from '../../domain/page.ts';
import type { Reset } from '../../domain/period.ts';
import { unitsOf } from '../../domain/units.ts';
import type { Db } from '../client.ts';
import { type OnRenewalJson, onRenewalFromJson } from '../credit-rule-json.ts';
import { grants } from '../tables/index.ts';

export type GrantKey = { readonly customerId: string; readonly id: string };

/** A grant, and whose it is. */
export type OwnedGrant = { readonly customerId: string; readonly grant: Grant };

export type GrantPosition = { readonly createdAtMs: number; readonly id: string };

/** A customer's grants, the newest first. */
export async function grantsPage(
  db: Db,
  tenantId: string,
  { customerId, featureKeys }: { readonly customerId: string; readonly featureKeys: readonly string[] | null },
  request: PageRequest<GrantPosition>,
): Promise<Page<Grant>> {
  const rows = await db
    .select()
    .from(grants)
    .where(
      and(
        eq(grants.tenantId, tenantId),
        eq(grants.customerId, customerId),
        featureKeys === null ? undefined : inArray(grants.featureKey, [...featureKeys]),
        request.after === null ? undefined : isBefore(request.after),
      ),
    )
    .orderBy(desc(grants.createdAt), desc(grants.id))
    .limit(rowsFor(request));
  return pageOf(rows.map(grantFromRow), request);
}

/** In no particular order; those that are not the tenant's, or not there, are missing. */
export async function grantsByKey(db: Db, tenantId: string, keys: readonly GrantKey[]): Promise<readonly OwnedGrant[]> {
  const wanted = keys.map(({ customerId, id }) => and(eq(grants.customerId, customerId), eq(grants.id, id)));
  const rows = await db
    .select()
    .from(grants)
    .where(and(eq(grants.tenantId, tenantId), or(...wanted)));
  return rows.map((row) => ({ customerId: row.customerId, grant: grantFromRow(row) }));
}

const isBefore = ({ createdAtMs, id }: GrantPosition): SQL =>
  sql`(${grants.createdAt}, ${grants.id}) < (${new Date(createdAtMs).toISOString()}::timestamptz, ${id}::uuid)`;

type RenewalJson = {
  readonly reset: Reset;
  readonly onRenewal: OnRenewalJson;
  readonly amount: string;
  readonly untilMs: number | null;
};

const grantFromRow = (row: typeof grants.$inferSelect): Grant => ({
  id: row.id,
  featureKey: row.featureKey,
  source: row.source as GrantSource, // the batch writes no other, nor another state
  amount: unitsOf(row.amount),
  remaining: unitsOf(row.remaining),
  priority: row.priority,
  effectiveFromMs: row.effectiveFrom.getTime(),
  expiresAtMs: row.expiresAt?.getTime() ?? null,
  createdAtMs: row.createdAt.getTime(),
  state: row.state as GrantState,
  renewal: renewalFromJson(row.renewal as RenewalJson | null), // as the batch wrote it
  renewsAtMs: row.renewsAt?.getTime() ?? null,
  originId: row.originId,
  rolledOver: row.rolledOver,
});

const renewalFromJson = (json: RenewalJson | null): Renewal | null =>
  json && { ...json, amount: unitsOf(json.amount), onRenewal: onRenewalFromJson(json.onRenewal) };
