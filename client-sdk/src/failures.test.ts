import { describe, expect, it } from 'vitest';
import { graphQLFailure, httpFailure, retryAfterMs } from './failures.ts';

const answer = (status: number, headers: Record<string, string> = {}) => ({
  status,
  statusText: '',
  headers: { get: (name: string) => headers[name] ?? null },
});

/** Goal: each way to fail has one code, and is tried again only when that is safe. */
describe('httpFailure', () => {
  it.each([
    [400, 'BAD_REQUEST', false],
    [401, 'UNAUTHENTICATED', false],
    [403, 'FORBIDDEN', false],
    [404, 'BAD_REQUEST', false],
    [413, 'BAD_REQUEST', false],
    [429, 'OVERLOADED', true],
    [500, 'INTERNAL', false],
    [502, 'NETWORK', true],
    [503, 'NETWORK', true],
    [504, 'NETWORK', true],
  ])('%s → %s, retryable %s', (status, code, retryable) =>
    expect(httpFailure(answer(status))).toMatchObject({ code, retryable }),
  );
});

describe('graphQLFailure', () => {
  it.each([
    // extensions                                              status  code                retryable
    [{ code: 'UNAUTHENTICATED' }, 200, 'UNAUTHENTICATED', false],
    [{ code: 'FORBIDDEN' }, 200, 'FORBIDDEN', false],
    [{ code: 'OVERLOADED', retryable: true }, 200, 'OVERLOADED', true],
    [{ code: 'OVERLOADED', retryable: 'yes' }, 200, 'OVERLOADED', false], // only a clear yes
    [{ code: 'INTERNAL_SERVER_ERROR' }, 500, 'INTERNAL', false],
    [{ code: 'GRAPHQL_VALIDATION_FAILED' }, 400, 'BAD_REQUEST', false],
    [{ code: 'OF_A_NEWER_GATEWAY' }, 200, 'OF_A_NEWER_GATEWAY', false],
    [{ code: 'SHUTTING_DOWN' }, 503, 'SHUTTING_DOWN', true], // the status says so
    [{}, 200, 'BAD_REQUEST', false],
    [{}, 401, 'UNAUTHENTICATED', false],
    [undefined, 503, 'NETWORK', true],
  ])('%j with %s → %s, retryable %s', (extensions, status, code, retryable) =>
    expect(graphQLFailure([{ message: 'no', extensions }], answer(status))).toMatchObject({ code, retryable }),
  );

  it('keeps the path in the input', () => {
    const path = ['input', 'amount'];
    expect(graphQLFailure([{ message: 'no', extensions: { path } }]).path).toEqual(path);
    expect(graphQLFailure([{ message: 'no', extensions: { path: [1] } }]).path).toBeNull();
  });
});

describe('retryAfterMs', () => {
  const now = Date.parse('2026-03-01T00:00:00Z');
  it.each([
    ['2', 2_000],
    ['0', 0],
    ['Sun, 01 Mar 2026 00:00:05 GMT', 5_000],
    ['Sat, 28 Feb 2026 00:00:00 GMT', 0], // past
    ['soon', undefined],
    ['', undefined],
  ])('%s → %s', (header, expected) => expect(retryAfterMs(answer(503, { 'retry-after': header }), now)).toBe(expected));
});
