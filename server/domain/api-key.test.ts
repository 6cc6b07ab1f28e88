/** Goal: a key is what was made, every character equally likely, and nothing else is taken for one. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { API_KEY_MODES, formatApiKey, isApiKeyId, newApiKey, parseApiKey, secretHashOf } from './api-key.ts';

it('is read as it was written', () => {
  fc.assert(
    fc.property(fc.constantFrom(...API_KEY_MODES), (mode) => {
      const parts = newApiKey(mode, randomBytes);
      expect(parseApiKey(formatApiKey(parts))).toEqual(parts);
      expect(isApiKeyId(parts.id)).toBe(true);
    }),
  );
});

it('looks as documented', () => {
  expect(formatApiKey(newApiKey('live', randomBytes))).toMatch(/^mg_live_[0-9A-Za-z]{8}_[0-9A-Za-z]{32}$/);
  expect(formatApiKey(newApiKey('test', randomBytes))).toMatch(/^mg_test_[0-9A-Za-z]{8}_[0-9A-Za-z]{32}$/);
});

it('takes every byte that favours no character, and no other', () => {
  const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i);
  let start = 0;
  // All bytes, one after the other: 248 of them are taken, 62 characters four times each.
  const inTurn = (count: number) => {
    const bytes = Uint8Array.from({ length: count }, (_, i) => everyByte[(start + i) % 256] ?? 0);
    start += count;
    return bytes;
  };
  const seen = new Map<string, number>();
  for (let i = 0; i < 31 * 8; i++) {
    for (const character of newApiKey('live', inTurn).secret) seen.set(character, (seen.get(character) ?? 0) + 1);
  }
  expect(seen.size).toBe(62);
});

it.each([
  ['mg_live_abcdefgh_0123456789ABCDEFGHIJabcdefghij0'],
  ['mg_live_abcdefgh_0123456789ABCDEFGHIJabcdefghij012'],
  ['mg_prod_abcdefgh_0123456789ABCDEFGHIJabcdefghij01'],
  ['mg_live_abcdefg-_0123456789ABCDEFGHIJabcdefghij01'],
  ['mg_live_abcdefgh_0123456789ABCDEFGHIJabcdefghij01\n'],
  ['sk_live_abcdefgh_0123456789ABCDEFGHIJabcdefghij01'],
  [''],
])('%j is no key', (text) => expect(parseApiKey(text)).toBeNull());

it('keeps SHA-256 of a secret, in hex', () => {
  expect(secretHashOf('abc')).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
});
