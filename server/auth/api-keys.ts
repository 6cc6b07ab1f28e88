/** api-keys — verifies API keys, and remembers each answer for a few seconds. */
import { timingSafeEqual } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { isUnreachable, type Query } from '../db/client.ts';
import { type StoredKey, storedKey } from '../db/queries/api-keys.ts';
import { type ApiKeyParts, parseApiKey, secretHashOf } from '../domain/api-key.ts';
import type { Clock } from '../domain/clock.ts';
import { MeterError } from '../domain/errors.ts';
import type { ApiKeyViewer } from '../domain/viewer.ts';

/**
 * A revocation is promised to take effect within 10 s, on every gateway. What is read of a key therefore counts by its
 * age, from before the database was asked:
 *
 * - up to 4 s it counts as it is;
 * - up to 5 s it counts, too, and is read again meanwhile: nobody waits for a key that is in steady use. What is open
 *   looks at its credential every 5 s, so that it, too, hears of a revocation within 10 s;
 * - from then on the database is waited for; only when it is away what is known counts, and never at 10 s or above.
 */
const REFRESHED_AT_MS = 4_000;
const AWAITED_AT_MS = 5_000;
const FORGOTTEN_AT_MS = 10_000;
const REMEMBERED_MAX = 10_000;

type Remembered = {
  readonly key: StoredKey;
  readonly askedAtMs: number;
  /** The secret that was found to be the right one, and whom it stands for: it needn't be hashed again. */
  proven: { readonly secret: Buffer; readonly viewer: ApiKeyViewer } | null;
};

type Reading = { readonly askedAtMs: number; readonly answer: Promise<Remembered | null> };

export class ApiKeys {
  readonly #query: Query;
  readonly #clock: Clock;
  /** By id. Unknown ids are not remembered: a key works as soon as it is made. */
  readonly #remembered = new LRUCache<string, Remembered>({ max: REMEMBERED_MAX });
  /** By id: calls that arrive together share one look-up. */
  readonly #reading = new Map<string, Reading>();

  constructor(query: Query, clock: Clock) {
    this.#query = query;
    this.#clock = clock;
  }

  /** @throws {MeterError} `UNAUTHENTICATED`; the sentence doesn't tell an unknown key from a wrong secret. */
  async verify(presented: string): Promise<ApiKeyViewer> {
    const parts = parseApiKey(presented);
    const known = parts && (await this.#find(parts.id));
    const viewer = known && viewerOf(known, parts);
    if (!viewer) throw refused('The API key is not known here; check that it is complete and belongs to this gateway.');
    if (known.key.revokedAtMs !== null) throw refused(`API key ${viewer.keyId} was revoked; use another one.`);
    if (viewer.expiresAtMs !== null && viewer.expiresAtMs <= this.#clock.now())
      throw refused(`API key ${viewer.keyId} has expired; use another one.`);
    return viewer;
  }

  async #find(id: string): Promise<Remembered | null> {
    const known = this.#remembered.get(id) ?? null;
    if (known && this.#isYounger(known, REFRESHED_AT_MS)) return known;
    const reading = this.#read(id);
    if (known && this.#isYounger(known, AWAITED_AT_MS)) {
      reading.catch(() => {}); // whoever comes after this time asks again, waits, and is told
      return known;
    }
    try {
      return await reading;
    } catch (error) {
      if (known && isUnreachable(error) && this.#isYounger(known, FORGOTTEN_AT_MS)) return known;
      throw error;
    }
  }

  /** A clock may be set back: what seems to be of the future is of no known age. */
  #isYounger({ askedAtMs }: Remembered | Reading, ageMs: number): boolean {
    const nowMs = this.#clock.now();
    return askedAtMs <= nowMs && nowMs - askedAtMs < ageMs;
  }

  #read(id: string): Promise<Remembered | null> {
    const earlier = this.#reading.get(id);
    // One that hangs is not waited for by all who come later: what it says in the end is too old for them.
    if (earlier && this.#isYounger(earlier, AWAITED_AT_MS)) return earlier.answer;
    const askedAtMs = this.#clock.now();
    const reading: Reading = { askedAtMs, answer: this.#ask(id, askedAtMs).finally(() => this.#finish(id, reading)) };
    this.#reading.set(id, reading);
    return reading.answer;
  }

  async #ask(id: string, askedAtMs: number): Promise<Remembered | null> {
    const key = await storedKey(this.#query, id);
    const remembered = key && { key, askedAtMs, proven: null };
    if (this.#reading.get(id)?.askedAtMs !== askedAtMs) return remembered; // overtaken by a later one
    if (remembered) this.#remembered.set(id, remembered);
    else this.#remembered.delete(id);
    return remembered;
  }

  #finish(id: string, reading: Reading): void {
    if (this.#reading.get(id) === reading) this.#reading.delete(id);
  }
}

/** Whom a key stands for; null for a wrong secret, or the wrong mode. */
function viewerOf(known: Remembered, { mode, secret }: ApiKeyParts): ApiKeyViewer | null {
  const { key, proven } = known;
  if (mode !== key.mode) return null;
  const presented = Buffer.from(secret);
  if (proven && isSame(presented, proven.secret)) return proven.viewer;
  if (!isSame(Buffer.from(secretHashOf(secret)), Buffer.from(key.secretHash))) return null;
  const { id: keyId, tenantId, name, scopes, expiresAtMs } = key;
  const viewer = { kind: 'api-key', tenantId, keyId, name, scopes: new Set(scopes), expiresAtMs } as const;
  known.proven = { secret: presented, viewer };
  return viewer;
}

/** In constant time, so that nothing is learnt by trying. */
const isSame = (a: Buffer, b: Buffer): boolean => a.length === b.length && timingSafeEqual(a, b);

const refused = (sentence: string): MeterError => new MeterError('UNAUTHENTICATED', sentence);
