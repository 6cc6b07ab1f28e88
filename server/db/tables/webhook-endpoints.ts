import { sql } from 'drizzle-orm';
import { boolean, check, index, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core';
import type { NoticeType } from '../../domain/notice.ts';
import { ENDPOINT_KINDS } from '../../domain/webhook-endpoint.ts';
import { instant, tenantId } from './columns.ts';

/** A signing secret as it is kept: whoever signs needs it whole. */
export type StoredSecret = { readonly secret: string; readonly endsAt: string | null };

/** Where a tenant wants to be told of what happens. Its secrets are not for the reader to see. */
export const webhookEndpoints = pgTable(
  'webhook_endpoints',
  {
    id: uuid('id').primaryKey(),
    tenantId: tenantId(),
    kind: text('kind', { enum: ENDPOINT_KINDS }).notNull(),
    /** `https://…`, or `mailto:…` */
    url: text('url').notNull(),
    eventTypes: text('event_types').array().$type<NoticeType[]>().notNull(),
    /** The newest first; empty for mail. */
    secrets: jsonb('secrets').$type<readonly StoredSecret[]>().notNull(),
    /** Follows the settings of the gateway, and is nobody's to change. */
    managed: boolean('managed').notNull().default(false),
    createdAt: instant('created_at').notNull(),
    disabledAt: instant('disabled_at'),
    disabledReason: text('disabled_reason'),
    /** Since when every try has failed. */
    failingSince: instant('failing_since'),
  },
  (t) => [
    index('webhook_endpoints_tenant').on(t.tenantId, t.createdAt, t.id),
    check('webhook_endpoints_kind_is_known', sql`${t.kind} in ('webhook', 'email')`),
    check('webhook_endpoints_disabled_say_why', sql`(${t.disabledAt} is null) = (${t.disabledReason} is null)`),
  ],
);
