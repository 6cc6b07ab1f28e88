/** Goal: only a credential that is good opens the door, and a bad one is refused alike, whatever is wrong with it. */
import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { tokenSecretOf } from '../../server/actions/bootstrap.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import {
  addTenant,
  CONSUME,
  leavingNoTrace,
  makeKey,
  makeToken,
  openRig,
  type Rig,
  refusalsOf,
  revokeKey,
  use,
} from './rig.ts';

let rig: Rig;
let sandboxKey: string;

beforeAll(async () => {
  rig = await openRig();
  sandboxKey = (await addTenant(rig, 'test')).key;
});

const WHO = '{ viewer { tenant { name } apiKey { keyId } customer { referenceId } } }';
const replaced = (text: string, at: number, by: string): string => text.slice(0, at) + by + text.slice(at + 1);

describe('a credential that is refused', () => {
  it.each<[what: string, authorization: string]>([
    ['without a scheme', ADMIN_KEY],
    ['of another scheme', `Basic ${Buffer.from(`${ADMIN_KEY}:`).toString('base64')}`],
    ['of two', `Bearer ${ADMIN_KEY} ${ADMIN_KEY}`],
    ['that is empty', 'Bearer '],
    ['with a comma', `Bearer ${ADMIN_KEY}, Bearer ${ADMIN_KEY}`],
    ['of an unknown id', `Bearer mg_live_Nobody00_${'0'.repeat(32)}`],
    ['with a wrong secret', `Bearer ${replaced(ADMIN_KEY, ADMIN_KEY.length - 1, 'x')}`],
    ['with a wrong first character', `Bearer ${replaced(ADMIN_KEY, 17, 'x')}`],
    ['with another case', `Bearer ${ADMIN_KEY.toLowerCase()}`],
    ['cut short', `Bearer ${ADMIN_KEY.slice(0, -1)}`],
    ['gone on', `Bearer ${ADMIN_KEY}0`],
    ['of live, as of test', `Bearer ${ADMIN_KEY.replace('mg_live_', 'mg_test_')}`],
    ['of another system', 'Bearer sk_live_0123456789'],
    ['with SQL in it', "Bearer mg_live_x'OR'1=1_00000000000000000000000000000000"],
    ['of 40,000 characters', `Bearer ${'a.'.repeat(7_000)}`],
    ['that is no token', 'Bearer a.b.c'],
  ])('%s', async (_, authorization) => {
    const reply = await leavingNoTrace(rig, () =>
      rig.as(undefined).post(CONSUME, use(), { headers: { authorization } }),
    );
    expect({ status: reply.status, ...refusalsOf(reply) }).toMatchObject({ status: 401, codes: ['UNAUTHENTICATED'] });
    expect(reply.headers.get('www-authenticate')).toBe('Bearer');
    expect(reply.text).not.toContain(ADMIN_KEY);
    expect(reply.data ?? null).toBeNull();
  });

  it('of live, as of test, also where the tenant is for tests', async () => {
    expect(await rig.as(sandboxKey).data(WHO)).toMatchObject({ viewer: { apiKey: { keyId: 'Sandbox0' } } });
    const reply = await rig.as(sandboxKey.replace('mg_test_', 'mg_live_')).post(WHO);
    expect(refusalsOf(reply).codes).toEqual(['UNAUTHENTICATED']);
  });

  it('says the same of an unknown id and of a wrong secret', async () => {
    const unknown = await rig.as(`mg_live_Nobody00_${'0'.repeat(32)}`).post(WHO);
    const wrong = await rig.as(replaced(ADMIN_KEY, ADMIN_KEY.length - 1, 'x')).post(WHO);
    expect(wrong.text).toBe(unknown.text);
  });
});

describe('no credential', () => {
  it('asks nothing but the schema', async () => {
    const nobody = rig.as(undefined);
    expect(refusalsOf(await leavingNoTrace(rig, () => nobody.post(CONSUME, use()))).codes).toEqual(['UNAUTHENTICATED']);
    expect(refusalsOf(await nobody.post(WHO)).sentences).toMatch(/Authorization: Bearer/);
    expect(await nobody.data('{ __typename }')).toEqual({ __typename: 'Query' });
  });
});

describe('a key', () => {
  it('works at once, and its secret is shown this once and never stored', async () => {
    const { secret, keyId } = await makeKey(rig, ['read']);
    expect(await rig.as(secret).data(WHO)).toMatchObject({ viewer: { apiKey: { keyId } } });
    const random = secret.slice(-32);
    for (const table of ['api_keys', 'secrets', 'answers', 'events', 'tenants']) {
      const [row] = await rig.database.query<{ text: string | null }>({
        text: `SELECT string_agg(t::text, ' ') AS text FROM ${table} t`,
        params: [],
      });
      expect(row?.text ?? '', table).not.toContain(random);
    }
  });

  it('that is revoked is refused within 10 s', async () => {
    const { secret, keyId } = await makeKey(rig, ['read']);
    await rig.as(secret).data(WHO);
    await revokeKey(rig, keyId);
    rig.clock.advance(10_000);
    const reply = await rig.as(secret).post(WHO);
    expect(refusalsOf(reply)).toMatchObject({
      codes: ['UNAUTHENTICATED'],
      sentences: expect.stringContaining('revoked'),
    });
  });

  it('that expires is refused from that very moment on', async () => {
    const { secret } = await makeKey(rig, ['read'], rig.clock.now() + 60_000);
    rig.clock.advance(59_999);
    await rig.as(secret).data(WHO);
    rig.clock.advance(1);
    const reply = await rig.as(secret).post(WHO);
    expect(refusalsOf(reply)).toMatchObject({
      codes: ['UNAUTHENTICATED'],
      sentences: expect.stringContaining('expired'),
    });
  });
});

