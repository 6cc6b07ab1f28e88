import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMetergraphClient, type MetergraphClient } from './client.ts';
import type { ConsumeInput } from './consume-types.ts';
import { MetergraphError } from './errors.ts';
import type { ClientOptions } from './option-types.ts';
import { type HttpFault, startGateway, type TestGateway } from './testing/gateway.ts';

/** Goal: what callers are promised over a wire that fails. Method: a real HTTP server that fails as it is told. */
let gateway: TestGateway;
const clients: MetergraphClient[] = [];

beforeEach(async () => {
  gateway = await startGateway();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await gateway.stop();
});

/** Waits between tries are none: `random` is 0. */
function connect(options: Partial<ClientOptions> = {}): MetergraphClient {
  const credentials = options.getToken ? { getToken: options.getToken } : { apiKey: 'mg_test' };
  const { apiKey: _, getToken: __, ...rest } = options;
  const client = createMetergraphClient({ url: gateway.url, random: () => 0, ...rest, ...credentials });
  clients.push(client);
  return client;
}

const use = { referenceId: 'acme', featureKey: 'api_calls' } satisfies ConsumeInput;
const keysSent = () => gateway.state.consumed.map(({ idempotencyKey }) => idempotencyKey);

describe('consume', () => {
  it('answers with the decision', async () => {
    const answer = await connect().consume(use);
    expect(answer).toMatchObject({ allowed: true, denial: null, amount: '1', replayed: false });
    expect(answer).not.toHaveProperty('__typename');
  });

  it('answers a denial, and throws nothing', async () => {
    const answer = await connect().consume({ ...use, featureKey: 'spent' });
    expect(answer).toMatchObject({ allowed: false, denial: { reason: 'LIMIT_REACHED' }, amount: '0' });
  });

  it('throws what is wrong with the call', async () => {
    await expect(connect().consume({ ...use, featureKey: 'nope' })).rejects.toMatchObject({
      name: 'MetergraphError',
      code: 'FEATURE_NOT_FOUND',
      path: ['input', 'featureKey'],
      retryable: false,
    });
  });

  it('sends exact text, and nothing that is not exact', async () => {
    await connect().consume({ ...use, amount: 0.1 });
    await expect(connect().consume({ ...use, amount: 0.1 + 0.2 })).rejects.toMatchObject({ code: 'INVALID_AMOUNT' });
    expect(gateway.state.consumed.map(({ amount }) => amount)).toEqual(['0.1']);
  });

  it('makes a key for each call, and none where the caller has one', async () => {
    const client = connect();
    await client.consume(use);
    await client.consume(use);
    await client.consume({ ...use, idempotencyKey: 'mine' });
    const [first, second, third] = keysSent();
    expect(first).toMatch(/^[0-9a-f-]{36}$/);
    expect(second).not.toBe(first);
    expect(third).toBe('mine');
  });
});

