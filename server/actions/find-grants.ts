/** find-grants — reads grants, under row level security. */
import { type GrantKey, type GrantPosition, grantsByKey, grantsPage, type OwnedGrant } from '../db/queries/grants.ts';
import type { Grant } from '../domain/grant.ts';
import type { Page, PageRequest } from '../domain/page.ts';
import type { Deps } from './deps.ts';

export type { OwnedGrant } from '../db/queries/grants.ts';

type Reader = Pick<Deps, 'database'>;

/** In no particular order; those that are not the tenant's, or not there, are missing. */
export const findGrants = (
  { database }: Reader,
  tenantId: string,
  keys: readonly GrantKey[],
): Promise<readonly OwnedGrant[]> => database.readAs(tenantId, (db) => grantsByKey(db, tenantId, keys));

/** The newest first. */
export const listGrants = (
  { database }: Reader,
  tenantId: string,
  filter: { readonly customerId: string; readonly featureKeys: readonly string[] | null },
  request: PageRequest<GrantPosition>,
): Promise<Page<Grant>> => database.readAs(tenantId, (db) => grantsPage(db, tenantId, filter, request));
