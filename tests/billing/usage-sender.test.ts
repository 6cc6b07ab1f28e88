/**
 * Goal: every message counts at Stripe once, whatever Stripe answers, whoever sends, and however late it is; what can't be
 * delivered is a dead letter that can be mended. Method: a fake Stripe that goes wrong on request, on both databases; then
 * its own sums.
 */
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { meterEventName } from '../../server/billing/stripe/names.ts';
import { findDeadLetters, resendDeadLetters } from '../../server/billing/stripe/usage/dead-letters.ts';
import { buryReported } from '../../server/billing/stripe/usage/error-reports.ts';
import { beginSending, leaseMessages, wakeMessages } from '../../server/billing/stripe/usage/messages.ts';
import { tellTroubles } from '../../server/billing/stripe/usage/troubles.ts';
import type { Database } from '../../server/db/client.ts';
import { describeEngines } from '../support/engines.ts';
import type { Fault } from '../support/stripe/faults.ts';
import { openStripe, type StripeRig } from '../support/stripe/rig.ts';
import { openUsage, payerOf, type UsageRig } from './usage-rig.ts';

const SENDS = 'POST /v1/billing/meter_events';
const START = '2026-03-15T12:00:00Z';
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describeEngines('usage', (engine) => {
  let rig: UsageRig;
  let database: Database;
  let stripeRig: StripeRig;
  beforeAll(async () => {
    database = await engine.open();
    stripeRig = await openStripe();
  });
  beforeEach(async () => {
    stripeRig.clock.set(START);
    rig = await openUsage(database, { stripeRig });
  });
  afterEach(async () => {
    for (const table of ['usage_messages', 'usage_outbox'])
      await database.query({ text: `DELETE FROM ${table}`, params: [] });
  });

  const sends = () =>
    rig.stripe.requests.filter(
      ({ operation, params }) => operation === SENDS && params.event_name === meterEventName(rig.tenantId, 'calls'),
    );
  const tell = async (overage: string): Promise<void> => {
    await rig.copy('acme', 'calls', overage);
    await rig.collect();
  };

  it('is told with a name of its own, as whole units, at the instant it was used', async () => {
    await tell('7.5');
    expect(await rig.sendAll()).toBe(true);
    const [sent] = sends();
    expect(sent?.params).toMatchObject({
      payload: { stripe_customer_id: rig.payers.get(rig.customerId('acme'))?.stripeCustomerId, value: '7' },
      timestamp: Date.parse('2026-03-15T12:00:00Z') / 1_000,
    });
    expect(sent?.params.identifier).toMatch(/^mg_[0-9a-f]{32}_[0-9a-f]{20}_1$/);
    expect(rig.counted('calls', 'acme')).toBe('7');
    expect(await rig.messages()).toEqual(['delivered 7']);
  });

  const FAULTS: readonly (readonly [string, Fault, number, string])[] = [
    ['429', { kind: 'rate_limited' }, 2, 'waiting 7 rate_limit'],
    ['429 that says when', { kind: 'rate_limited', retryAfterSeconds: 30 }, 2, 'waiting 7 rate_limit'],
    ['429 of its customer and meter', { kind: 'lock_timeout' }, 2, 'waiting 7 lock_timeout'],
    ['409', { kind: 'lock_timeout', status: 409 }, 2, 'waiting 7 lock_timeout'],
    ['500', { kind: 'fails_before' }, 2, 'waiting 7 failed'],
    ['500 after it has happened', { kind: 'fails_after' }, 2, 'waiting 7 failed'],
    ['500 for good', { kind: 'fails_for_good' }, 2, 'waiting 7 failed'],
    ['429 that asks for no wait', { kind: 'rate_limited', retryAfterSeconds: 0 }, 2, 'waiting 7 rate_limit'],
    ['nothing', { kind: 'cut_before' }, 3, 'waiting 7 no_answer'],
    ['nothing after it has happened', { kind: 'cut_after' }, 3, 'waiting 7 no_answer'],
  ];
  it.each(FAULTS)('that is answered by %s is sent again, and counts once', async (_, fault, requests, then) => {
    await tell('7');
    rig.stripe.faults.next(SENDS, fault, fault.kind.startsWith('cut') ? 2 : 1); // the SDK sends again by itself where it was cut
    const sender = rig.newSender();
    await sender.run();
    expect(await rig.messages()).toEqual([then]);
    const { at } = (await nextOf(rig)) ?? {};
    const asked = 'retryAfterSeconds' in fault ? (fault.retryAfterSeconds ?? 0) * 1_000 : 0;
    expect(Number(at) - rig.clock.now()).toBeGreaterThan(asked); // never at once, whatever Stripe asks for
    expect(await rig.sendAll(sender)).toBe(true);
    expect(rig.counted('calls')).toBe('7');
    expect(await rig.messages()).toEqual(['delivered 7']);
    expect(sends().length).toBe(requests);
  });

  it('waits while an account is refused, and is no dead letter for it', async () => {
    await tell('7');
    rig.stripe.faults.next(SENDS, { kind: 'rate_limited', retryAfterSeconds: 60 });
    const sender = rig.newSender();
    await sender.run();
    await rig.copy('acme', 'calls', '9');
    await rig.collect();
    await sender.run();
    expect(sends().length).toBe(1);
  });

  it('of one customer and meter goes in order, and not past one that waits', async () => {
    for (const overage of ['1', '3', '6', '4']) await tell(overage);
    rig.stripe.faults.next(SENDS, { kind: 'fails_before' });
    const sender = rig.newSender();
    await sender.run();
    expect(await rig.messages()).toEqual(['waiting 1 failed', 'waiting 2', 'waiting 3', 'waiting -2']);
    await rig.sendAll(sender);
    const values = sends().map(({ params }) => (params.payload as { value: string }).value);
    expect(values).toEqual(['1', '1', '2', '3', '-2']);
    expect(rig.counted('calls')).toBe('4');
  });

  const rows = (set: string, where: string) =>
    database.query({
      text: `UPDATE usage_messages SET ${set} WHERE tenant_id = $1 AND ${where}`,
      params: [rig.tenantId],
    });
  const FEBRUARY = { start: '2026-02-01T00:00:00Z', end: '2026-03-01T00:00:00Z' };
  /** A message of March in doubt, which waits; and then one of the period before it. */
  const inDoubtBeforeEarlier = async (kind: 'fails_before' | 'fails_after'): Promise<void> => {
    await tell('7');
    rig.stripe.faults.next(SENDS, { kind });
    await rig.newSender().run();
    await rig.copy('acme', 'calls', '2', FEBRUARY);
    await rig.collect();
  };

  it('of an earlier period waits for one in doubt', async () => {
    await inDoubtBeforeEarlier('fails_after');
    await rig.newSender().run();
    expect(await rig.messages()).toEqual(['waiting 2', 'waiting 7 failed']);
    expect(await rig.sendAll()).toBe(true);
    expect(sends().map(({ params }) => (params.payload as { value: string }).value)).toEqual(['7', '7', '2']);
    expect(rig.counted('calls')).toBe('9');
  });

  it('of an earlier period waits for one that another gateway is sending', async () => {
    await tell('7');
    const hold = rig.stripe.faults.hold(SENDS, 'after');
    const sending = rig.newSender().run();
    await hold.arrived;
    await rig.copy('acme', 'calls', '2', FEBRUARY);
    await rig.collect();
    await rig.newSender().run();
    expect(await rig.messages()).toEqual(['waiting 2', 'sent 7']);
    hold.release();
    await sending;
    expect(await rig.sendAll()).toBe(true);
    expect(rig.counted('calls')).toBe('9');
  });

  it('is sent by one of two gateways that have leased two of a customer and meter', async () => {
    await tell('7');
    await rig.copy('acme', 'calls', '2', FEBRUARY);
    await rig.collect();
    const { clock } = rig;
    const until = { untilMs: clock.now() + 60_000 };
    const leases = ['a', 'b'].map((letter) => ({
      ...until,
      id: `${letter.repeat(8)}-0000-4000-8000-${'0'.repeat(12)}`,
    }));
    const [first, second] = leases;
    if (!first || !second) throw new Error('two');
    const taken = await leaseMessages(database.query, first, clock.now(), 10);
    // as if it had looked before the first one was there
    await rows(`lease = '${second.id}', next_attempt_at = '${new Date(until.untilMs).toISOString()}'`, `lease IS NULL`);
    const sending = taken.map((message) => ({ message, countedAtMs: message.usedAtMs, stripeCustomerId: 'cus_1' }));
    expect(await beginSending(database.query, first, sending, clock.now())).toEqual([]);
    expect(await rig.messages()).toEqual(['waiting 2', 'waiting 7']);
  });

  it('that was on its way when its sender died is sent again once the lease is over', async () => {
    await tell('7');
    const hold = rig.stripe.faults.hold(SENDS, 'after');
    const dying = rig.newSender().run();
    await hold.arrived;
    expect(await rig.messages()).toEqual(['sent 7']);
    await rig.newSender().run(); // another gateway leaves it alone
    rig.clock.advance(4 * 60_000);
    await rig.newSender().run();
    hold.release();
    await dying;
    await rig.sendAll();
    expect(rig.counted('calls')).toBe('7');
    expect(await rig.messages()).toEqual(['delivered 7']);
  });

  it.each([
    // what happened 21 h ago     requests then      comes to
    ['had arrived', 'fails_after', 0, 'delivered 7', '7'],
    ['had not', 'fails_before', 1, 'delivered 7', '7'],
  ] as const)('whose first try %s is looked for in sums after 20 h', async (_, kind, more, says, counts) => {
    await tell('7');
    rig.stripe.faults.next(SENDS, { kind });
    await rig.newSender().run();
    rig.stripe.settle();
    rig.clock.advance(25 * HOUR_MS); // by now its identifier is forgotten
    const before = sends().length;
    await rig.sendAll();
    expect(sends().length - before).toBe(more);
    expect(await rig.messages()).toEqual([says]);
    expect(rig.counted('calls')).toBe(counts);
  });

  it('of which the sums tell nothing is a dead letter, for somebody to decide', async () => {
    await tell('7');
    rig.stripe.faults.next(SENDS, { kind: 'fails_before' });
    await rig.newSender().run();
    const { stripeCustomerId = '' } = rig.payers.get(rig.customerId('acme')) ?? {};
    const [sent] = sends();
    await rig.sdk.billing.meterEvents.create({
      event_name: String(sent?.params.event_name),
      payload: { stripe_customer_id: stripeCustomerId, value: '3' },
      timestamp: Number(sent?.params.timestamp),
    });
    rig.stripe.settle();
    rig.clock.advance(25 * HOUR_MS);
    await rig.sendAll();
    expect(await rig.messages()).toEqual(['dead 7 unknown_fate']);
    const { tenantId, clock } = rig;
    const [letter] = await findDeadLetters(database.query, tenantId);
    expect(letter).toMatchObject({ referenceId: 'acme', code: 'unknown_fate', round: 0 });
    expect(letter?.sentence).toContain('Stripe counts 3 in its minute, where 0 are known, or 7 with it');
    const identifiers = [letter?.identifier ?? ''];
    await resendDeadLetters(database.query, { tenantId, identifiers }, clock.now());
    await rig.sendAll();
    expect(await rig.messages()).toEqual(['dead 7 unknown_fate']); // the sums say what they said
    await resendDeadLetters(database.query, { tenantId, identifiers, fate: 'missing' }, clock.now());
    await rig.sendAll();
    expect(await rig.messages()).toEqual(['delivered 7']);
    expect(rig.counted('calls')).toBe('10');
  });

  /** In doubt for 21 h, its minute is looked at. */
  const doubted = async (kind: 'fails_before' | 'fails_after'): Promise<void> => {
    await tell('7');
    rig.stripe.faults.next(SENDS, { kind });
    await rig.newSender().run();
    rig.stripe.settle();
    rig.clock.advance(21 * HOUR_MS);
  };

  it.each([
    [
      'cannot be read',
      () => rig.stripe.faults.next(/event_summaries/, { kind: 'fails_before' }, 20),
      'waiting 7 unknown_fate',
    ],
    ['have no meter any more', () => deactivate(), 'dead 7 no_meter'],
    ['have no customer any more', async () => rig.sdk.customers.del(stripeCustomer()), 'dead 7 no_customer'],
    ['may hold a dead letter, too', () => addDeadInDoubt(), 'dead 7 unknown_fate'],
    ['may not be up to date', () => rows("tried_at = '2026-03-16T08:55:00Z'", 'true'), 'waiting 7 unknown_fate'],
  ] as const)('in doubt, of which the sums %s', async (_, goWrong, then) => {
    await doubted('fails_before');
    await goWrong();
    await rig.newSender().run();
    rig.stripe.faults.clear();
    expect((await rig.messages()).at(0)).toEqual(then);
    expect(sends().length).toBe(1);
  });
  const stripeCustomer = (): string => rig.payers.get(rig.customerId('acme'))?.stripeCustomerId ?? '';
  const deactivate = async (): Promise<void> => {
    for (const { id } of (await rig.sdk.billing.meters.list({ status: 'active' })).data)
      await rig.sdk.billing.meters.deactivate(id);
  };
  /** In the same minute. */
  const addDeadInDoubt = () =>
    database.query({
      text: `INSERT INTO usage_messages (customer_id, feature_key, period_start, number, tenant_id, quantity, used_at, created_at, identifier,
          state, next_attempt_at, unknown_since, counted_at, stripe_customer_id)
        SELECT customer_id, feature_key, period_start, 2, tenant_id, -7, used_at, created_at, 'other', 'dead', next_attempt_at, unknown_since,
          counted_at, stripe_customer_id FROM usage_messages WHERE tenant_id = $1`,
      params: [rig.tenantId],
    });

  it('of which the sums tell nothing before 20 h waits for them', async () => {
    await tell('7');
    rig.stripe.faults.next(SENDS, { kind: 'fails_before' });
    await rig.newSender().run();
    await addDeadInDoubt();
    const payer = rig.payers.get(rig.customerId('acme'));
    rig.clock.advance(2 * HOUR_MS); // its invoice was closed meanwhile
    const billedFromMs = Date.parse('2026-03-15T12:30:00Z');
    if (payer) rig.payers.set(rig.customerId('acme'), { ...payer, billedFromMs });
    await rig.newSender().run();
    expect(await rig.messages()).toEqual(['waiting 7 unknown_fate', 'dead -7']);
    expect(sends().length).toBe(1);
  });

  it('in doubt is looked for in the meter that there is now', async () => {
    const sender = rig.newSender();
    await doubted('fails_before');
    await sender.run();
    expect(await rig.messages()).toEqual(['delivered 7']);
    await deactivate();
    await rig.sdk.billing.meters.create({
      display_name: 'calls',
      event_name: meterEventName(rig.tenantId, 'calls'),
      default_aggregation: { formula: 'sum' },
    });
    await tell('9');
    rig.stripe.faults.next(SENDS, { kind: 'fails_after' });
    await sender.run();
    rig.stripe.settle();
    rig.clock.advance(21 * HOUR_MS);
    const before = sends().length;
    await sender.run();
    expect(await rig.messages()).toEqual(['delivered 7', 'delivered 2']);
    expect(sends().length).toBe(before);
  });

  it('of a gateway whose clock is ahead waits for Stripe’s', async () => {
    await tell('7');
    await rows(`used_at = '2026-03-15T12:06:00Z'`, 'true');
    const sender = rig.newSender();
    await sender.run();
    expect(await rig.messages()).toEqual(['waiting 7 clock_ahead']);
    rig.clock.advance(60_000);
    await sender.run();
    expect(await rig.messages()).toEqual(['delivered 7']);
  });

  it.each([401, 403])('waits while a key is refused by %d, and somebody is told once a pause', async (status) => {
    await tell('7');
    const paused: string[] = [];
    const sender = rig.newSender({}, ({ code, sentence }) => paused.push(`${code} ${sentence}`));
    rig.stripe.faults.next(SENDS, { kind: 'refused', status }, 2);
    for (const ms of [0, 30_000, 90_000, 0]) {
      rig.clock.advance(ms);
      await sender.run();
    }
    expect(await rig.messages()).toEqual(['waiting 7 not_allowed']);
    expect(paused).toHaveLength(2);
    expect(await rig.sendAll(sender)).toBe(true);
    expect(rig.counted('calls')).toBe('7');
  });

  it('waits for its customer to be known at Stripe, and for 35 days at most', async () => {
    const payer = rig.payers.get(rig.customerId('acme'));
    rig.payers.clear();
    await tell('7');
    await rig.newSender().run();
    expect(await rig.messages()).toEqual(['waiting 7 no_customer']);
    if (payer) rig.payers.set(rig.customerId('acme'), payer);
    await rig.newSender().run();
    expect(sends()).toEqual([]);
    await wakeMessages(database.query, rig.customerId('acme'), rig.clock.now());
    await rig.newSender().run();
    expect(rig.counted('calls')).toBe('7');
    rig.payers.clear();
    await tell('9');
    rig.clock.advance(35 * DAY_MS + 1_000);
    await rig.newSender().run();
    expect(await rig.messages()).toEqual(['delivered 7', 'dead 2 too_old']);
  });

  it('that Stripe accepts and refuses later is a dead letter; mended, it is sent by another name', async () => {
    const id = rig.customerId('acme');
    const payer = rig.payers.get(id);
    rig.payers.set(id, payerOf('cus_gone'));
    await tell('7');
    await rig.sendAll();
    expect(await rig.messages()).toEqual(['delivered 7']);
    rig.stripe.settle();
    const told = rig.stripe.account().thinEvents.all().at(-1);
    const report = await rig.sdk.v2.core.events.retrieve(`${told?.id}`);
    if (report.type !== 'v1.billing.meter.error_report_triggered') throw new Error(report.type);
    const { tenantId, clock } = rig;
    expect(await buryReported(database.query, report, 'acct_other')).toMatchObject({ buried: [] }); // another's word
    const { buried, unnamed } = await buryReported(database.query, report, null);
    expect([buried.length, unnamed]).toEqual([1, 0]);
    expect(await buryReported(database.query, report, null)).toEqual({ buried: [], unnamed: 0 }); // told twice
    expect(await rig.messages()).toEqual(['dead 7 meter_event_customer_not_found']);
    if (payer) rig.payers.set(id, payer);
    const letters = await findDeadLetters(database.query, tenantId);
    const identifiers = letters.map(({ identifier }) => identifier);
    expect(await resendDeadLetters(database.query, { tenantId, identifiers }, clock.now())).toBe(1);
    expect(await resendDeadLetters(database.query, { tenantId, identifiers }, clock.now())).toBe(0);
    expect(await buryReported(database.query, report, null)).toEqual({ buried: [], unnamed: 0 }); // it means the one before
    await rig.sendAll();
    expect(await rig.messages()).toEqual(['delivered 7']);
    expect(rig.counted('calls', 'acme')).toBe('7');
    expect(sends().at(-1)?.params.identifier).toBe(`${identifiers[0]}.1`);
  });

  it('of a feature that Stripe has no meter for is a dead letter', async () => {
    await rig.copy('acme', 'tokens', '5');
    await rig.collect();
    await rig.sendAll();
    expect(await rig.messages()).toEqual(['dead 5 no_meter']);
  });

  it('that comes when its invoice is closed counts on the next one', async () => {
    const id = rig.customerId('acme');
    const payer = rig.payers.get(id);
    await tell('7');
    await rig.sendAll();
    const nextFrom = '2026-04-01T00:00:00Z';
    rig.clock.set('2026-04-02T08:00:00Z');
    if (payer) rig.payers.set(id, { ...payer, billedFromMs: Date.parse(nextFrom) });
    await tell('9');
    await rig.sendAll();
    expect(sends().map(({ params }) => new Date(Number(params.timestamp) * 1_000).toISOString())).toEqual([
      '2026-03-15T12:00:00.000Z',
      '2026-04-01T00:00:00.000Z',
    ]);
  });

  it('is told of once when it is late for its invoice, and once when it is dead', async () => {
    rig.payers.clear();
    await tell('7');
    const troubles = async () =>
      (await tellTroubles(database, rig.clock.now())).map(({ kind, code }) => `${kind} ${code}`);
    rig.clock.set('2026-03-16T11:59:59Z');
    await rig.newSender().run();
    expect(await troubles()).toEqual([]);
    rig.clock.set('2026-03-16T12:00:00Z'); // open for a day
    expect(await troubles()).toEqual(['overdue no_customer']);
    expect(await troubles()).toEqual([]);
    rig.clock.set('2026-04-20T00:00:00Z');
    await rig.newSender().run();
    expect(await troubles()).toEqual(['dead too_old']);
    expect(await troubles()).toEqual([]);
  });

  it.each([Number.POSITIVE_INFINITY, 100])(
    'goes no faster than it may, with the stream from %d on',
    async (streamFrom) => {
      const customers = Array.from({ length: 5 }, (_, i) => `customer-${i}`);
      rig = await openUsage(database, { stripeRig, customers });
      for (const name of customers) await rig.copy(name, 'calls', '3');
      await rig.collect();
      const sender = rig.newSender({ perSecond: 2, streamFrom });
      const sentAfter = async (ms: number): Promise<number> => {
        rig.clock.advance(ms);
        await sender.run();
        return sends().length;
      };
      const sent = [await sentAfter(0), await sentAfter(100), await sentAfter(2_500), await sentAfter(2_500)];
      expect(sent).toEqual([2, 2, 4, 5]);
    },
  );

  describe('by the stream', () => {
    const STREAM = 'POST /v2/billing/meter_event_stream';
    const SESSION = 'POST /v2/billing/meter_event_session';
    const MANY = Array.from({ length: 250 }, (_, i) => `many-${i}`);
    let many: UsageRig;
    beforeEach(async () => {
      many = await openUsage(database, { stripeRig, customers: MANY });
      for (const name of MANY) await many.copy(name, 'calls', '3');
      await many.collect();
      asked = many.stripe.requests.length;
    });
    let asked = 0;
    const requests = () =>
      many.stripe.requests
        .slice(asked)
        .map(({ operation, status }) => `${operation.split('_').at(-1)} ${status}`)
        .sort();

    it('goes what there is much of, a hundred at a time, in one session', async () => {
      await many.sendAll(many.newSender({ streamFrom: 100 }));
      expect(requests()).toEqual(['session 200', 'stream 200', 'stream 200', 'stream 200']);
      expect(many.counted('calls')).toBe('750');
    });

    it('goes a session before its end by the next one, and once more where Stripe has ended it', async () => {
      const sender = many.newSender({ streamFrom: 1 });
      await many.sendAll(sender);
      const again = async (afterMs: number) => {
        asked = many.stripe.requests.length;
        many.clock.advance(afterMs);
        await many.copy('many-0', 'calls', String(many.clock.now() % 1_000_003));
        await many.collect();
        await many.sendAll(sender);
        return requests();
      };
      expect(await again(12 * 60_000)).toEqual(['stream 200']);
      expect(await again(60_000 + 1)).toEqual(['session 200', 'stream 200']);
      many.stripe.account().sessions.clear();
      asked = many.stripe.requests.length;
      expect(await again(1_000)).toEqual(['session 200', 'stream 200']);
      expect((await many.messages()).every((line) => line.startsWith('delivered'))).toBe(true);
    });

    it.each([
      ['fails after it has happened', { kind: 'fails_after' }, 1],
      ['is cut after it has happened', { kind: 'cut_after' }, 2],
      ['fails before', { kind: 'fails_before' }, 1],
      ['is refused for now', { kind: 'rate_limited', retryAfterSeconds: 2 }, 1],
    ] as const)('goes again what %s, and counts once', async (_, fault, times) => {
      many.stripe.faults.next(STREAM, fault, times);
      expect(await many.sendAll(many.newSender({ streamFrom: 50, inFlightMax: 1 }))).toBe(true);
      expect(many.counted('calls')).toBe('750');
    });

    it('goes one by one for ten minutes after what is refused, which finds the one that is wrong', async () => {
      await many.copy('many-1', 'tokens', '3'); // there is no meter for it
      await many.collect();
      many.stripe.faults.next(STREAM, { kind: 'refused', status: 400 }, 3);
      const sender = many.newSender({ streamFrom: 50, perSecond: 1_000, inFlightMax: 1 });
      expect(await many.sendAll(sender)).toBe(true);
      const all = await many.messages();
      expect(all.filter((line) => line !== 'delivered 3')).toEqual(['dead 3 no_meter']);
      expect(all).toHaveLength(251);
      expect(many.counted('calls')).toBe('750');
      expect(requests().filter((line) => line === 'stream 400')).toHaveLength(3);
      expect(requests().filter((line) => line === 'stream 200')).toEqual([]);
    });

    it('goes nothing while there is no session, and all of it later', async () => {
      many.stripe.faults.next(SESSION, { kind: 'fails_before' });
      expect(await many.sendAll(many.newSender({ streamFrom: 50, perSecond: 1_000 }))).toBe(true);
      expect(many.counted('calls')).toBe('750');
    });
  });
});

async function nextOf({ database }: UsageRig): Promise<{ readonly at: Date } | undefined> {
  const [row] = await database.query<{ at: Date }>({
    text: 'SELECT min(next_attempt_at) AS at FROM usage_messages',
    params: [],
  });
  return row;
}
