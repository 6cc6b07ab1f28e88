/** row-lock — another session that holds what the engine wants to lock. */
import type { Database } from '../../server/db/client.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import type { Rig } from './rig.ts';

/** Holds a customer's row as another session would, until it is told to let go. On PGlite that holds everything. */
export async function holdCustomer(rig: Rig, referenceId: string): Promise<() => Promise<void>> {
  return hold(rig.database, `SELECT FROM customers WHERE id = '${customerIdOf(rig.tenantId, referenceId)}' FOR UPDATE`);
}

export async function hold(database: Database, lock: string): Promise<() => Promise<void>> {
  let letGo = () => {};
  const released = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let held: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    held = database.db.transaction(async (tx) => {
      await tx.execute(lock);
      resolve();
      await released;
    });
    held.catch(reject);
  });
  return async () => {
    letGo();
    await held;
  };
}
