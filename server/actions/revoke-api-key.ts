/** revoke-api-key — ends a key. */
import { revoke } from '../db/queries/api-keys.ts';
import { type ApiKey, isApiKeyId } from '../domain/api-key.ts';
import { MeterError } from '../domain/errors.ts';
import type { Deps } from './deps.ts';

/**
 * Every gateway refuses the key within 10 s. Revoking it again changes nothing.
 *
 * @throws {MeterError} `API_KEY_NOT_FOUND`
 */
export async function revokeApiKey({ database, clock }: Deps, tenantId: string, keyId: string): Promise<ApiKey> {
  const apiKey = isApiKeyId(keyId) ? await revoke(database.db, tenantId, keyId, new Date(clock.now())) : null;
  if (apiKey) return apiKey;
  const sentence = `There is no API key "${keyId}"; pass the 8 characters between "mg_live_" and the secret.`;
  throw new MeterError('API_KEY_NOT_FOUND', sentence, { path: ['input', 'keyId'] });
}
