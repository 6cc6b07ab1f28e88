/** tell-dead-letter — tells other systems of usage that the biller does not count, and that nobody sends again by itself. */
import type { Trouble } from '../billing/stripe/usage/overdue.ts';
import { customersById } from '../db/queries/customers.ts';
import { emit } from '../db/queries/outgoing-events.ts';
import { deadLetter } from '../domain/notices-of-money.ts';
import { formatUnits } from '../domain/units.ts';
import type { Deps } from './deps.ts';

/** Once for each identifier, however often it is told: one that is sent anew has another. What is only late is no dead letter. */
export async function tellDeadLetter({ database, clock }: Pick<Deps, 'database' | 'clock'>, trouble: Trouble) {
  if (trouble.kind !== 'dead') return;
  const { tenantId, customerId, identifier, featureKey, quantity, code, sentence } = trouble;
  const [customer] = await customersById(database.db, tenantId, [customerId]);
  const notice = deadLetter(
    tenantId,
    customer ? { customerId, referenceId: customer.referenceId } : null,
    {
      biller: 'stripe',
      kind: 'usage',
      reference: identifier,
      featureKey,
      amount: formatUnits(quantity),
      code,
      message: sentence,
    },
    clock.now(),
  );
  await emit(database.db, notice);
}
