/** find-subscriptions — reads how customers' subscriptions stood when the biller was last asked, under row level security. */
import { type OwnedSubscription, subscriptionsOf } from '../db/queries/billing-accounts.ts';
import type { Deps } from './deps.ts';

/** Customers without one are missing. */
export const findSubscriptions = (
  { database }: Pick<Deps, 'database'>,
  tenantId: string,
  customerIds: readonly string[],
): Promise<readonly OwnedSubscription[]> =>
  database.readAs(tenantId, (db) => subscriptionsOf(db, tenantId, customerIds));
