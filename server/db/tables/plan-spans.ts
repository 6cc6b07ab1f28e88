import { integer, pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId } from './columns.ts';

/** Which plan a customer has had since when: until the next row, and the last one until now. Base prices are shared out by it. */
export const planSpans = pgTable(
  'plan_spans',
  {
    customerId: uuid('customer_id').notNull(),
    since: instant('since').notNull(),
    tenantId: tenantId(),
    /** Null for none. */
    planKey: key('plan_key'),
    /** The version that the customer was put on; null for the newest. */
    planVersion: integer('plan_version'),
  },
  (t) => [primaryKey({ name: 'plan_spans_pkey', columns: [t.customerId, t.since] })],
);
