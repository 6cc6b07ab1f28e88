import { pgTable, text } from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';

/** When work began last that is done once a day, by one of the gateways. Of all tenants together, and nobody's to read. */
export const dailyRuns = pgTable('daily_runs', {
  name: text('name').primaryKey(),
  beganAt: instant('began_at').notNull(),
});
