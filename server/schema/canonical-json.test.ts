/** Goal: one content has one text, and what Postgres could not keep is refused. Method: laws and a table. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalJson } from './canonical-json.ts';

const nested = (levels: number): unknown => (levels === 0 ? {} : { a: nested(levels - 1) });

/** The same content with the keys of every object the other way round. */
function reversed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reversed);
  if (value === null || typeof value !== 'object') return value;
  const entries = Object.entries(value).map(([key, part]) => [key, reversed(part)]);
  return Object.fromEntries(entries.reverse());
}

const small = fc.jsonValue({ maxDepth: 4 }).filter((value) => canonicalJson(value).ok);

describe('canonical JSON', () => {
  it('does not depend on the order of keys', () => {
    fc.assert(
      fc.property(small, (value) => {
        expect(canonicalJson(reversed(value))).toEqual(canonicalJson(value));
      }),
    );
  });

  it('says what was said', () => {
    fc.assert(
      fc.property(small, (value) => {
        const json = canonicalJson(value);
        expect(JSON.parse(json.ok ? json.text : '')).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([
    ['a lone half of a surrogate pair', { a: '\ud800' }, 'has a text with a NUL or half a surrogate pair in it'],
    ['the other half', { a: 'x\udc00' }, 'has a text with a NUL or half a surrogate pair in it'],
    ['NUL in a key', { 'a\0': 1 }, 'has a text with a NUL or half a surrogate pair in it'],
    ['a number beyond numbers', { a: Number.POSITIVE_INFINITY }, 'has a number that is too large'],
    ['too many levels', nested(33), 'is more than 32 levels deep'],
    ['very many levels', nested(5_000), 'is more than 32 levels deep'],
    ['too much', { a: 'x'.repeat(16_384) }, 'is 16392 bytes long as JSON; at most 16384 fit'],
    ['too much in few characters', { a: '€'.repeat(6_000) }, 'is 18008 bytes long as JSON; at most 16384 fit'],
  ])('refuses %s', (_name, value, problem) => expect(canonicalJson(value)).toEqual({ ok: false, problem }));

  it.each([
    ['a whole pair', { a: '😀' }, '{"a":"😀"}'],
    ['the last level', nested(32), `${'{"a":'.repeat(32)}{}${'}'.repeat(32)}`],
    ['just enough', { a: 'x'.repeat(16_376) }, `{"a":"${'x'.repeat(16_376)}"}`],
  ])('takes %s', (_name, value, text) => expect(canonicalJson(value)).toEqual({ ok: true, text }));
});
