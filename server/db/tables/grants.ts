import { sql } from 'drizzle-orm';
import { bigint, boolean, check, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId, units } from './columns.ts';

/** Prepaid units of a feature. The index of live ones is in the order in which they burn. */
export const grants = pgTable(
  'grants',
  {
    customerId: uuid('customer_id').notNull(),
    id: uuid('id').notNull(),
    tenantId: tenantId(),
    featureKey: key('feature_key').notNull(),
    source: text('source').notNull(),
    amount: units('amount').notNull(),
    remaining: units('remaining').notNull(),
    priority: integer('priority').notNull(),
    effectiveFrom: instant('effective_from').notNull(),
    expiresAt: instant('expires_at'),
    createdAt: instant('created_at').notNull(),
    state: text('state').notNull(),
    /** `{ reset, onRenewal, amount }` of one that comes again, or null. */
    renewal: jsonb('renewal'),
    renewsAt: instant('renews_at'),
    originId: uuid('origin_id'),
    rolledOver: boolean('rolled_over').notNull().default(false),
    /** When it needs settling next: it becomes effective, renews or expires. */
    dueAt: instant('due_at'),
    /** The customer's sequence that granted it. */
    sequence: bigint('sequence', { mode: 'bigint' }).notNull(),
  },
  (t) => [
    primaryKey({ name: 'grants_pkey', columns: [t.customerId, t.id] }),
    index('grants_burn_order')
      .on(t.customerId, t.featureKey, t.priority, t.expiresAt, t.createdAt, t.id)
      .where(sql`${t.state} = 'live'`),
    index('grants_renewing')
      .on(t.customerId, t.featureKey)
      .where(sql`${t.state} IN ('live', 'spent') AND (${t.source} = 'plan' OR ${t.rolledOver})`),
    index('grants_origin').on(t.customerId, t.originId).where(sql`${t.originId} IS NOT NULL`),
    index('grants_due').on(t.customerId, t.dueAt).where(sql`${t.dueAt} IS NOT NULL`),
    check('grants_remaining_is_not_negative', sql`${t.remaining} >= 0`),
  ],
);

/** The live credits of a customer and feature together: a total that no decision needs to add up. */
export const creditBalances = pgTable(
  'credit_balances',
  {
    customerId: uuid('customer_id').notNull(),
    featureKey: key('feature_key').notNull(),
    tenantId: tenantId(),
    live: units('live').notNull(),
    /** The plan's running allocation, and the rule it was made by, as text. */
    allocationId: uuid('allocation_id'),
    rule: text('rule'),
    /** The customer's sequence of the last change. */
    sequence: bigint('sequence', { mode: 'bigint' }).notNull(),
  },
  (t) => [
    primaryKey({ name: 'credit_balances_pkey', columns: [t.customerId, t.featureKey] }),
    check('credit_balances_are_not_negative', sql`${t.live} >= 0`),
  ],
);
