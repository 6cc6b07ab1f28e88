/** idempotency — one key for one use, made before the first try and kept over every other. */
import { MetergraphError } from './errors.ts';

/** The part of Web Crypto a key needs. Browsers leave `randomUUID` out on pages that are not served over HTTPS. */
export interface RandomSource {
  readonly randomUUID?: (() => string) | undefined;
  getRandomValues(bytes: Uint8Array<ArrayBuffer>): Uint8Array;
}

/** A new random key (UUID version 4, 122 random bits). */
export function newIdempotencyKey(source: RandomSource | undefined = globalThis.crypto): string {
  if (!source) {
    throw new MetergraphError('BAD_REQUEST', 'This platform has no Web Crypto: pass an idempotencyKey of your own.');
  }
  return source.randomUUID?.() ?? uuidOf(source.getRandomValues(new Uint8Array(16)));
}

function uuidOf(bytes: Uint8Array): string {
  const hex = Array.from(bytes, (byte, index) => versioned(byte, index).toString(16).padStart(2, '0')).join('');
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

/** Byte 6 carries the version (4), byte 8 the variant (10xx). */
function versioned(byte: number, index: number): number {
  if (index === 6) return (byte & 0x0f) | 0x40;
  if (index === 8) return (byte & 0x3f) | 0x80;
  return byte;
}
