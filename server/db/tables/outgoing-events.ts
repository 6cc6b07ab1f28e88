import { index, json, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId } from './columns.ts';

/** Something that happened and that at least one endpoint wanted to be told of. Its key makes it one. */
export const outgoingEvents = pgTable(
  'outgoing_events',
  {
    /** Version 7. It is the id of the event, and of the message that carries it. */
    id: uuid('id').primaryKey(),
    tenantId: tenantId(),
    type: text('type').notNull(),
    customerId: uuid('customer_id'),
    referenceId: key('reference_id'),
    /** As it goes out, in this order of its fields. */
    data: json('data').notNull(),
    dedupeKey: key('dedupe_key').notNull(),
    /** When it happened. */
    createdAt: instant('created_at').notNull(),
    /** When it may be forgotten, and its key with it; null for never. */
    keptUntil: instant('kept_until'),
  },
  (t) => [
    unique('outgoing_events_tenant_key').on(t.tenantId, t.dedupeKey),
    index('outgoing_events_kept_until').on(t.keptUntil),
  ],
);
