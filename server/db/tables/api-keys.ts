import { index, pgTable, text } from 'drizzle-orm/pg-core';
import { instant, key, tenantId } from './columns.ts';

/** How a server authenticates as a tenant. The secret itself is never stored. */
export const apiKeys = pgTable(
  'api_keys',
  {
    /** The 8 base62 characters between the prefix and the secret. */
    id: key('id').primaryKey(),
    tenantId: tenantId(),
    name: text('name'),
    /** SHA-256 of the secret, in hex. The secret has 190 random bits, so a slow hash would add nothing. */
    secretHash: text('secret_hash').notNull(),
    scopes: text('scopes').array().notNull(),
    createdAt: instant('created_at').notNull(),
    expiresAt: instant('expires_at'),
    revokedAt: instant('revoked_at'),
  },
  (t) => [index('api_keys_tenant').on(t.tenantId)],
);
