import { pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId } from './columns.ts';

/** The distinct values that a feature with the aggregation `unique` has seen, each once a period. */
export const uniqueValues = pgTable(
  'unique_values',
  {
    customerId: uuid('customer_id').notNull(),
    featureKey: key('feature_key').notNull(),
    /** Hash of the value's canonical JSON: of any length, and nobody's data. */
    value: text('value').notNull(),
    periodStart: instant('period_start').notNull(),
    tenantId: tenantId(),
  },
  (t) => [primaryKey({ name: 'unique_values_pkey', columns: [t.customerId, t.featureKey, t.value, t.periodStart] })],
);
