/** Goal: a token says whose it is until its time is over, and no text that we did not sign says anything. */
import { SignJWT } from 'jose';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../tests/support/clock.ts';
import { isExpiredToken, signCustomerToken, verifyCustomerToken } from './customer-token.ts';

const SECRET = new TextEncoder().encode('0123456789abcdef0123456789abcdef');
const OTHER_SECRET = new TextEncoder().encode('another secret, as long as the first one');
const NOW = Date.parse('2026-03-15T12:00:00Z');

const viewer = {
  tenantId: '00000000-0000-4000-8000-000000000001',
  customerId: '5f0c1a52-2c1e-5d0a-9a47-1f6d2b3c4d5e',
  referenceId: 'acme',
  featureKeys: null,
  expiresAtMs: NOW + 900_000,
} as const;

const sign = (changes: object = {}) => signCustomerToken({ ...viewer, ...changes }, SECRET, new ManualClock(NOW));
const verify = (token: string, nowMs = NOW) => verifyCustomerToken(token, SECRET, new ManualClock(nowMs));
const refusal = (token: string, nowMs = NOW) =>
  verify(token, nowMs).then(
    () => null,
    (error: unknown) => error,
  );

it.each([[null], [['api_calls', 'storage']]])('says whose it is, with features %j', async (featureKeys) => {
  expect(await verify(await sign({ featureKeys }))).toEqual({ kind: 'customer', ...viewer, featureKeys });
});

it('is over when its time is', async () => {
  const token = await sign();
  expect(await refusal(token, viewer.expiresAtMs - 1)).toBeNull();
  const error = await refusal(token, viewer.expiresAtMs);
  expect(error).toMatchObject({ code: 'UNAUTHENTICATED' });
  expect(isExpiredToken(error)).toBe(true);
});

describe('is refused', () => {
  const claims = { tenantId: viewer.tenantId, customerId: viewer.customerId };
  const signed = (payload: object, change: (jwt: SignJWT) => SignJWT = (jwt) => jwt, secret = SECRET, alg = 'HS256') =>
    change(
      new SignJWT({ ...payload })
        .setProtectedHeader({ alg })
        .setIssuer('metergraph')
        .setSubject('acme')
        .setIssuedAt(NOW / 1_000)
        .setExpirationTime(NOW / 1_000 + 900),
    ).sign(secret);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

  it.each<[string, () => string | Promise<string>]>([
    ['signed by another', () => signed(claims, undefined, OTHER_SECRET)],
    ['issued by another', () => signed(claims, (jwt) => jwt.setIssuer('other'))],
    ['valid for too long', () => signed(claims, (jwt) => jwt.setExpirationTime(NOW / 1_000 + 901))],
    ['without a tenant', () => signed({ customerId: viewer.customerId })],
    ['without a customer', () => signed({ tenantId: viewer.tenantId })],
    ['with features of another shape', () => signed({ ...claims, featureKeys: 'all' })],
    ['signed by another algorithm', () => signed(claims, undefined, SECRET, 'HS512')],
    ['unsigned', () => `${part({ alg: 'none' })}.${part({ ...claims, iss: 'metergraph', sub: 'acme' })}.`],
    ['cut', async () => (await sign()).slice(0, -1)],
    ['nonsense', () => 'nonsense'],
    ['without end', () => 'a'.repeat(1_000_000)],
  ])('when %s', async (_name, make) => {
    const error = await refusal(await make());
    expect(error).toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(isExpiredToken(error)).toBe(false);
  });
});
