/**
 * api-key — how a server authenticates as a tenant: `mg_live_<id>_<secret>`, `mg_test_…` for test tenants.
 *
 * The id is looked up, the secret is compared; stored is only its hash.
 */
import { createHash } from 'node:crypto';
import type { ApiKeyScope } from './viewer.ts';

export const API_KEY_MODES = ['live', 'test'] as const;
export type ApiKeyMode = (typeof API_KEY_MODES)[number];

export type ApiKey = {
  readonly id: string;
  readonly tenantId: string;
  /** What it is for, as people wrote it down. */
  readonly name: string | null;
  readonly scopes: readonly ApiKeyScope[];
  readonly createdAtMs: number;
  readonly expiresAtMs: number | null;
  readonly revokedAtMs: number | null;
};

/** The parts of a key as it is shown once. */
export type ApiKeyParts = { readonly mode: ApiKeyMode; readonly id: string; readonly secret: string };

const ID_LENGTH = 8;
/** 32 base62 characters are 190 random bits. */
const SECRET_LENGTH = 32;
const API_KEY_ID = new RegExp(`^[0-9A-Za-z]{${ID_LENGTH}}$`);
const API_KEY = new RegExp(`^mg_(live|test)_([0-9A-Za-z]{${ID_LENGTH}})_([0-9A-Za-z]{${SECRET_LENGTH}})$`);

export const formatApiKey = ({ mode, id, secret }: ApiKeyParts): string => `mg_${mode}_${id}_${secret}`;

/** Whether a text may be the id of a key. */
export const isApiKeyId = (text: string): boolean => API_KEY_ID.test(text);

/** @returns null for a text that is no key, whoever made it. */
export function parseApiKey(text: string): ApiKeyParts | null {
  const [, mode, id, secret] = API_KEY.exec(text) ?? [];
  const known = API_KEY_MODES.find((candidate) => candidate === mode);
  return known && id && secret ? { mode: known, id, secret } : null;
}

/** @param randomBytes A cryptographic source: `node:crypto`'s. */
export const newApiKey = (mode: ApiKeyMode, randomBytes: (count: number) => Uint8Array): ApiKeyParts => ({
  mode,
  id: randomBase62(ID_LENGTH, randomBytes),
  secret: randomBase62(SECRET_LENGTH, randomBytes),
});

/** What is stored of a secret: SHA-256, in hex. It has enough random bits that a slow hash would add nothing. */
export const secretHashOf = (secret: string): string => createHash('sha256').update(secret).digest('hex');

const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** The largest multiple of 62 that a byte can be below: bytes from there on would favour the first characters. */
const UNBIASED_BELOW = 256 - (256 % BASE62.length);

function randomBase62(length: number, randomBytes: (count: number) => Uint8Array): string {
  let text = '';
  while (text.length < length) {
    for (const byte of randomBytes(length)) {
      if (byte < UNBIASED_BELOW && text.length < length) text += BASE62.charAt(byte % BASE62.length);
    }
  }
  return text;
}
