/** create-api-key — a new key for the tenant. */
import { randomBytes } from 'node:crypto';
import { insertApiKey } from '../db/queries/api-keys.ts';
import { tenantById } from '../db/queries/tenants.ts';
import { type ApiKey, formatApiKey, newApiKey, secretHashOf } from '../domain/api-key.ts';
import { invalidInput } from '../domain/errors.ts';
import type { ApiKeyScope } from '../domain/viewer.ts';
import type { Deps } from './deps.ts';

export type ApiKeyRequest = {
  readonly name: string | null;
  readonly scopes: readonly ApiKeyScope[];
  /** Null for one that stays valid until it is revoked. */
  readonly expiresAtMs: number | null;
};

export type CreatedApiKey = {
  /** The whole key. Only its hash is stored, so it is never seen again. */
  readonly text: string;
  readonly apiKey: ApiKey;
};

/** @throws {MeterError} `INVALID_INPUT` without scopes, or with an expiry in the past. */
export async function createApiKey(
  { database, clock }: Pick<Deps, 'database' | 'clock'>,
  tenantId: string,
  { name, scopes, expiresAtMs }: ApiKeyRequest,
): Promise<CreatedApiKey> {
  const createdAtMs = clock.now();
  if (scopes.length === 0) throw invalidInput(['input', 'scopes'], '`scopes` is empty; a key needs at least one.');
  if (expiresAtMs !== null && expiresAtMs <= createdAtMs) {
    throw invalidInput(['input', 'expiresAt'], '`expiresAt` is in the past; choose a later instant, or leave it out.');
  }
  const { mode } = await tenantById(database.db, tenantId);
  while (true) {
    const parts = newApiKey(mode, randomBytes);
    const kept = { id: parts.id, tenantId, name, scopes: [...new Set(scopes)], createdAtMs, expiresAtMs };
    const apiKey: ApiKey = { ...kept, revokedAtMs: null };
    const isNew = await insertApiKey(database.db, apiKey, secretHashOf(parts.secret));
    if (isNew) return { text: formatApiKey(parts), apiKey }; // ids are random; one in 2 × 10¹⁴ meets another
  }
}