describe('a customer token', () => {
  it.each([1, 60])('of %d s lives as long as it says, and no longer', async (ttlSeconds) => {
    const token = await makeToken(rig, { ttlSeconds });
    rig.clock.advance(ttlSeconds * 1_000 - 1);
    expect(await rig.as(token).data(WHO)).toMatchObject({
      viewer: { apiKey: null, customer: { referenceId: 'acme' } },
    });
    rig.clock.advance(1);
    const reply = await rig.as(token).post(WHO);
    expect(refusalsOf(reply)).toMatchObject({
      codes: ['UNAUTHENTICATED'],
      sentences: expect.stringContaining('expired'),
    });
  });

  it('lives 15 minutes unless told otherwise', async () => {
    const token = await makeToken(rig);
    rig.clock.advance(899_000);
    await rig.as(token).data(WHO);
    rig.clock.advance(1_000);
    expect((await rig.as(token).post(WHO)).status).toBe(401);
  });

  const encoded = (part: unknown): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const partsOf = (token: string) => token.split('.') as [header: string, payload: string, signature: string];
  const claimsOf = (token: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(partsOf(token)[1], 'base64url').toString());

  it('signed by us is good: so what follows fails by what it changes', async () => {
    const secret = await tokenSecretOf({ database: rig.database }, null);
    await rig.as(signed(claimsOf(await makeToken(rig)), secret)).data(WHO);
  });

  it.each<[what: string, forge: (token: string, secret: Uint8Array) => string]>([
    ['without a signature', (token) => `${partsOf(token)[0]}.${partsOf(token)[1]}.`],
    ['of alg none', (token) => `${encoded({ alg: 'none', typ: 'JWT' })}.${partsOf(token)[1]}.`],
    [
      'of alg None, with a signature',
      (token) => `${encoded({ alg: 'None' })}.${partsOf(token)[1]}.${partsOf(token)[2]}`,
    ],
    ['of another algorithm with our secret', (token, secret) => signed(claimsOf(token), secret, 'HS512')],
    ['of another secret', (token) => signed(claimsOf(token), new TextEncoder().encode('x'.repeat(32)))],
    ['of an empty secret', (token) => signed(claimsOf(token), new TextEncoder().encode(' '.repeat(32)))],
    [
      'with another payload',
      (token) => `${partsOf(token)[0]}.${encoded({ ...claimsOf(token), sub: 'other' })}.${partsOf(token)[2]}`,
    ],
    [
      'with a longer life',
      (token) => `${partsOf(token)[0]}.${encoded({ ...claimsOf(token), exp: 9e9 })}.${partsOf(token)[2]}`,
    ],
    ['of another issuer', (token, secret) => signed({ ...claimsOf(token), iss: 'somebody' }, secret)],
    [
      'that we signed for an hour',
      (token, secret) => signed({ ...claimsOf(token), exp: Number(claimsOf(token).iat) + 3_600 }, secret),
    ],
    ['that never expires', (token, secret) => signed({ ...claimsOf(token), exp: undefined }, secret)],
    ['without a tenant', (token, secret) => signed({ ...claimsOf(token), tenantId: undefined }, secret)],
    ['with a list for a tenant', (token, secret) => signed({ ...claimsOf(token), tenantId: [rig.tenantId] }, secret)],
    [
      'with a key inside',
      (token) =>
        `${encoded({ alg: 'HS256', jwk: { kty: 'oct', k: 'eHg' } })}.${partsOf(token)[1]}.${partsOf(token)[2]}`,
    ],
  ])('%s is refused', async (_, forge) => {
    const token = await makeToken(rig);
    await rig.as(token).data(WHO);
    const forged = forge(token, await tokenSecretOf({ database: rig.database }, null));
    const reply = await rig.as(forged).post(WHO);
    expect({ status: reply.status, ...refusalsOf(reply) }).toMatchObject({ status: 401, codes: ['UNAUTHENTICATED'] });
  });

  function signed(claims: Record<string, unknown>, secret: Uint8Array, alg: 'HS256' | 'HS512' = 'HS256'): string {
    const text = `${encoded({ alg, typ: 'JWT' })}.${encoded(claims)}`;
    return `${text}.${createHmac(alg.replace('HS', 'sha'), secret).update(text).digest('base64url')}`;
  }
});
