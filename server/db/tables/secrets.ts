import { pgTable, text } from 'drizzle-orm/pg-core';
import { instant } from './columns.ts';

/** What the gateway made for itself because no setting gave it, e.g. the secret that signs customer tokens. */
export const secrets = pgTable('secrets', {
  name: text('name').primaryKey(),
  value: text('value').notNull(),
  createdAt: instant('created_at').notNull().defaultNow(),
});
