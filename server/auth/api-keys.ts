/** api-keys — verifies API keys, and remembers each answer for a few seconds. */
import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Query } from '../db/client.ts';
import { parseApiKey, secretHashOf } from '../domain/api-key.ts';
import type { Clock } from '../domain/clock.ts';
import { MeterError } from '../domain/errors.ts';
import type { ApiKeyScope, ApiKeyViewer } from '../domain/viewer.ts';

/** A revocation takes effect after this at the latest, on every gateway. */
const REMEMBERED_MS = 5_000;
const REMEMBERED_MAX = 10_000;

type KeyRow = {
  readonly tenant_id: string;
  readonly mode: 'live' | 'test';
  readonly secret_hash: string;
  readonly scopes: readonly ApiKeyScope[];
  readonly expires_at: Date | null;
  readonly revoked_at: Date | null;
};

const FIND_KEY = `
  SELECT k.tenant_id, t.mode, k.secret_hash, to_json(k.scopes) AS scopes, k.expires_at, k.revoked_at
  FROM api_keys k JOIN tenants t ON t.id = k.tenant_id WHERE k.id = $1`;

export class ApiKeys {
  readonly #query: Query;
  readonly #clock: Clock;
  readonly #known: LRUCache<string, KeyRow>;

  constructor(query: Query, clock: Clock) {
    this.#query = query;
    this.#clock = clock;
    // Calls that arrive together share one look-up. Unknown ids are not remembered: a key works as soon as it is made.
    this.#known = new LRUCache({
      max: REMEMBERED_MAX,
      ttl: REMEMBERED_MS,
      perf: clock,
      fetchMethod: async (id) => (await this.#query<KeyRow>({ text: FIND_KEY, params: [id] }))[0],
    });
  }

  /** @throws {MeterError} `UNAUTHENTICATED`; the sentence doesn't tell an unknown key from a wrong secret. */
  async verify(presented: string): Promise<ApiKeyViewer> {
    const parsed = parseApiKey(presented);
    const row = parsed && (await this.#known.fetch(parsed.id));
    if (!parsed || !row || row.mode !== parsed.mode || !sameHash(secretHashOf(parsed.secret), row.secret_hash)) {
      throw refused('The API key is not known here; check that it is complete and belongs to this gateway.');
    }
    const nowMs = this.#clock.now();
    if (row.revoked_at) throw refused(`API key ${parsed.id} was revoked; use another one.`);
    if (row.expires_at && row.expires_at.getTime() <= nowMs)
      throw refused(`API key ${parsed.id} has expired; use another one.`);
    return {
      kind: 'api-key',
      tenantId: row.tenant_id,
      keyId: parsed.id,
      scopes: new Set(row.scopes),
      expiresAtMs: row.expires_at?.getTime() ?? null,
    };
  }
}

/** In constant time, so that nothing is learnt of a hash by trying. */
const sameHash = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

const refused = (sentence: string): MeterError => new MeterError('UNAUTHENTICATED', sentence);
