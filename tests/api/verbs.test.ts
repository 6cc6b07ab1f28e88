/**
 * Goal: every verb that writes answers as its description says, and refuses what it must by name.
 * Method: the verbs as a client sends them, on both databases, by a clock that is moved by hand.
 */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { defineConfig } from '../../server/index.ts';
import { describeEngines } from '../support/engines.ts';
import type { HttpClient } from '../support/http-client.ts';
import { addTenant, leavingNoTrace, makeKey, openRig, REGISTER, type Rig } from './rig.ts';

const CONFIG = defineConfig({
  features: {
    calls: { aggregation: 'sum', reset: 'monthly', limit: 100, minLimit: 0 },
    tokens: { aggregation: 'sum', reset: 'monthly', price: { unitAmount: 2 }, included: 10 },
    storage: { aggregation: 'latest', reset: 'never', limit: 50 },
    builds: { aggregation: 'duration', unit: 'minute', reset: 'monthly', limit: 60 },
    people: { aggregation: 'unique', of: 'user', reset: 'monthly', limit: 2 },
    sms: { aggregation: 'sum', reset: 'monthly', price: { unitAmount: 10 }, billing: 'prepaid' },
    projects: { aggregation: 'sum', reset: 'never', value: 10 },
    messages: { aggregation: 'sum', reset: 'monthly', limit: 10, entityLimit: 6 },
  },
  plans: {
    prepaid: { features: { sms: {} }, wallet: { autoTopUp: { threshold: 20, amount: 100 } } },
    pro: { features: { calls: {}, tokens: {}, storage: {}, builds: {}, people: {}, projects: {}, messages: {} } },
  },
});

const CALLS = { featureKey: 'calls' };
const TOKENS = { featureKey: 'tokens' };

const ERROR = '... on UserError { code message path }';
const USED = 'usage { used reserved remaining credits wallet { amount currency } overage value }';
const SPLIT = 'split { included credits wallet overage walletCharge { amount } overageCost { amount currency } }';
const CONSUMPTION = `__typename ... on Consumption { allowed denial { reason } amount ${SPLIT} ${USED} replayed } ${ERROR}`;
const RESERVATION = `__typename ... on Reservation {
  id referenceId featureKey entityId allowed denial { reason } amount ${SPLIT} ${USED} state committedAmount createdAt expiresAt closedAt replayed
} ${ERROR}`;
const GRANT = `__typename ... on Grant {
  id referenceId featureKey source amount remaining priority effectiveFrom expiresAt state renewsAt originId rolledOver
  renewal { reset resetInterval { every unit } onRenewal rollover { max } amount until } usage { credits overage }
} ${ERROR}`;
const WALLET = `__typename ... on Wallet {
  currency balance { amount currency } floor { amount } available { amount } pendingTopUp { askedAt } topUpFailedAt
} ${ERROR}`;
const RESET = `__typename ... on UsageReset { usage { used period { start end } } ended { start end } replayed } ${ERROR}`;

const SELECTIONS = {
  consume: CONSUMPTION,
  recordUsage: CONSUMPTION,
  reserve: RESERVATION,
  commitReservation: CONSUMPTION,
  releaseReservation: RESERVATION,
  grantCredits: GRANT,
  voidGrant: GRANT,
  topUpWallet: WALLET,
  refundWallet: WALLET,
  setWallet: WALLET,
  settleTopUp: WALLET,
  reverseEvent: CONSUMPTION,
  resetUsage: RESET,
} as const;
type Verb = keyof typeof SELECTIONS;

/** These name what they are about, and thereby whose it is. */
const BY_ID: ReadonlySet<Verb> = new Set(['commitReservation', 'releaseReservation', 'voidGrant', 'reverseEvent']);

// biome-ignore lint/suspicious/noExplicitAny: an answer is whatever the document selects, and every test looks at it
type Answer = any;

const DAY_MS = 24 * 3_600_000;

