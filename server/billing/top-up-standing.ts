/** top-up-standing — counts how charges of a customer went, each once: whoever is interrupted, or second, counts nothing twice. */

import type { Database } from '../db/client.ts';
import { lockBillingAccount, saveTopUpStanding } from '../db/queries/billing-accounts.ts';
import { noteCharge, type RequestedTopUp } from '../db/queries/top-up-requests.ts';
import { afterCharge, type Charged } from '../domain/billing-account.ts';

/** To be called before the request is settled: nobody asks for what became of it after that. */
export function countCharge(
  { db }: Pick<Database, 'db'>,
  of: RequestedTopUp,
  paymentId: string,
  charged: Charged,
): Promise<void> {
  return db.transaction(async (tx) => {
    if (!(await noteCharge(tx, of, paymentId))) return;
    const account = await lockBillingAccount(tx, of);
    if (account) await saveTopUpStanding(tx, of, afterCharge(account.topUps, charged));
  });
}
