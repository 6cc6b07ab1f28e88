/** Goal: the SDK's writes say what the gateway answers, and are made once however often they are sent. Method: both, for real. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMetergraphClient, type MetergraphClient } from '../../client-sdk/src/index.ts';
import { defineConfig } from '../../server/index.ts';
import { afterUse } from '../support/after-use.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { openRig, REGISTER, type Rig } from './rig.ts';

const CONFIG = defineConfig({
  features: {
    tokens: { aggregation: 'sum', reset: 'monthly', price: { unitAmount: 2 }, included: 10 },
    calls: { aggregation: 'sum', reset: 'monthly', limit: 100 },
    builds: { aggregation: 'duration', unit: 'minute', reset: 'monthly' },
  },
  plans: { pro: { features: { tokens: {}, calls: {}, builds: {} } } },
});

let rig: Rig;
let client: MetergraphClient;
let referenceId = 'customer 0';

/** Every answer is lost once: the first try of each call has been made, and nobody knows. */
function losingEveryFirst(): typeof fetch {
  const seen = new Set<string>();
  return async (...request) => {
    const response = await fetch(...request);
    const body = String(request[1]?.body);
    if (seen.has(body)) return response;
    seen.add(body);
    throw new TypeError('connection reset');
  };
}

beforeAll(async () => {
  rig = await openRig({ config: CONFIG });
  const { graphqlUrl: url } = rig;
  client = createMetergraphClient({ url, apiKey: ADMIN_KEY, fetch: losingEveryFirst(), random: () => 0 });
  afterUse(async () => client.close());
});

beforeEach(async () => {
  referenceId = `customer ${Number(referenceId.slice(9)) + 1}`;
  await rig.data(REGISTER, { input: { referenceId, planKey: 'pro' } });
});

const calls = () => ({ referenceId, featureKey: 'calls' });
const tokens = () => ({ referenceId, featureKey: 'tokens' });

it('records once what has happened', async () => {
  const timestamp = new Date(rig.clock.now() - 60_000).toISOString();
  const recorded = await client.recordUsage({ ...calls(), amount: 150n, timestamp });
  expect(recorded).toMatchObject({ allowed: true, amount: '150', replayed: true, usage: { used: '150' } });
  expect(recorded).not.toHaveProperty('__typename');
  await expect(client.recordUsage({ ...calls(), timestamp: '2020-01-01T00:00:00Z' })).rejects.toMatchObject({
    code: 'INVALID_TIMESTAMP',
    path: ['input', 'timestamp'],
    retryable: false,
  });
});

it('takes a duration, and an entity', async () => {
  const built = await client.consume({ referenceId, featureKey: 'builds', duration: 'PT90S', entityId: 'seat 1' });
  expect(built).toMatchObject({ allowed: true, amount: '1.5' });
});

describe('a reservation', () => {
  it('is made once, and committed once', async () => {
    const held = await client.reserve({ ...calls(), amount: 60, ttlSeconds: 60 });
    expect(held).toMatchObject({
      allowed: true,
      amount: '60',
      state: 'OPEN',
      usage: { reserved: '60', remaining: '40' },
    });
    if (!held.allowed) throw new Error('denied');
    const used = await client.commitReservation({ reservationId: held.id, amount: '12.5' });
    expect(used).toMatchObject({ allowed: true, amount: '12.5', usage: { used: '12.5', reserved: '0' } });
    await expect(client.releaseReservation(held.id)).rejects.toMatchObject({ code: 'RESERVATION_CLOSED' });
  });

  it('is given back, or denied', async () => {
    const held = await client.reserve({ ...calls(), amount: 60 });
    expect(await client.reserve({ ...calls(), amount: 60 })).toMatchObject({
      allowed: false,
      denial: { reason: 'LIMIT_REACHED' },
      id: null,
      state: null,
    });
    expect(await client.releaseReservation(held.id ?? '')).toMatchObject({
      state: 'RELEASED',
      usage: { reserved: '0' },
    });
  });
});

it('gives credits once, and takes them away', async () => {
  const grant = await client.grantCredits({
    ...tokens(),
    amount: 20,
    recurring: { reset: 'MONTHLY', onRenewal: 'ROLLOVER', rollover: { max: '5' } },
  });
  expect(grant).toMatchObject({ ...tokens(), source: 'PURCHASE', amount: '20', remaining: '20', state: 'LIVE' });
  expect(await client.usage(tokens())).toMatchObject({ credits: '20' });
  expect(await client.voidGrant(grant.id)).toMatchObject({ id: grant.id, state: 'VOIDED', remaining: '0' });
  await expect(client.voidGrant('nothing')).rejects.toMatchObject({ code: 'GRANT_NOT_FOUND' });
});

it('moves money once', async () => {
  const usd = (amount: string) => ({ amount, currency: 'usd' });
  expect(await client.topUpWallet({ referenceId, amount: 25 })).toMatchObject({ currency: 'usd', balance: usd('25') });
  expect(await client.refundWallet({ referenceId, amount: '5' })).toMatchObject({ balance: usd('20') });
  expect(await client.setWallet({ referenceId, floor: -10 })).toMatchObject({
    floor: usd('-10'),
    available: usd('30'),
  });
  expect(await client.setWallet({ referenceId, floor: null })).toMatchObject({ floor: usd('0'), available: usd('20') });
  expect(await client.settleTopUp({ referenceId, outcome: 'FAILED' })).toMatchObject({ balance: usd('20') });
  await expect(client.refundWallet({ referenceId, amount: 21 })).rejects.toMatchObject({
    code: 'INSUFFICIENT_BALANCE',
  });
  await expect(client.topUpWallet({ referenceId, amount: 0.1 + 0.2 })).rejects.toMatchObject({
    code: 'INVALID_AMOUNT',
    path: ['input', 'amount'],
  });
});

it('corrects once', async () => {
  await client.consume({ ...calls(), amount: 7 });
  const { events } = await client.request<{ events: { nodes: { id: string }[] } }>(
    'query ($referenceId: String) { events(first: 1, referenceId: $referenceId) { nodes { id } } }',
    { referenceId },
  );
  const eventId = events.nodes[0]?.id ?? '';
  expect(await client.reverseEvent({ eventId })).toMatchObject({ amount: '-7', replayed: true, usage: { used: '0' } });
  await expect(client.reverseEvent({ eventId })).rejects.toMatchObject({ code: 'EVENT_ALREADY_REVERSED' });
  await client.consume({ ...calls(), amount: 7 });
  expect(await client.resetUsage(calls())).toMatchObject({ replayed: true, usage: { used: '0' } });
});