describe('retries', () => {
  it.each([
    ['a broken connection', 'vanish'],
    ['502', { status: 502 }],
    ['503', { status: 503, headers: { 'retry-after': '0' } }],
    ['504', { status: 504 }],
    ['429', { status: 429 }],
  ] as [string, HttpFault][])('after %s', async (_, fault) => {
    gateway.faults.push(fault, fault);
    await expect(connect().consume(use)).resolves.toMatchObject({ allowed: true });
    expect(gateway.credentials).toHaveLength(3);
  });

  it('after an error that the gateway calls retryable, with the same key', async () => {
    gateway.state.refusals.push({ code: 'OVERLOADED', retryable: true }, { code: 'SHUTTING_DOWN', retryable: true });
    await connect().consume(use);
    expect(keysSent()).toHaveLength(3);
    expect(new Set(keysSent()).size).toBe(1);
  });

  it('when the answer was lost: counted once, and the first answer again', async () => {
    let answers = 0;
    const losingTheFirst: typeof fetch = async (...request) => {
      const response = await fetch(...request);
      if (++answers === 1) throw new TypeError('connection reset');
      return response;
    };
    await expect(connect({ fetch: losingTheFirst }).consume(use)).resolves.toMatchObject({ replayed: true });
  });

  it.each([
    ['400', { status: 400 }, 'BAD_REQUEST'],
    ['403', { status: 403 }, 'FORBIDDEN'],
    ['500', { status: 500 }, 'INTERNAL'],
  ])('never after %s', async (_, fault, code) => {
    gateway.faults.push(fault);
    await expect(connect().consume(use)).rejects.toMatchObject({ code, retryable: false });
    expect(gateway.credentials).toHaveLength(1);
  });

  it('never after an error that the gateway does not call retryable', async () => {
    gateway.state.refusals.push({ code: 'INVALID_INPUT' });
    await expect(connect().consume(use)).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    expect(keysSent()).toHaveLength(1);
  });

  it('as often as allowed, then throws the last failure', async () => {
    gateway.faults.push(...Array.from({ length: 9 }, () => ({ status: 503 })));
    await expect(connect({ maxAttempts: 3 }).consume(use)).rejects.toMatchObject({ code: 'NETWORK', retryable: true });
    expect(gateway.credentials).toHaveLength(3);
  });

  it('not when asked to wait beyond the deadline', async () => {
    gateway.faults.push({ status: 503, headers: { 'retry-after': '3600' } });
    await expect(connect().consume(use)).rejects.toMatchObject({ code: 'NETWORK', retryAfterMs: 3_600_000 });
    expect(gateway.credentials).toHaveLength(1);
  });

  it('a try that hangs', async () => {
    gateway.faults.push('hang');
    await expect(connect({ attemptTimeoutMs: 50 }).consume(use)).resolves.toMatchObject({ allowed: true });
  });

  it('within the total deadline', async () => {
    gateway.faults.push('hang', 'hang', 'hang', 'hang');
    const call = connect({ attemptTimeoutMs: 40 }).consume(use, { timeoutMs: 60 });
    await expect(call).rejects.toMatchObject({ code: 'TIMEOUT', retryable: true });
  });
});

describe('consumeMany', () => {
  it('gives each its own outcome, in order', async () => {
    const outcomes = await connect().consumeMany([
      use,
      { ...use, featureKey: 'nope' },
      { ...use, amount: Number.NaN }, // never sent
      { ...use, featureKey: 'spent' },
    ]);
    const spelled = outcomes.map((outcome) => (outcome.ok ? outcome.consumption.allowed : outcome.error.code));
    expect(spelled).toEqual([true, 'FEATURE_NOT_FOUND', 'INVALID_AMOUNT', false]);
    expect(gateway.state.consumed).toHaveLength(3);
  });

  it('tells where each error is by the position that the caller gave it', async () => {
    const inexact = { ...use, amount: Number.NaN }; // never sent
    const nope = { ...use, featureKey: 'nope' };
    const outcomes = await connect().consumeMany([inexact, nope, use, inexact, nope]);
    expect(outcomes.map((outcome) => (outcome.ok ? null : outcome.error.path))).toEqual([
      ['input', 'inputs', '0', 'amount'],
      ['input', 'inputs', '1', 'featureKey'],
      null,
      ['input', 'inputs', '3', 'amount'],
      ['input', 'inputs', '4', 'featureKey'],
    ]);
  });

  it('keeps every key over its tries', async () => {
    gateway.state.refusals.push({ code: 'OVERLOADED', retryable: true });
    await connect().consumeMany([use, use]);
    const [first, second, ...again] = keysSent();
    expect(first).not.toBe(second);
    expect(again).toEqual([first, second]);
  });

  it('sends nothing for nothing', async () => {
    await expect(connect().consumeMany([])).resolves.toEqual([]);
    expect(gateway.credentials).toEqual([]);
  });

  it('throws what is wrong with the whole', async () => {
    gateway.state.refusals.push({ __typename: 'InvalidInputError', ...{ message: 'too many', code: 'INVALID_INPUT' } });
    await expect(connect().consumeMany([use])).rejects.toMatchObject({ code: 'INVALID_INPUT', message: 'too many' });
  });
});

