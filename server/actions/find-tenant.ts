/** find-tenant — reads the tenant and its API keys, under row level security. */
import { apiKeysById } from '../db/queries/api-keys.ts';
import { tenantById } from '../db/queries/tenants.ts';
import type { ApiKey } from '../domain/api-key.ts';
import type { Tenant } from '../domain/tenant.ts';
import type { Deps } from './deps.ts';

type Reader = Pick<Deps, 'database'>;

export const findTenant = ({ database }: Reader, tenantId: string): Promise<Tenant> =>
  database.readAs(tenantId, (db) => tenantById(db, tenantId));

/** In no particular order; those that are not the tenant's, or not there, are missing. */
export const findApiKeys = (
  { database }: Reader,
  tenantId: string,
  ids: readonly string[],
): Promise<readonly ApiKey[]> => database.readAs(tenantId, (db) => apiKeysById(db, tenantId, ids));
