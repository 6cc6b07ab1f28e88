/** acknowledge-alert — marks an alert as seen by somebody. */
import { type AlertKey, acknowledge } from '../db/queries/alerts.ts';
import type { Alert } from '../domain/alert.ts';
import type { Deps } from './deps.ts';

/** The first time stands; doing it again changes nothing. Null when the tenant has no such alert. */
export function acknowledgeAlert({ database, clock }: Deps, tenantId: string, key: AlertKey): Promise<Alert | null> {
  return database.db.transaction((tx) => acknowledge(tx, tenantId, key, new Date(clock.now())));
}
