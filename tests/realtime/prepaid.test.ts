/**
 * Goal: who watches a customer sees grants, wallets and holds move as they move, whoever moves them, and time too.
 * Method: streams read item by item; what they have told by the end is what a query answers.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { defineConfig } from '../../server/index.ts';
import { describePostgres } from '../support/postgres.ts';
import {
  consume,
  merge,
  openLive,
  openPair,
  openRig,
  openUsage,
  type Rig,
  register,
  SHOWN,
  type Shown,
  type Stream,
  type UsageItem,
} from './rig.ts';

const config = defineConfig({
  features: {
    calls: { reset: 'never', limit: 10 },
    mails: { reset: 'never', price: { unitAmount: 5 } },
    posts: { reset: 'never', price: { unitAmount: 1, currency: 'eur' } },
    tokens: { reset: 'never', price: { unitAmount: 2 }, included: 10 },
  },
  plans: {
    pro: { price: [{ amount: 900, interval: 'month' }], features: { calls: {}, mails: {}, posts: {}, tokens: {} } },
    lent: { wallet: { floor: -100 }, features: { calls: {}, mails: {}, posts: {}, tokens: {} } },
    small: { features: { calls: { limit: 5 }, mails: {}, posts: {}, tokens: {} } },
  },
});

/** e.g. `mails 2, 4 held, 70 usd`. */
const spell = ({ feature, used, reserved, credits, wallet, limit }: Shown): string =>
  [
    `${feature.key} ${used}${limit === null ? '' : `/${limit}`}`,
    ...(reserved === '0' ? [] : [`${reserved} held`]),
    ...(credits === '0' ? [] : [`${credits} credits`]),
    ...(wallet ? [`${wallet.amount} ${wallet.currency}`] : []),
  ].join(', ');

/** Sends one mutation as `acme`. @returns what it answers under `told`. */
async function send(rig: Rig, call: string, selection = ''): Promise<Record<string, string>> {
  const { told } = await rig.data<{ told: Record<string, string> }>(
    `mutation { told: ${call.replace('{', '{ referenceId: "acme",')} { __typename ${selection} } }`,
  );
  expect(told.__typename, call).not.toContain('Error');
  return told;
}

/** One stream, and what a page that draws it shows. */
async function openPage(rig: Rig, asked: { readonly featureKeys?: readonly string[] } = {}) {
  const stream: Stream<UsageItem> = await openUsage(rig, { referenceId: 'acme', ...asked });
  let shown = merge(new Map(), await stream.next());
  /** The next items, as many as are expected: in what order meters come is nobody's business. */
  const hear = async (count: number): Promise<readonly string[]> => {
    const items = await stream.take(count);
    for (const item of items) shown = merge(shown, item);
    return items.map((item) => ('usage' in item ? spell(item.usage) : item.__typename)).sort();
  };
  return { hear, shows: () => [...shown.values()] };
}

const queried = async (rig: Rig): Promise<readonly Shown[]> => {
  const { customer } = await rig.data<{ customer: { usages: readonly Shown[] } }>(
    `{ customer(referenceId: "acme") { usages ${SHOWN} } }`,
  );
  return customer.usages;
};

it('each step is told of every meter that it moves, and of no other', async () => {
  const rig = await openRig({ config });
  await register(rig, 'acme');
  const page = await openPage(rig);
  const tells = async (answer: Promise<Record<string, string>>, told: readonly string[]) => {
    const { id = '' } = await answer;
    expect(await page.hear(told.length)).toEqual(told);
    return id;
  };

  const grantId = await tells(
    send(rig, 'grantCredits(input: { featureKey: "tokens", amount: 5 })', '... on Grant { id }'),
    ['tokens 0, 5 credits'],
  );
  await tells(send(rig, 'topUpWallet(input: { amount: 100 })'), ['mails 0, 100 usd', 'tokens 0, 5 credits, 100 usd']);
  await tells(send(rig, 'topUpWallet(input: { amount: 7, currency: "eur" })'), ['posts 0, 7 eur']);
  await tells(send(rig, 'consume(input: { featureKey: "mails", amount: 2 })'), [
    'mails 2, 90 usd',
    'tokens 0, 5 credits, 90 usd',
  ]);
  const heldId = await tells(
    send(rig, 'reserve(input: { featureKey: "mails", amount: 4 })', '... on Reservation { id }'),
    ['mails 2, 4 held, 70 usd', 'tokens 0, 5 credits, 70 usd'],
  );
  const { committed } = await rig.data<{ committed: object }>(
    `mutation { committed: commitReservation(input: { reservationId: "${heldId}", amount: 1 }) { __typename } }`,
  );
  expect(committed).toEqual({ __typename: 'Consumption' });
  expect(await page.hear(2)).toEqual(['mails 3, 85 usd', 'tokens 0, 5 credits, 85 usd']);
  await tells(send(rig, 'refundWallet(input: { amount: 35 })'), ['mails 3, 50 usd', 'tokens 0, 5 credits, 50 usd']);
  await rig.data(`mutation { voidGrant(input: { grantId: "${grantId}" }) { __typename } }`);
  expect(await page.hear(1)).toEqual(['tokens 0, 50 usd']);
  await tells(send(rig, 'consume(input: { featureKey: "calls", amount: 3 })'), ['calls 3/10']);
  await tells(send(rig, 'resetUsage(input: { featureKey: "calls" })'), ['calls 0/10']);
  expect(page.shows()).toEqual(await queried(rig));
});

