import { sql } from 'drizzle-orm';
import { bigint, check, index, json, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId, units } from './columns.ts';

/** Units held for work whose size is known only afterwards, with what pays for them. */
export const reservations = pgTable(
  'reservations',
  {
    customerId: uuid('customer_id').notNull(),
    id: uuid('id').notNull(),
    tenantId: tenantId(),
    featureKey: key('feature_key').notNull(),
    entityId: key('entity_id').notNull().default(''),
    periodStart: instant('period_start').notNull(),
    /** The plan that the call named for itself, or null. */
    overrideKey: key('override_key'),
    amount: units('amount').notNull(),
    /** `{ included, credits, wallet, overage, cost, walletCharge, currency }`; decimals are strings. */
    split: jsonb('split').notNull(),
    /** `[[grant id, units]]` in the order of drawing. */
    draws: jsonb('draws').notNull(),
    properties: jsonb('properties'),
    state: text('state').notNull(),
    /** What was committed, and how that was answered: committing twice hears the first answer again. */
    committed: units('committed'),
    answer: json('answer'),
    sequence: bigint('sequence', { mode: 'bigint' }).notNull(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at').notNull(),
    closedAt: instant('closed_at'),
  },
  (t) => [
    primaryKey({ name: 'reservations_pkey', columns: [t.customerId, t.id] }),
    index('reservations_open').on(t.customerId, t.expiresAt).where(sql`${t.state} = 'open'`),
    check('reservations_state_is_known', sql`${t.state} in ('open', 'committed', 'released', 'expired')`),
  ],
);