describeEngines('the verbs', (engine) => {
  let rig: Rig;
  let stranger: HttpClient;
  /** A customer of each test's own. */
  let referenceId = 'customer 0';

  beforeAll(async () => {
    rig = await openRig({ database: await engine.open(), config: CONFIG });
    stranger = rig.as((await addTenant(rig)).key);
  });

  beforeEach(async () => {
    rig.clock.set('2026-03-15T12:00:00Z');
    referenceId = `customer ${Number(referenceId.slice(9)) + 1}`;
    await rig.data(REGISTER, { input: { referenceId, planKey: 'pro' } });
  });

  async function call(verb: Verb, asked: Record<string, unknown>, by: Pick<Rig, 'data'> = rig): Promise<Answer> {
    const input = BY_ID.has(verb) ? asked : { referenceId, ...asked };
    const type = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}Input`;
    const document = `mutation ($input: ${type}!) { ${verb}(input: $input) { ${SELECTIONS[verb]} } }`;
    const data = await by.data<Record<string, Answer>>(document, { input });
    return data[verb];
  }

  const used = async (featureKey: string): Promise<Answer> =>
    (
      await rig.data<Answer>(
        `query ($whose: String!, $key: String!) { usage(referenceId: $whose, featureKey: $key) { used reserved remaining credits overage value wallet { amount currency } } }`,
        { whose: referenceId, key: featureKey },
      )
    ).usage;

  const instant = (ms: number): string => new Date(rig.clock.now() + ms).toISOString();
  const refused = (code: string, ...path: string[]) => ({ code, path: ['input', ...path] });

  describe('a use', () => {
    it('sets the level of a gauge, down to 0', async () => {
      const storage = { featureKey: 'storage' };
      expect(await call('consume', { ...storage, amount: 30 })).toMatchObject({ amount: '30', usage: { used: '30' } });
      expect(await call('consume', { ...storage, amount: 0 })).toMatchObject({ amount: '-30', usage: { used: '0' } });
      const none = await leavingNoTrace(rig, () => call('consume', { ...CALLS, amount: 0 }));
      expect(none).toMatchObject({
        ...refused('INVALID_AMOUNT', 'amount'),
        message: expect.stringMatching(/uses nothing/),
      });
    });

    it.each([
      ['PT90M', '90', 'LIMIT_REACHED'],
      ['PT30M', '30', null],
      ['PT1M30S', '1.5', null],
    ])('of %s counts %s minutes', async (duration, minutes, denied) => {
      const answer = await call('consume', { featureKey: 'builds', duration });
      expect(answer.denial?.reason ?? null).toBe(denied);
      if (denied === null) expect(answer).toMatchObject({ amount: minutes, usage: { used: minutes } });
    });

    it.each<[input: Record<string, unknown>, says: RegExp]>([
      [{ duration: 'PT1M', amount: 1 }, /`duration` is there beside `amount`; send one of them/],
      [{ duration: '90' }, /^Duration "90" is not an ISO 8601 duration/],
      [{ duration: 'P1M' }, /have no fixed length/],
      [{ featureKey: 'calls', duration: 'PT1M' }, /does not add up time/],
    ])('with %j is refused at its duration', async (input, says) => {
      const answer = await leavingNoTrace(rig, () => call('consume', { featureKey: 'builds', ...input }));
      expect(answer).toMatchObject({ ...refused('INVALID_INPUT', 'duration'), message: expect.stringMatching(says) });
    });

    it('counts for an entity within its own limit and the shared one', async () => {
      const messages = { featureKey: 'messages' };
      const use = (entityId: string | null, amount: number) => call('consume', { ...messages, entityId, amount });
      expect(await use('seat 1', 6)).toMatchObject({ allowed: true, usage: { used: '6' } });
      expect(await use('seat 1', 1)).toMatchObject({ denial: { reason: 'LIMIT_REACHED' } });
      expect(await use('seat 2', 5)).toMatchObject({ denial: { reason: 'LIMIT_REACHED' } });
      expect(await use('seat 2', 4)).toMatchObject({ allowed: true, usage: { used: '10', remaining: '0' } });
      const empty = await leavingNoTrace(rig, () => use('', 1));
      expect(empty).toMatchObject(refused('INVALID_INPUT', 'entityId'));
    });

    it('counts a distinct value once', async () => {
      const seen = (user: string) => call('consume', { featureKey: 'people', properties: { user } });
      expect(await seen('ada')).toMatchObject({ amount: '1', usage: { used: '1' } });
      expect(await seen('ada')).toMatchObject({ allowed: true, amount: '0', usage: { used: '1' } });
      expect(await call('consume', { featureKey: 'people' })).toMatchObject(refused('INVALID_INPUT', 'properties'));
    });
  });

  describe('recordUsage', () => {
    it('counts what happened, past a hard limit, in the period of its time', async () => {
      expect(await call('recordUsage', { ...CALLS, amount: 150 })).toMatchObject({
        allowed: true,
        usage: { used: '150' },
      });
      const late = await call('recordUsage', { ...CALLS, amount: 7, timestamp: '2026-02-20T00:00:00Z' });
      expect(late).toMatchObject({ allowed: true, amount: '7' });
      expect(await used('calls')).toMatchObject({ used: '150', remaining: '0' });
    });

    it.each<[name: string, offsetMs: number, allowed: boolean]>([
      ['35 days back', -35 * DAY_MS, true],
      ['a millisecond more', -35 * DAY_MS - 1, false],
      ['5 minutes ahead', 5 * 60_000, true],
      ['a millisecond more', 5 * 60_000 + 1, false],
    ])('%s: %d ms', async (_name, offsetMs, allowed) => {
      const record = () => call('recordUsage', { ...CALLS, timestamp: instant(offsetMs) });
      if (allowed) {
        expect(await record()).toMatchObject({ __typename: 'Consumption', allowed: true });
      } else {
        expect(await leavingNoTrace(rig, record)).toMatchObject({
          __typename: 'InvalidTimestampError',
          ...refused('INVALID_TIMESTAMP', 'timestamp'),
          message: expect.stringMatching(/up to 35 days back and 5 minutes ahead/),
        });
      }
    });

    it('of a call that is sent again when its use is too long ago by now, hears the first answer', async () => {
      const once = { ...CALLS, amount: 3, timestamp: instant(-35 * DAY_MS), idempotencyKey: 'just in time' };
      const first = await call('recordUsage', once);
      expect(first).toMatchObject({ allowed: true, amount: '3' });
      rig.clock.advance(1_000);
      expect(await call('recordUsage', once)).toMatchObject({ amount: '3', replayed: true });
      const { idempotencyKey: _, ...unnamed } = once;
      expect(await leavingNoTrace(rig, () => call('recordUsage', unnamed))).toMatchObject(
        refused('INVALID_TIMESTAMP', 'timestamp'),
      );
    });

    it('is made once under a key', async () => {
      const once = { ...CALLS, amount: 3, timestamp: instant(-DAY_MS), idempotencyKey: 'late' };
      expect(await call('recordUsage', once)).toMatchObject({ replayed: false, usage: { used: '3' } });
      expect(await call('recordUsage', once)).toMatchObject({ replayed: true, usage: { used: '3' } });
      expect(await call('consume', { ...CALLS, amount: 3, idempotencyKey: 'late' })).toMatchObject({
        code: 'IDEMPOTENCY_CONFLICT',
      });
    });
  });

  describe('a reservation', () => {
    it('holds units against the limit, and is committed with less', async () => {
      const held = await call('reserve', { ...CALLS, amount: 60, ttlSeconds: 60 });
      expect(held).toMatchObject({
        referenceId,
        ...CALLS,
        entityId: null,
        allowed: true,
        denial: null,
        amount: '60',
        state: 'OPEN',
        committedAmount: null,
        createdAt: instant(0),
        expiresAt: instant(60_000),
        closedAt: null,
        replayed: false,
        usage: { used: '0', reserved: '60', remaining: '40' },
      });
      expect(await call('consume', { ...CALLS, amount: 41 })).toMatchObject({ denial: { reason: 'LIMIT_REACHED' } });
      const commit = { reservationId: held.id, amount: 25 };
      const committed = { allowed: true, amount: '25', usage: { used: '25', reserved: '0', remaining: '75' } };
      expect(await call('commitReservation', commit)).toMatchObject({ ...committed, replayed: false });
      expect(await call('commitReservation', commit)).toMatchObject(committed);
      expect(await used('calls')).toMatchObject({ used: '25', reserved: '0' });
      expect(await call('releaseReservation', { reservationId: held.id })).toMatchObject({
        __typename: 'ReservationClosedError',
        ...refused('RESERVATION_CLOSED', 'reservationId'),
        message: expect.stringMatching(/committed with 25/),
      });
    });

    it('is committed with all, or more than was held', async () => {
      const [first, second] = [
        await call('reserve', { ...CALLS, amount: 10 }),
        await call('reserve', { ...CALLS, amount: 10 }),
      ];
      expect(await call('commitReservation', { reservationId: first.id })).toMatchObject({ amount: '10' });
      expect(await call('commitReservation', { reservationId: second.id, amount: 95 })).toMatchObject({
        allowed: false,
        denial: { reason: 'LIMIT_REACHED' },
        usage: { used: '10', reserved: '10' },
      });
      expect(await call('commitReservation', { reservationId: second.id, amount: 90 })).toMatchObject({
        allowed: true,
        amount: '90',
        usage: { used: '100', reserved: '0', remaining: '0' },
      });
    });

    it('gives back what it holds: released twice, or expired', async () => {
      const held = await call('reserve', { ...TOKENS, amount: 15 });
      expect(held.split).toMatchObject({
        included: '10',
        overage: '5',
        overageCost: { amount: '10', currency: 'usd' },
      });
      const release = { reservationId: held.id };
      expect(await call('releaseReservation', release)).toMatchObject({
        state: 'RELEASED',
        replayed: false,
        usage: { reserved: '0', overage: '0' },
      });
      expect(await call('releaseReservation', release)).toMatchObject({ state: 'RELEASED', replayed: true });
      expect(await call('commitReservation', release)).toMatchObject({ code: 'RESERVATION_CLOSED' });

      const late = await call('reserve', { ...TOKENS, amount: 15, ttlSeconds: 1 });
      rig.clock.advance(1_000);
      expect(await call('commitReservation', { reservationId: late.id })).toMatchObject({
        __typename: 'ReservationExpiredError',
        ...refused('RESERVATION_EXPIRED', 'reservationId'),
      });
      expect(await used('tokens')).toMatchObject({ used: '0', reserved: '0', overage: '0' });
    });

    it('that is denied has no id, and a say in why', async () => {
      expect(await call('reserve', { ...CALLS, amount: 101, entityId: null })).toMatchObject({
        id: null,
        referenceId,
        ...CALLS,
        allowed: false,
        denial: { reason: 'LIMIT_REACHED' },
        amount: '0',
        state: null,
        createdAt: null,
        expiresAt: null,
        usage: { used: '0', reserved: '0' },
      });
    });

    it('is made once under a key', async () => {
      const once = { ...CALLS, amount: 10, idempotencyKey: 'hold' };
      const first = await call('reserve', once);
      expect(await call('reserve', once)).toEqual({ ...first, replayed: true });
      expect(await used('calls')).toMatchObject({ reserved: '10' });
    });

    it('is nobody else’s: another tenant hears that there is none, as of an id that never was', async () => {
      const held = await call('reserve', { ...CALLS, amount: 10 });
      await stranger.data(REGISTER, { input: { referenceId } });
      for (const verb of ['commitReservation', 'releaseReservation'] as const) {
        const answer = await leavingNoTrace(rig, () => call(verb, { reservationId: held.id }, stranger));
        expect(answer).toMatchObject({
          __typename: 'ReservationNotFoundError',
          ...refused('RESERVATION_NOT_FOUND', 'reservationId'),
        });
        expect(await call(verb, { reservationId: 'nothing' }, stranger)).toEqual(answer);
        expect(await call(verb, { reservationId: 'nothing' })).toEqual(answer);
      }
      expect(await used('calls')).toMatchObject({ reserved: '10' });
    });

    it('needs no more than a key that writes use', async () => {
      const ingester = rig.as((await makeKey(rig, ['ingest'])).secret);
      const held = await call('reserve', { ...CALLS, amount: 10 }, ingester);
      expect(held).toMatchObject({ allowed: true, usage: { reserved: '10' } });
      expect(await call('commitReservation', { reservationId: held.id }, ingester)).toMatchObject({ amount: '10' });
    });

    it.each<[verb: Verb, input: Record<string, unknown>, code: string, field: string]>([
      ['reserve', { ...CALLS, ttlSeconds: 0 }, 'INVALID_INPUT', 'ttlSeconds'],
      ['reserve', { ...CALLS, ttlSeconds: 86_401 }, 'INVALID_INPUT', 'ttlSeconds'],
      ['reserve', { ...CALLS, amount: -1 }, 'INVALID_AMOUNT', 'amount'],
      ['reserve', { ...CALLS, amount: null }, 'INVALID_AMOUNT', 'amount'],
      ['reserve', { featureKey: 'storage', amount: 1 }, 'INVALID_AMOUNT', 'amount'],
      ['reserve', { ...CALLS, referenceId: 'nobody' }, 'CUSTOMER_NOT_FOUND', 'referenceId'],
      ['reserve', { ...CALLS, featureKey: 'nothing' }, 'FEATURE_NOT_FOUND', 'featureKey'],
    ])('%s of %j is %s', async (verb, input, code, field) => {
      expect(await leavingNoTrace(rig, () => call(verb, input))).toMatchObject(refused(code, field));
    });

    it('takes no null for all of it', async () => {
      const held = await call('reserve', { ...CALLS, amount: 10 });
      expect(await call('commitReservation', { reservationId: held.id, amount: null })).toMatchObject(
        refused('INVALID_AMOUNT', 'amount'),
      );
    });
  });

  describe('credits', () => {
    it('are given, pay before money does, and what is left is taken away', async () => {
      const grant = await call('grantCredits', { ...TOKENS, amount: 20, expiresAt: instant(DAY_MS) });
      expect(grant).toMatchObject({
        referenceId,
        ...TOKENS,
        source: 'PURCHASE',
        amount: '20',
        remaining: '20',
        priority: 100,
        effectiveFrom: instant(0),
        expiresAt: instant(DAY_MS),
        state: 'LIVE',
        renewal: null,
        renewsAt: null,
        originId: null,
        rolledOver: false,
        usage: { credits: '20' },
      });
      const spent = await call('consume', { ...TOKENS, amount: 15 });
      expect(spent).toMatchObject({ split: { included: '10', credits: '5', overage: '0' }, usage: { credits: '15' } });
      const voided = { id: grant.id, state: 'VOIDED', remaining: '0', usage: { credits: '0' } };
      expect(await call('voidGrant', { grantId: grant.id })).toMatchObject(voided);
      expect(await call('voidGrant', { grantId: grant.id })).toMatchObject(voided);
    });

    it('come again with each period, under the terms that were named', async () => {
      const recurring = { resetInterval: { every: 10, unit: 'DAY' }, onRenewal: 'ROLLOVER', rollover: { max: 5 } };
      const grant = await call('grantCredits', { ...TOKENS, amount: 20, source: 'PROMOTION', priority: 7, recurring });
      expect(grant).toMatchObject({
        source: 'PROMOTION',
        priority: 7,
        renewal: {
          reset: 'INTERVAL',
          resetInterval: { every: 10, unit: 'DAY' },
          onRenewal: 'ROLLOVER',
          rollover: { max: '5' },
          amount: '20',
          until: null,
        },
      });
      expect(Date.parse(grant.renewsAt)).toBeGreaterThan(rig.clock.now());
      rig.clock.set(grant.renewsAt);
      expect(await call('consume', { ...TOKENS, amount: 1 })).toMatchObject({ usage: { credits: '25' } });
    });

    it('pay for overage that was there before only where they say so', async () => {
      await call('consume', { ...TOKENS, amount: 30 });
      expect(await call('grantCredits', { ...TOKENS, amount: 8 })).toMatchObject({
        usage: { credits: '8', overage: '20' },
      });
      expect(await call('grantCredits', { ...TOKENS, amount: 8, settlesOverage: true })).toMatchObject({
        remaining: '0',
        state: 'SPENT',
        usage: { credits: '8', overage: '12' },
      });
    });

    it('are over at their time, whether or not anybody saw to it', async () => {
      const grant = await call('grantCredits', { ...TOKENS, amount: 8, expiresAt: instant(1_000) });
      rig.clock.advance(1_000);
      const { node } = await rig.data<Answer>(
        'query ($id: ID!) { node(id: $id) { ... on Grant { state remaining } } }',
        { id: grant.id },
      );
      expect(node).toEqual({ state: 'EXPIRED', remaining: '0' });
    });

    it('are given once under a key', async () => {
      const once = { ...TOKENS, amount: 8, idempotencyKey: 'order 7' };
      const first = await call('grantCredits', once);
      expect(await call('grantCredits', once)).toEqual(first);
      expect(await used('tokens')).toMatchObject({ credits: '8' });
      expect(await call('grantCredits', { ...once, amount: 9 })).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    });

    it.each<[input: Record<string, unknown>, code: string, path: readonly string[]]>([
      [{ amount: 0 }, 'INVALID_AMOUNT', ['amount']],
      [{ amount: '-1' }, 'INVALID_AMOUNT', ['amount']],
      [{ amount: '100000000000000000000.000000001' }, 'INVALID_AMOUNT', ['amount']],
      [{ source: 'PLAN' }, 'INVALID_INPUT', ['source']],
      [{ priority: -1 }, 'INVALID_INPUT', ['priority']],
      [{ priority: 1_000_001 }, 'INVALID_INPUT', ['priority']],
      [{ expiresAt: '2020-01-01T00:00:00Z' }, 'INVALID_INPUT', ['expiresAt']],
      [{ recurring: {} }, 'INVALID_INPUT', ['recurring', 'reset']],
      [{ recurring: { reset: 'NEVER' } }, 'INVALID_INPUT', ['recurring', 'reset']],
      [{ recurring: { reset: 'INTERVAL' } }, 'INVALID_INPUT', ['recurring', 'resetInterval']],
      [{ recurring: { reset: 'MONTHLY', rollover: { max: 0 } } }, 'INVALID_INPUT', ['recurring', 'rollover', 'max']],
      [{ referenceId: 'nobody' }, 'CUSTOMER_NOT_FOUND', ['referenceId']],
      [{ featureKey: 'nothing' }, 'FEATURE_NOT_FOUND', ['featureKey']],
    ])('with %j are refused: %s at %j', async (input, code, path) => {
      const answer = await leavingNoTrace(rig, () => call('grantCredits', { ...TOKENS, amount: 1, ...input }));
      expect(answer).toMatchObject(refused(code, ...path));
    });

    it('of another tenant can not be voided, nor what is no grant', async () => {
      const grant = await call('grantCredits', { ...TOKENS, amount: 8 });
      const answer = await leavingNoTrace(rig, () => call('voidGrant', { grantId: grant.id }, stranger));
      expect(answer).toMatchObject({ __typename: 'GrantNotFoundError', ...refused('GRANT_NOT_FOUND', 'grantId') });
      const { customer } = await rig.data<Answer>('query ($whose: String) { customer(referenceId: $whose) { id } }', {
        whose: referenceId,
      });
      for (const grantId of ['nothing', customer.id]) expect(await call('voidGrant', { grantId })).toEqual(answer);
    });
  });

  describe('a wallet', () => {
    it('is filled, pays whole units, and is paid out down to nothing', async () => {
      expect(await call('topUpWallet', { amount: 25 })).toMatchObject({
        currency: 'usd',
        balance: { amount: '25', currency: 'usd' },
        floor: { amount: '0' },
        available: { amount: '25' },
        pendingTopUp: null,
        topUpFailedAt: null,
      });
      expect(await call('consume', { ...TOKENS, amount: 20 })).toMatchObject({
        split: { included: '10', wallet: '10', overage: '0', walletCharge: { amount: '20' } },
        usage: { wallet: { amount: '5', currency: 'usd' } },
      });
      expect(await leavingNoTrace(rig, () => call('refundWallet', { amount: 6 }))).toMatchObject({
        __typename: 'InsufficientBalanceError',
        ...refused('INSUFFICIENT_BALANCE', 'amount'),
        message: expect.stringMatching(/holds 5 usd.* 6 were to be paid out/),
      });
      expect(await call('refundWallet', { amount: 5 })).toMatchObject({ balance: { amount: '0' } });
    });

    it('may lend: its floor is its own, or the plan’s again', async () => {
      expect(await call('setWallet', { floor: -10 })).toMatchObject({
        balance: { amount: '0' },
        floor: { amount: '-10' },
        available: { amount: '10' },
      });
      expect(await call('consume', { ...TOKENS, amount: 14 })).toMatchObject({ split: { wallet: '4' } });
      expect(await call('setWallet', { floor: null })).toMatchObject({
        balance: { amount: '-8' },
        floor: { amount: '0' },
        available: { amount: '0' },
      });
    });

    it('takes the most there is to put in, again and again, and so do grants', async () => {
      const amount = '100000000000000000000';
      await call('topUpWallet', { amount });
      expect(await call('topUpWallet', { amount })).toMatchObject({ balance: { amount: '200000000000000000000' } });
      await call('grantCredits', { ...TOKENS, amount });
      expect(await call('grantCredits', { ...TOKENS, amount })).toMatchObject({
        usage: { credits: '200000000000000000000' },
      });
    });

    it('is filled once under a key', async () => {
      const once = { amount: '12.5', currency: 'eur', idempotencyKey: 'invoice 9' };
      const first = await call('topUpWallet', once);
      expect(first).toMatchObject({ currency: 'eur', balance: { amount: '12.5' } });
      expect(await call('topUpWallet', once)).toEqual(first);
      expect(await call('refundWallet', once)).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
    });

    it('has nothing to settle before it asked, and none is none', async () => {
      expect(await call('settleTopUp', { outcome: 'PAID' })).toMatchObject({
        __typename: 'WalletNotFoundError',
        ...refused('WALLET_NOT_FOUND', 'currency'),
      });
      await call('topUpWallet', { amount: 25 });
      expect(await call('settleTopUp', { outcome: 'FAILED' })).toMatchObject({
        balance: { amount: '25' },
        topUpFailedAt: null,
      });
    });

    it('asks for money when it runs low, and hears what became of that', async () => {
      await rig.data(REGISTER, { input: { referenceId, planKey: 'prepaid' } });
      await call('topUpWallet', { amount: 30 });
      expect(await call('consume', { featureKey: 'sms', amount: 2 })).toMatchObject({ split: { wallet: '2' } });
      const wallets = async () =>
        (
          await rig.data<Answer>(
            `query ($whose: String) { customer(referenceId: $whose) { wallets {
              balance { amount } pendingTopUp { amount { amount currency } askedAt } topUpFailedAt
            } } }`,
            { whose: referenceId },
          )
        ).customer.wallets;
      const asked = { amount: { amount: '100', currency: 'usd' }, askedAt: instant(0) };
      expect(await wallets()).toEqual([{ balance: { amount: '10' }, pendingTopUp: asked, topUpFailedAt: null }]);
      const failed = { balance: { amount: '10' }, pendingTopUp: null, topUpFailedAt: instant(0) };
      expect(await call('settleTopUp', { outcome: 'FAILED' })).toMatchObject(failed);
      expect(await call('consume', { featureKey: 'sms', amount: 2 })).toMatchObject({
        denial: { reason: 'INSUFFICIENT_FUNDS' },
      });
      rig.clock.advance(DAY_MS);
      await call('consume', { featureKey: 'sms', amount: 1 });
      expect(await wallets()).toMatchObject([{ balance: { amount: '0' }, pendingTopUp: { askedAt: instant(0) } }]);
      const paid = { balance: { amount: '100' }, pendingTopUp: null, topUpFailedAt: null };
      expect(await call('settleTopUp', { outcome: 'PAID' })).toMatchObject(paid);
      expect(await call('settleTopUp', { outcome: 'PAID' })).toMatchObject(paid);
    });

    it.each<[verb: Verb, input: Record<string, unknown>, code: string, field: string]>([
      ['topUpWallet', { amount: 0 }, 'INVALID_AMOUNT', 'amount'],
      ['topUpWallet', { amount: -5 }, 'INVALID_AMOUNT', 'amount'],
      ['topUpWallet', { amount: '100000000000000000000.000000001' }, 'INVALID_AMOUNT', 'amount'],
      ['refundWallet', { amount: -5 }, 'INVALID_AMOUNT', 'amount'],
      ['topUpWallet', { amount: 5, currency: 'USD' }, 'INVALID_INPUT', 'currency'],
      ['topUpWallet', { amount: 5, referenceId: 'nobody' }, 'CUSTOMER_NOT_FOUND', 'referenceId'],
      ['setWallet', { floor: 'much' }, 'INVALID_INPUT', 'floor'],
      ['setWallet', { floor: '0.000000001' }, 'INVALID_INPUT', 'floor'],
      ['setWallet', { referenceId: 'nobody' }, 'CUSTOMER_NOT_FOUND', 'referenceId'],
    ])('%s with %j is %s', async (verb, input, code, field) => {
      expect(await leavingNoTrace(rig, () => call(verb, input))).toMatchObject(refused(code, field));
    });
  });

  describe('a correction', () => {
    const newestEvent = async (): Promise<string> =>
      (
        await rig.data<Answer>('query ($whose: String) { events(first: 1, referenceId: $whose) { nodes { id } } }', {
          whose: referenceId,
        })
      ).events.nodes[0].id;

    it('takes back an event once, by an event that is linked to it', async () => {
      await call('consume', { ...TOKENS, amount: 15 });
      const eventId = await newestEvent();
      expect(await call('reverseEvent', { eventId, idempotencyKey: 'oops' })).toMatchObject({
        allowed: true,
        amount: '-15',
        split: { included: '-10', overage: '-5' },
        usage: { used: '0', overage: '0' },
        replayed: false,
      });
      expect(await call('reverseEvent', { eventId, idempotencyKey: 'oops' })).toMatchObject({ replayed: true });
      expect(await call('reverseEvent', { eventId })).toMatchObject({
        __typename: 'EventAlreadyReversedError',
        ...refused('EVENT_ALREADY_REVERSED', 'eventId'),
      });
      const { events } = await rig.data<Answer>(
        'query ($whose: String) { events(first: 1, referenceId: $whose) { nodes { kind reversedEventId } } }',
        { whose: referenceId },
      );
      expect(events.nodes).toEqual([{ kind: 'REVERSAL', reversedEventId: eventId }]);
    });

    it('of what gave back, or of what has no sum, says what the event is and what to do', async () => {
      const reversed = (eventId: string) => leavingNoTrace(rig, () => call('reverseEvent', { eventId }));
      await call('consume', { ...CALLS, amount: 5 });
      await call('consume', { ...CALLS, amount: -2 });
      expect(await reversed(await newestEvent())).toMatchObject({
        ...refused('INVALID_AMOUNT', 'eventId'),
        message: expect.stringMatching(/gave back 2 of "calls".*recordUsage\.$/),
      });
      await call('consume', { featureKey: 'storage', amount: 5 });
      expect(await reversed(await newestEvent())).toMatchObject({
        ...refused('INVALID_AMOUNT', 'eventId'),
        message: expect.stringMatching(/"storage", which counts the latest level.*report what is true/),
      });
    });

    it('of another tenant’s event, or of none, finds none', async () => {
      await call('consume', { ...CALLS, amount: 15 });
      const eventId = await newestEvent();
      const answer = await leavingNoTrace(rig, () => call('reverseEvent', { eventId }, stranger));
      expect(answer).toMatchObject({ __typename: 'EventNotFoundError', ...refused('EVENT_NOT_FOUND', 'eventId') });
      expect(await call('reverseEvent', { eventId: 'nothing' })).toEqual(answer);
      expect(await used('calls')).toMatchObject({ used: '15' });
    });

    it('ends a period by hand, once under a key', async () => {
      await call('consume', { ...CALLS, amount: 15 });
      const once = { ...CALLS, idempotencyKey: 'fresh start' };
      const period = { start: instant(0), end: '2026-04-01T00:00:00.000Z' };
      expect(await call('resetUsage', once)).toMatchObject({
        usage: { used: '0', period },
        ended: { start: '2026-03-01T00:00:00.000Z', end: instant(0) },
        replayed: false,
      });
      await call('consume', { ...CALLS, amount: 2 });
      expect(await call('resetUsage', once)).toMatchObject({ replayed: true });
      expect(await used('calls')).toMatchObject({ used: '2' });
      expect(await call('resetUsage', { ...CALLS, featureKey: 'nothing' })).toMatchObject(
        refused('FEATURE_NOT_FOUND', 'featureKey'),
      );
    });
  });

  it('says what a customer is entitled to that is not counted', async () => {
    expect(await used('projects')).toMatchObject({ value: 10 });
    expect(await used('calls')).toMatchObject({ value: null });
  });
});
