/** find-alerts — reads alerts, under row level security. */
import { type AlertFilter, type AlertKey, alertsByKey, alertsPage } from '../db/queries/alerts.ts';
import type { Alert } from '../domain/alert.ts';
import type { Page, PageRequest } from '../domain/page.ts';
import type { Deps } from './deps.ts';

type Reader = Pick<Deps, 'database'>;

/** In no particular order; those that are not the tenant's, or not there, are missing. */
export const findAlerts = (
  { database }: Reader,
  tenantId: string,
  keys: readonly AlertKey[],
): Promise<readonly Alert[]> => database.readAs(tenantId, (db) => alertsByKey(db, tenantId, keys));

/** Newest first. A position is an alert's sequence. */
export const listAlerts = (
  { database }: Reader,
  tenantId: string,
  filter: AlertFilter,
  request: PageRequest<bigint>,
): Promise<Page<Alert>> => database.readAs(tenantId, (db) => alertsPage(db, tenantId, filter, request));
