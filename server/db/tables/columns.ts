/** columns — the kinds of column that several tables share. */
import { customType, numeric, timestamp, uuid } from 'drizzle-orm/pg-core';

/** Exact decimal of up to 38 digits, 9 of them fractional; a string in rows, `Units` in the domain. */
export const units = (name: string) => numeric(name, { precision: 38, scale: 9 });

/** An instant, to the millisecond: no finer than the domain's clock. */
export const instant = (name: string) => timestamp(name, { withTimezone: true, precision: 3, mode: 'date' });

/** Keys and references compare by bytes: faster than a language's order, and the same on every server. */
export const key = customType<{ data: string; driverData: string }>({ dataType: () => 'text COLLATE "C"' });

/** The owner of the row. Row level security compares it with the setting `app.tenant`. */
export const tenantId = () => uuid('tenant_id').notNull();
