/** bootstrap — the first tenant and the first key, so that an empty database can be called. */
import { randomBytes } from 'node:crypto';
import { uuidv7 } from 'uuidv7';
import type { Db } from '../db/client.ts';
import { insertApiKey } from '../db/queries/api-keys.ts';
import {
  type FirstTenant,
  findFirstTenant,
  hasApiKeys,
  insertTenant,
  keepSecret,
  lockFirstRows,
} from '../db/queries/first-rows.ts';
import { type ApiKeyMode, formatApiKey, newApiKey, parseApiKey, secretHashOf } from '../domain/api-key.ts';
import { invalidInput } from '../domain/errors.ts';
import type { Deps } from './deps.ts';

export type BootstrapOptions = {
  /** `METERGRAPH_BOOTSTRAP_KEY`: becomes an admin key of the first tenant where there is no key yet. */
  readonly bootstrapKey: string | null;
  /** Whether an empty database gets the demo's tenant, which is a test tenant. */
  readonly demo: boolean;
};

export type Bootstrapped = {
  readonly tenant: FirstTenant;
  /** An admin key that was made now, to be printed once; null when there was one, or the demo needs none. */
  readonly firstKey: string | null;
};

/**
 * Safe to run at every start, and by several processes at once: one makes what is missing, the others find it.
 *
 * @throws {MeterError} `INVALID_INPUT` for a bootstrap key of the other mode than the tenant's.
 */
export function bootstrap(
  { database, clock }: Pick<Deps, 'database' | 'clock'>,
  { bootstrapKey, demo }: BootstrapOptions,
): Promise<Bootstrapped> {
  return database.db.transaction(async (tx) => {
    await lockFirstRows(tx);
    const known = await findFirstTenant(tx);
    const tenant = known ?? newTenant(demo, bootstrapKey);
    if (!known) await insertTenant(tx, tenant, clock.now());
    if (await hasApiKeys(tx)) return { tenant, firstKey: null };
    if (bootstrapKey === null && tenant.demo && demo) return { tenant, firstKey: null };
    const key = bootstrapKey ?? formatApiKey(newApiKey(tenant.mode, randomBytes));
    await insertAdminKey(tx, tenant, key, clock.now());
    return { tenant, firstKey: bootstrapKey === null ? key : null };
  });
}

function newTenant(demo: boolean, bootstrapKey: string | null): FirstTenant {
  const modeOfKey: ApiKeyMode = parseApiKey(bootstrapKey ?? '')?.mode ?? 'live';
  return {
    id: uuidv7(),
    name: demo ? 'Demo' : 'Default',
    mode: demo ? 'test' : modeOfKey,
    timeZone: 'UTC',
    demo,
  };
}

async function insertAdminKey(tx: Db, tenant: FirstTenant, key: string, createdAtMs: number): Promise<void> {
  const parts = parseApiKey(key);
  if (parts?.mode !== tenant.mode) {
    const sentence = `METERGRAPH_BOOTSTRAP_KEY must begin with mg_${tenant.mode}_: tenant "${tenant.name}" is a ${tenant.mode} tenant.`;
    throw invalidInput(['METERGRAPH_BOOTSTRAP_KEY'], sentence);
  }
  const kept = { id: parts.id, tenantId: tenant.id, name: 'First key', scopes: ['admin'] as const };
  await insertApiKey(tx, { ...kept, createdAtMs, expiresAtMs: null, revokedAtMs: null }, secretHashOf(parts.secret));
}

/**
 * The secret that signs customer tokens: as it was set, or made once and kept, the same for every gateway.
 *
 * @param setting `METERGRAPH_TOKEN_SECRET`, at least 32 characters.
 */
export async function tokenSecretOf({ database }: Pick<Deps, 'database'>, setting: string | null): Promise<Uint8Array> {
  const secret = setting ?? (await keepSecret(database.db, 'token', randomBytes(32).toString('base64url')));
  return new TextEncoder().encode(secret);
}
