import { bigint, index, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core';
import { instant, key, tenantId, units } from './columns.ts';

/** A stored fact: this customer reached this threshold of this feature in this period. The key makes it one. */
export const alerts = pgTable(
  'alerts',
  {
    customerId: uuid('customer_id').notNull(),
    featureKey: key('feature_key').notNull(),
    periodStart: instant('period_start').notNull(),
    /** The threshold's mark: `fraction:0.8@1000`, with the limit it was measured by, so that another arms it again. */
    thresholdKey: text('threshold_key').notNull(),
    tenantId: tenantId(),
    periodEnd: instant('period_end'),
    used: units('used').notNull(),
    limit: units('limit'),
    /** Position in the tenant's alerts: gapless, in commit order. */
    sequence: bigint('sequence', { mode: 'bigint' }).notNull(),
    /** The customer's sequence of the event that raised it. */
    eventSequence: bigint('event_sequence', { mode: 'bigint' }).notNull(),
    raisedAt: instant('raised_at').notNull(),
    acknowledgedAt: instant('acknowledged_at'),
    /** Set when it was raised while muted: stored, and not told. */
    mutedAt: instant('muted_at'),
  },
  (t) => [
    primaryKey({ name: 'alerts_pkey', columns: [t.customerId, t.featureKey, t.periodStart, t.thresholdKey] }),
    index('alerts_tenant_sequence').on(t.tenantId, t.sequence),
    index('alerts_customer_sequence').on(t.customerId, t.sequence),
  ],
);
