/** api-keys — rows of API keys in, domain values out. */
import { and, eq, inArray, sql } from 'drizzle-orm';
import type { ApiKey, ApiKeyMode } from '../../domain/api-key.ts';
import { API_KEY_SCOPES, type ApiKeyScope } from '../../domain/viewer.ts';
import type { Db, Query } from '../client.ts';
import { apiKeys } from '../tables/index.ts';

/** What a presented key is held against. */
export type StoredKey = {
  readonly id: string;
  readonly tenantId: string;
  readonly name: string | null;
  /** Of its tenant. */
  readonly mode: ApiKeyMode;
  readonly secretHash: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
};

type StoredKeyRow = {
  readonly tenant_id: string;
  readonly name: string | null;
  readonly mode: ApiKeyMode;
  readonly secret_hash: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
};

const STORED_KEY = `
  SELECT k.tenant_id, k.name, t.mode, k.secret_hash, to_json(k.scopes) AS scopes, k.expires_at, k.revoked_at
  FROM api_keys k JOIN tenants t ON t.id = k.tenant_id WHERE k.id = $1`;

/** The key of this id, whoever's it is; null when there is none. */
export async function storedKey(query: Query, id: string): Promise<StoredKey | null> {
  const [row] = await query<StoredKeyRow>({ text: STORED_KEY, params: [id] });
  if (!row) return null;
  return {
    id,
    tenantId: row.tenant_id,
    name: row.name,
    mode: row.mode,
    secretHash: row.secret_hash,
    scopes: row.scopes,
    expiresAtMs: row.expires_at?.getTime() ?? null,
    revokedAtMs: row.revoked_at?.getTime() ?? null,
  };
}

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
