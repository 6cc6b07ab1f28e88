import { index, json, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId } from './columns.ts';

/** What a call with an idempotency key was answered, denials too. Kept at least 35 days. */
export const answers = pgTable(
  'answers',
  {
    customerId: uuid('customer_id').notNull(),
    idempotencyKey: key('idempotency_key').notNull(),
    tenantId: tenantId(),
    /** Hash of the call's content: the same key with other content is a conflict. */
    fingerprint: text('fingerprint').notNull(),
    /** As `json`, not `jsonb`: it is written once and read back whole. */
    answer: json('answer').notNull(),
    answeredAt: instant('answered_at').notNull(),
  },
  (t) => [
    primaryKey({ name: 'answers_pkey', columns: [t.customerId, t.idempotencyKey] }),
    // In order of age, so that what has expired is found without reading what has not.
    index('answers_answered').on(t.answeredAt),
  ],
);
