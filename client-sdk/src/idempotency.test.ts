import { describe, expect, it } from 'vitest';
import { newIdempotencyKey, type RandomSource } from './idempotency.ts';

const UUID_V4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** A page without HTTPS: random bytes, no `randomUUID`. */
const insecure = (byte?: number): RandomSource => ({
  getRandomValues: (bytes) => (byte === undefined ? crypto.getRandomValues(bytes) : bytes.fill(byte)),
});

describe('newIdempotencyKey', () => {
  it.each([
    ['everywhere else', undefined],
    ['without randomUUID', insecure()],
    ['with all bits set', insecure(0xff)],
    ['with no bit set', insecure(0)],
  ])('is a UUID of version 4 %s', (_, source) => expect(newIdempotencyKey(source)).toMatch(UUID_V4));

  it('keeps every random bit that the version leaves', () => {
    expect(newIdempotencyKey(insecure(0xff))).toBe('ffffffff-ffff-4fff-bfff-ffffffffffff');
    expect(newIdempotencyKey(insecure(0))).toBe('00000000-0000-4000-8000-000000000000');
  });

  it('does not repeat', () => {
    const keys = Array.from({ length: 1_000 }, () => newIdempotencyKey(insecure()));
    expect(new Set(keys).size).toBe(keys.length);
  });
});
