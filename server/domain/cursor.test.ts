/** Goal: a cursor comes back as it went out, and nothing else is taken for one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CURSOR_AGE_MAX_MS,
  decodeAlertCursor,
  decodeUsageCursor,
  encodeAlertCursor,
  encodeUsageCursor,
  isExpired,
} from './cursor.ts';
import { MeterError } from './errors.ts';

const OWNER = '2ed6657d-e927-568b-95e1-2665a8aea6a2';
const OTHER = '886313e1-3b8a-5372-9b90-0c9aee199e5d';
const SEQUENCE_MAX = 2n ** 63n - 1n; // of Postgres's bigint

const sequence = fc.bigInt({ min: 0n, max: SEQUENCE_MAX });
const atMs = fc.integer({ min: 0, max: 4_102_444_800_000 });

describe('round trip', () => {
  it('of a usage cursor', () => {
    fc.assert(
      fc.property(fc.uuid(), sequence, fc.nat(), atMs, (customerId, at, catalogVersion, ms) => {
        const cursor = { customerId, sequence: at, catalogVersion, atMs: ms };
        const text = encodeUsageCursor(cursor);
        expect(text).toMatch(/^[\w-]+$/);
        expect(decodeUsageCursor(text, customerId)).toEqual(cursor);
      }),
    );
  });

  it('of an alert cursor', () => {
    fc.assert(
      fc.property(fc.uuid(), sequence, atMs, (tenantId, at, ms) => {
        const cursor = { tenantId, sequence: at, atMs: ms };
        expect(decodeAlertCursor(encodeAlertCursor(cursor), tenantId)).toEqual(cursor);
      }),
    );
  });
});

describe('refused as INVALID_CURSOR', () => {
  const usage = encodeUsageCursor({ customerId: OWNER, sequence: 7n, catalogVersion: 1, atMs: 1_000 });
  const alert = encodeAlertCursor({ tenantId: OWNER, sequence: 7n, atMs: 1_000 });
  const written = (text: string): string => Buffer.from(text).toString('base64url');

  it.each([
    ['nothing', ''],
    ['another customer’s', encodeUsageCursor({ customerId: OTHER, sequence: 7n, catalogVersion: 1, atMs: 1_000 })],
    ['an alert cursor', alert],
    ['one with something behind it', `${usage}!`],
    ['one that is padded', `${usage}=`],
    ['one cut short', usage.slice(0, -3)],
    ['one with a part too few', written(`u.${OWNER}.7.1`)],
    ['one with a part too many', written(`u.${OWNER}.7.1.rs.0`)],
    ['one with an empty sequence', written(`u.${OWNER}..1.rs`)],
    ['one with a negative sequence', written(`u.${OWNER}.-7.1.rs`)],
    ['one with leading zeros', written(`u.${OWNER}.07.1.rs`)],
    ['one beyond what a database can count', written(`u.${OWNER}.${(SEQUENCE_MAX + 1n).toString(36)}.1.rs`)],
    ['a very long one', usage.repeat(10_000)],
  ])('as a usage cursor: %s', (_, text) => {
    const error = refusal(() => decodeUsageCursor(text, OWNER));
    expect(error).toMatchObject({ code: 'INVALID_CURSOR', path: ['after'], retryable: false });
    expect(error.message.length).toBeLessThan(200);
  });

  it.each([
    ['a usage cursor', usage],
    ['another tenant’s', encodeAlertCursor({ tenantId: OTHER, sequence: 7n, atMs: 1_000 })],
    ['one with a part too many', written(`a.${OWNER}.7.rs.1`)],
    ['one beyond what a database can count', written(`a.${OWNER}.zzzzzzzzzzzzz.rs`)],
  ])('as an alert cursor: %s', (_, text) => {
    expect(refusal(() => decodeAlertCursor(text, OWNER))).toMatchObject({ code: 'INVALID_CURSOR' });
  });

  it('anything a stranger makes up', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        expect(refusal(() => decodeUsageCursor(text, OWNER)).code).toBe('INVALID_CURSOR');
      }),
    );
  });
});

it.each([
  [CURSOR_AGE_MAX_MS, false],
  [CURSOR_AGE_MAX_MS + 1, true],
  [-60_000, false], // of a gateway whose clock is ahead
])('%s ms old: expired %s', (ageMs, expired) => expect(isExpired({ atMs: 1e12 }, 1e12 + ageMs)).toBe(expired));

function refusal(attempt: () => unknown): MeterError {
  try {
    attempt();
  } catch (error) {
    if (error instanceof MeterError) return error;
    throw error;
  }
  throw new Error('it was accepted');
}