describe('the other calls', () => {
  it('check writes nothing and needs no key', async () => {
    await expect(connect().check({ ...use, amount: 2n })).resolves.toMatchObject({ allowed: true });
    expect(gateway.state.consumed).toEqual([]);
  });

  it('usage reads one feature', async () => {
    await expect(connect().usage(use)).resolves.toMatchObject({ used: '3', feature: { key: 'api_calls' } });
  });

  it('usage of nobody is an error', async () => {
    gateway.state.refusals.push({ code: 'CUSTOMER_NOT_FOUND' });
    await expect(connect().usage(use)).rejects.toMatchObject({ code: 'CUSTOMER_NOT_FOUND' });
  });

  it('registerCustomer answers with the customer', async () => {
    const customer = await connect().registerCustomer({ referenceId: 'acme', metadata: { seats: [1, 2] } });
    expect(customer).toEqual({
      id: '1',
      referenceId: 'acme',
      referenceType: 'user',
      name: null,
      email: null,
      planKey: null,
      timeZone: 'UTC',
      createdAt: '2026-03-01T00:00:00.000Z',
    });
  });

  it('createCustomerToken answers with the token', async () => {
    const token = await connect().createCustomerToken({ referenceId: 'acme', featureKeys: ['api_calls'] });
    expect(token).toEqual({ token: 't', expiresAt: '2026-03-01T00:15:00.000Z' });
  });

  it('request sends anything else', async () => {
    const { viewer } = await connect().request<{ viewer: { tenant: { name: string } } }>(
      '{ viewer { tenant { name } } }',
    );
    expect(viewer.tenant.name).toBe('Acme');
  });

  it('request repeats a query, never a mutation', async () => {
    const mutation = 'mutation($input: ConsumeInput!) { consume(input: $input) { __typename } }';
    gateway.faults.push({ status: 503 });
    await expect(connect().request(mutation, { input: use })).rejects.toMatchObject({ code: 'NETWORK' });
    gateway.faults.push({ status: 503 });
    await expect(connect().request('{ viewer { tenant { name } } }')).resolves.toBeDefined();
    expect(gateway.credentials).toHaveLength(3);
  });

  it('equal queries at the same time are each their own', async () => {
    const client = connect();
    await Promise.all([client.usage(use), client.usage(use)]);
    expect(gateway.credentials).toHaveLength(2);
  });
});

describe('credentials', () => {
  it('are sent as a bearer', async () => {
    await connect().consume(use);
    expect(gateway.credentials).toEqual(['Bearer mg_test']);
  });

  it('a refused token is asked for anew, once for all who wait', async () => {
    gateway.accepted.add('Bearer token 2');
    let asked = 0;
    const client = connect({ getToken: () => `token ${++asked}` });
    await Promise.all([client.check(use), client.check(use), client.usage(use)]);
    expect(asked).toBe(2);
  });

  it('a second refusal stands', async () => {
    gateway.accepted.add('Bearer of another');
    let asked = 0;
    const call = connect({ getToken: () => `token ${++asked}` }).check(use);
    await expect(call).rejects.toMatchObject({ code: 'UNAUTHENTICATED', retryable: false });
    expect(asked).toBe(2);
  });

  it('a refused API key is not sent again', async () => {
    gateway.accepted.add('Bearer of another');
    await expect(connect().check(use)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(gateway.credentials).toHaveLength(1);
  });

  it('getToken may fail now and then', async () => {
    let asked = 0;
    const getToken = async () => {
      if (++asked === 1) throw new Error('offline');
      return 'token';
    };
    await expect(connect({ getToken }).check(use)).resolves.toMatchObject({ allowed: true });
  });

  it('getToken that always fails is UNAUTHENTICATED, with the cause', async () => {
    const cause = new Error('offline');
    const call = connect({ getToken: () => Promise.reject(cause) }).check(use);
    await expect(call).rejects.toMatchObject({ code: 'UNAUTHENTICATED', cause });
  });
});

describe('the end', () => {
  it('a signal ends the call', async () => {
    gateway.faults.push('hang');
    const controller = new AbortController();
    const call = connect().consume(use, { signal: controller.signal });
    controller.abort(new Error('the user left'));
    await expect(call).rejects.toMatchObject({ code: 'ABORTED', cause: { message: 'the user left' } });
  });

  it('close ends what is open and refuses what comes', async () => {
    gateway.faults.push('hang');
    const client = connect();
    const call = client.consume(use);
    client.close();
    await expect(call).rejects.toMatchObject({ code: 'CLOSED' });
    await expect(client.consume(use)).rejects.toBeInstanceOf(MetergraphError);
    client.close();
  });

  it('an unreachable gateway is NETWORK', async () => {
    const call = connect({ url: 'http://127.0.0.1:9/graphql' }).check(use);
    await expect(call).rejects.toMatchObject({ code: 'NETWORK', retryable: true });
  });

  it('another kind of server is BAD_RESPONSE', async () => {
    const page: typeof fetch = async () => new Response('<html>', { headers: { 'content-type': 'application/json' } });
    await expect(connect({ fetch: page }).check(use)).rejects.toMatchObject({ code: 'BAD_RESPONSE' });
  });
});
