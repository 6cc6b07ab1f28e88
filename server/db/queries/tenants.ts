/** tenants — rows of tenants in, domain values out. */
import { eq, or, sql } from 'drizzle-orm';
import type { Tenant } from '../../domain/tenant.ts';
import type { Db } from '../client.ts';
import { tenants } from '../tables/index.ts';

/** @throws when there is no such tenant: whoever asks has authenticated as one. */
export async function tenantById(db: Db, id: string): Promise<Tenant> {
  const { name, mode, timeZone } = tenants;
  const [tenant] = await db.select({ id: tenants.id, name, mode, timeZone }).from(tenants).where(eq(tenants.id, id));
  if (!tenant) throw new Error(`tenant ${id} does not exist`);
  return tenant;
}

/** All that have this id or name; names are not unique. */
export function tenantsCalled(db: Db, idOrName: string): Promise<readonly Tenant[]> {
  const { id, name, mode, timeZone } = tenants;
  const isMeant = or(eq(sql`${id}::text`, idOrName), eq(name, idOrName));
  return db.select({ id, name, mode, timeZone }).from(tenants).where(isMeant);
}

export const tenantIds = async (db: Db): Promise<readonly string[]> =>
  (await db.select({ id: tenants.id }).from(tenants)).map(({ id }) => id);

/** The connected account at Stripe that a tenant's customers pay into; null is the platform's own. */
export async function stripeAccountOf(db: Db, tenantId: string): Promise<string | null> {
  const [row] = await db.select({ account: tenants.stripeAccount }).from(tenants).where(eq(tenants.id, tenantId));
  return row?.account ?? null;
}

export async function setStripeAccount(db: Db, tenantId: string, stripeAccount: string | null): Promise<void> {
  await db.update(tenants).set({ stripeAccount }).where(eq(tenants.id, tenantId));
}
