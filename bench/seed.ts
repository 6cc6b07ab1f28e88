/** seed — fills a fresh database with what a run needs: tables, a tenant with its key, the catalog, customers. */
import { bootstrap } from '../server/actions/bootstrap.ts';
import { syncConfig } from '../server/actions/sync-config.ts';
import type { Database } from '../server/db/client.ts';
import { migrate } from '../server/db/migrate.ts';
import { customers } from '../server/db/tables/index.ts';
import { systemClock as clock } from '../server/domain/clock.ts';
import { customerIdOf } from '../server/domain/customer.ts';
import { parseConfig } from '../server/parse-config.ts';
import { API_KEY, CATALOG, referenceOf } from './catalog.ts';

const ROWS_AT_ONCE = 1_000;

/** @param count Customers to make: `referenceOf(0)` to `referenceOf(count - 1)`. */
export async function seed(database: Database, count: number): Promise<void> {
  await migrate(database);
  const { tenant } = await bootstrap({ database, clock }, { bootstrapKey: API_KEY, demo: false });
  await syncConfig({ database, clock, announce: () => {} }, tenant.id, parseConfig(CATALOG, 'the bench').definition);
  const createdAt = new Date(clock.now());
  for (let from = 0; from < count; from += ROWS_AT_ONCE) {
    const references = Array.from({ length: Math.min(ROWS_AT_ONCE, count - from) }, (_, i) => referenceOf(from + i));
    await database.db.insert(customers).values(
      references.map((referenceId) => ({
        id: customerIdOf(tenant.id, referenceId),
        tenantId: tenant.id,
        referenceId,
        referenceType: 'user',
        planKey: 'pro',
        planVersion: 1,
        timeZone: tenant.timeZone,
        anchorAt: createdAt,
        createdAt,
      })),
    );
  }
  // As the server would by itself a minute later; the other tables are as empty as in any new database.
  await database.query({ text: 'ANALYZE customers', params: [] });
}
