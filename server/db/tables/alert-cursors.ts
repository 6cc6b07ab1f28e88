import { sql } from 'drizzle-orm';
import { bigint, pgTable, uuid } from 'drizzle-orm/pg-core';

/** Up to which of a tenant's alerts there are outgoing events. A tenant that never had an endpoint has no row. */
export const alertCursors = pgTable('alert_cursors', {
  tenantId: uuid('tenant_id').primaryKey(),
  sequence: bigint('sequence', { mode: 'bigint' }).notNull().default(sql`0`),
});
