/** own-tenant — a tenant of its own in a database that tests share, and what actions are handed to work on it. */
import { randomUUID } from 'node:crypto';
import type { Change, Deps } from '../../server/actions/deps.ts';
import { Catalogs } from '../../server/db/catalogs.ts';
import type { Database } from '../../server/db/client.ts';
import { tenants } from '../../server/db/tables/index.ts';
import { ManualClock } from '../support/clock.ts';
import { settleBy } from './settle-by.ts';

export async function openTenant(database: Database) {
  const tenantId = randomUUID();
  const clock = new ManualClock();
  await database.db.insert(tenants).values({ id: tenantId, name: 'Acme', mode: 'test' });
  /** What watchers were told, in order. */
  const announced: Change[] = [];
  const deps: Deps = {
    database,
    catalogs: new Catalogs(),
    clock,
    announce: (change) => announced.push(change),
    settle: settleBy(database, clock),
    tokenSecret: new Uint8Array(32),
  };
  return { tenantId, clock, announced, deps };
}