it('the first use on credit is told of every meter of the wallet that it opens, also to who comes back later', async () => {
  const rig = await openRig({ config });
  await register(rig, 'acme', 'lent');
  const page = await openPage(rig);
  const { cursor } = (await consume(rig, 'acme', 'calls')).usage;
  expect(await page.hear(1)).toEqual(['calls 1/10']);
  await consume(rig, 'acme', 'mails');
  expect(await page.hear(2)).toEqual(['mails 1, -5 usd', 'tokens 0, -5 usd']);
  const later = await openUsage(rig, { referenceId: 'acme', after: cursor });
  const missed = await later.take(4);
  expect(missed.map((item) => ('usage' in item ? spell(item.usage) : item.__typename)).sort()).toEqual([
    'calls 1/10',
    'mails 1, -5 usd',
    'posts 0',
    'tokens 0, -5 usd',
  ]);
  expect(page.shows()).toEqual(await queried(rig));
});

it('the dashboard hears of every meter of a wallet, though nobody watches its customer', async () => {
  const rig = await openRig({ config });
  await register(rig, 'acme');
  const live = await openLive(rig);
  await expect.poll(() => rig.gateway.services.streams.openStreams).toBe(1);
  await send(rig, 'topUpWallet(input: { amount: 100 })');
  const { usages } = await live.next();
  expect(usages.map(({ feature }) => feature.key)).toEqual(expect.arrayContaining(['mails', 'tokens']));
});

describe.each([
  ['a poll finds it', { pollIntervalMs: 20 }],
  ['it is settled in the background', { closeIntervalMs: 20 }],
])('what happens by itself is told when its time has come: %s', (_, options) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig({ config, ...options });
  });

  /** Told of what was done, then, without anybody's doing, when this many seconds are over. */
  async function passes(call: string, before: readonly string[], seconds: number, after: readonly string[]) {
    const page = await openPage(rig);
    await send(rig, call);
    expect(await page.hear(before.length)).toEqual(before);
    rig.clock.advance(seconds * 1_000 - 1);
    await rig.gateway.services.streams.poll();
    rig.clock.advance(1);
    expect(await page.hear(after.length)).toEqual(after);
    expect(page.shows()).toEqual(await queried(rig));
  }

  const inAMinute = () => new Date(rig.clock.now() + 60_000).toISOString();

  it('a hold expires, and gives its money back', async () => {
    await register(rig, 'acme');
    await send(rig, 'topUpWallet(input: { amount: 10 })');
    await passes(
      'reserve(input: { featureKey: "mails", amount: 2, ttlSeconds: 60 })',
      ['mails 0, 2 held, 0 usd', 'tokens 0, 0 usd'],
      60,
      ['mails 0, 10 usd', 'tokens 0, 10 usd'],
    );
  });

  it('a grant expires', () =>
    passes(
      `grantCredits(input: { featureKey: "mails", amount: 5, expiresAt: "${inAMinute()}" })`,
      ['mails 0, 5 credits, 10 usd'],
      60,
      ['mails 0, 10 usd'],
    ));

  it('a grant becomes effective', () =>
    passes(`grantCredits(input: { featureKey: "mails", amount: 5, effectiveFrom: "${inAMinute()}" })`, [], 60, [
      'mails 0, 5 credits, 10 usd',
    ]));

  it('a plan is changed at its renewal', async () => {
    rig.clock.set('2026-04-15T11:59:00Z');
    await passes('setCustomerPlan(input: { planKey: "small", effective: AT_RENEWAL })', [], 60, [
      'calls 0/5',
      'mails 0, 5 credits, 10 usd',
      'posts 0',
      'tokens 0, 10 usd',
    ]);
  });
});

describePostgres('across gateways', () => {
  it('what one of them does, and what time does, the other tells', async () => {
    const { one, other, clock } = await openPair({ config });
    await register(one, 'acme');
    const page = await openPage(other);
    await send(one, 'topUpWallet(input: { amount: 10 })');
    expect(await page.hear(2)).toEqual(['mails 0, 10 usd', 'tokens 0, 10 usd']);
    await send(one, 'grantCredits(input: { featureKey: "tokens", amount: 5 })');
    expect(await page.hear(1)).toEqual(['tokens 0, 5 credits, 10 usd']);
    await send(one, 'reserve(input: { featureKey: "calls", amount: 4, ttlSeconds: 60 })');
    expect(await page.hear(1)).toEqual(['calls 0/10, 4 held']);
    clock.advance(60_000);
    await other.gateway.services.streams.poll();
    expect(await page.hear(1)).toEqual(['calls 0/10']);
    await consume(one, 'acme', 'calls'); // settles for good what the other has told already
    expect(await page.hear(1)).toEqual(['calls 1/10']);
    expect(page.shows()).toEqual(await queried(one));
  });
});
