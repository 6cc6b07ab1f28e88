/** first-rows — what a database needs before anybody can call: a tenant, a key, a secret. */
import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import type { Tenant } from '../../domain/tenant.ts';
import type { Db } from '../client.ts';
import { apiKeys, secrets, tenants } from '../tables/index.ts';

/** The tenant that the config file and the bootstrap key speak of. `demo`: it was made by the demo. */
export type FirstTenant = Tenant & { readonly demo: boolean };

/** Any constant will do, as long as nobody else takes it: processes that start wait for each other on it. */
const LOCK_KEY = 4_637_821_906;

/** Until the transaction ends, no other process makes first rows. */
export async function lockFirstRows(tx: Db): Promise<void> {
  await tx.execute(sql`SELECT pg_advisory_xact_lock(${sql.raw(String(LOCK_KEY))})`);
}

/** The oldest one; null in an empty database. */
export async function findFirstTenant(db: Db): Promise<FirstTenant | null> {
  const { id, name, mode, timeZone, demo } = tenants;
  const columns = { id, name, mode, timeZone, demo };
  const [tenant] = await db.select(columns).from(tenants).orderBy(asc(tenants.createdAt), asc(tenants.id)).limit(1);
  return tenant ?? null;
}

export async function insertTenant(tx: Db, tenant: FirstTenant, createdAtMs: number): Promise<void> {
  await tx.insert(tenants).values({ ...tenant, createdAt: new Date(createdAtMs) });
}

export async function hasApiKeys(db: Db): Promise<boolean> {
  return (await db.select({ id: apiKeys.id }).from(apiKeys).limit(1)).length > 0;
}

/** Removes the keys by this name from every tenant that was made by the demo. */
export async function deleteDemoKeys(db: Db, name: string): Promise<void> {
  const demoTenants = db.select({ id: tenants.id }).from(tenants).where(eq(tenants.demo, true));
  await db.delete(apiKeys).where(and(eq(apiKeys.name, name), inArray(apiKeys.tenantId, demoTenants)));
}

/** Keeps a secret unless there is one by this name. @returns the one that is kept, whoever was first. */
export async function keepSecret(db: Db, name: string, value: string): Promise<string> {
  await db.insert(secrets).values({ name, value }).onConflictDoNothing();
  const [kept] = await db.select({ value: secrets.value }).from(secrets).where(eq(secrets.name, name));
  if (!kept) throw new Error(`the secret "${name}" was not kept`);
  return kept.value;
}
