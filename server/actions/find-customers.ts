/** find-customers — reads customers, under row level security. */
import { customersById, customersPage } from '../db/queries/customers.ts';
import type { Customer } from '../domain/customer.ts';
import type { Page, PageRequest } from '../domain/page.ts';
import type { Deps } from './deps.ts';

type Reader = Pick<Deps, 'database'>;

/** In no particular order; those that are not the tenant's, or not there, are missing. */
export const findCustomers = (
  { database }: Reader,
  tenantId: string,
  ids: readonly string[],
): Promise<readonly Customer[]> => database.readAs(tenantId, (db) => customersById(db, tenantId, ids));

/** By reference. A position is a reference. */
export const listCustomers = (
  { database }: Reader,
  tenantId: string,
  request: PageRequest<string>,
): Promise<Page<Customer>> => database.readAs(tenantId, (db) => customersPage(db, tenantId, request));
