/** api-keys — rows of API keys in, domain values out. */
import { and, eq, inArray, sql } from 'drizzle-orm';
import type { ApiKey } from '../../domain/api-key.ts';
import { API_KEY_SCOPES } from '../../domain/viewer.ts';
import type { Db } from '../client.ts';
import { apiKeys } from '../tables/index.ts';

export async function apiKeysById(db: Db, tenantId: string, ids: readonly string[]): Promise<readonly ApiKey[]> {
  const rows = await db
    .select()
    .from(apiKeys)
    .where(and(eq(apiKeys.tenantId, tenantId), inArray(apiKeys.id, [...ids])));
  return rows.map(apiKeyFromRow);
}

/** @returns false when the id is taken. */
export async function insertApiKey(db: Db, key: ApiKey, secretHash: string): Promise<boolean> {
  const { id, tenantId, name, scopes, createdAtMs, expiresAtMs } = key;
  const expiresAt = expiresAtMs === null ? null : new Date(expiresAtMs);
  const row = { id, tenantId, name, secretHash, scopes: [...scopes], createdAt: new Date(createdAtMs), expiresAt };
  const inserted = await db.insert(apiKeys).values(row).onConflictDoNothing().returning({ id: apiKeys.id });
  return inserted.length > 0;
}

/** Ends a key; the first time stands. Null when the tenant has no such key. */
export async function revoke(db: Db, tenantId: string, id: string, at: Date): Promise<ApiKey | null> {
  const [row] = await db
    .update(apiKeys)
    .set({ revokedAt: sql`coalesce(${apiKeys.revokedAt}, ${at.toISOString()}::timestamptz)` })
    .where(and(eq(apiKeys.tenantId, tenantId), eq(apiKeys.id, id)))
    .returning();
  return row ? apiKeyFromRow(row) : null;
}

const apiKeyFromRow = (row: typeof apiKeys.$inferSelect): ApiKey => ({
  id: row.id,
  tenantId: row.tenantId,
  name: row.name,
  scopes: API_KEY_SCOPES.filter((scope) => row.scopes.includes(scope)),
  createdAtMs: row.createdAt.getTime(),
  expiresAtMs: row.expiresAt?.getTime() ?? null,
  revokedAtMs: row.revokedAt?.getTime() ?? null,
});
