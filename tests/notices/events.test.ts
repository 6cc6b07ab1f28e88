/**
 * Goal: each thing that happens is told once, with what it says, signed so that the official verifier takes it. Method: a
 * gateway whose clock moves by hand, and a receiver on loopback, on both databases.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { emit } from '../../server/db/queries/outgoing-events.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { deadLetter, subscriptionStatusChanged } from '../../server/domain/notices-of-money.ts';
import { defineConfig } from '../../server/index.ts';
import { describeEngines } from '../support/engines.ts';
import { openReceiver, type Receiver, verified } from './receiver.ts';
import { ALL_TYPES, change, openRig, type Rig } from './rig.ts';

const CONFIG = defineConfig({
  features: {
    calls: { reset: 'daily', limit: 5, thresholds: [0.8] },
    soft: { aggregation: 'sum', reset: 'monthly', limit: 10, enforcement: 'soft', thresholds: [] },
    sms: { aggregation: 'sum', reset: 'monthly', thresholds: [] },
    pages: { aggregation: 'sum', reset: 'monthly', thresholds: [] },
  },
  plans: {
    pro: {
      wallet: { currency: 'usd', autoTopUp: { threshold: 50, amount: 100 } },
      features: {
        calls: {},
        soft: {},
        sms: { price: { unitAmount: 10, currency: 'usd' }, billing: 'prepaid' },
        pages: { price: { unitAmount: 10, currency: 'usd' } },
      },
    },
    euro: { features: { pages: { price: { unitAmount: 7, currency: 'eur' } } } },
    free: { features: { calls: { limit: 2 } } },
  },
});

type Told = { readonly type: string; readonly subject?: string; readonly data: Record<string, unknown> };

describeEngines('events', (engine) => {
  let rig: Rig;
  let receiver: Receiver;
  let secret: string;

  beforeEach(async () => {
    rig = await openRig(await engine.open({ until: 'test' }), { config: CONFIG });
    receiver = await openReceiver();
    ({ secret } = await rig.addEndpoint(receiver.url, ALL_TYPES));
    rig.clock.advance(1);
  });

  const told = (): readonly Told[] =>
    receiver.heard.map(({ body, headers }) => verified(secret, headers, body) as Told);
  const says = (type: string) =>
    told()
      .filter((event) => event.type === `metergraph.${type}`)
      .map(({ data }) => data);
  const use = (featureKey: string, amount = 1, fields: Record<string, unknown> = {}) =>
    change(rig, 'consume', { referenceId: 'acme', featureKey, amount, ...fields });

  it('are CloudEvents in structured mode', async () => {
    await use('calls', 4);
    await rig.tell();
    expect(receiver.heard).toHaveLength(1);
    const [heard] = receiver.heard;
    if (!heard) throw new Error('nothing was heard');
    const { headers, body } = heard;
    expect(headers['content-type']).toBe('application/cloudevents+json');
    const event = JSON.parse(body);
    expect(event).toEqual({
      specversion: '1.0',
      id: headers['webhook-id'],
      source: `/metergraph/tenants/${rig.tenantId}`,
      type: 'metergraph.usage.threshold_reached',
      subject: 'acme',
      time: new Date(rig.clock.now()).toISOString(),
      datacontenttype: 'application/json',
      data: {
        featureKey: 'calls',
        threshold: { kind: 'fraction', value: '0.8', falling: false },
        used: '4',
        limit: '5',
        period: { start: expect.any(String), end: expect.any(String) },
        sequence: '1',
      },
    });
  });

  it('limit.exceeded: the first refusal of a period, and of no other', async () => {
    await use('calls', 5);
    for (let i = 0; i < 3; i += 1) await use('calls');
    await rig.tell();
    await use('calls');
    await rig.tell();
    expect(says('limit.exceeded')).toEqual([
      { featureKey: 'calls', how: 'denied', used: '5', limit: '5', period: expect.anything() },
    ]);
    rig.clock.advance(24 * 3_600_000);
    await use('calls', 6);
    await rig.tell();
    expect(says('limit.exceeded').map(({ used }) => used)).toEqual(['5', '0']);
  });

  it('limit.exceeded: use beyond a soft limit', async () => {
    await use('soft', 10);
    await use('soft', 1);
    await use('soft', 1);
    await rig.tell();
    expect(says('limit.exceeded')).toEqual([
      { featureKey: 'soft', how: 'passed', used: '11', limit: '10', period: expect.anything() },
    ]);
  });

  it('limit.exceeded: also to an endpoint that was made after the first refusal', async () => {
    const quiet = await openRig(await engine.open({ until: 'test' }), { config: CONFIG });
    const refused = () => change(quiet, 'consume', { referenceId: 'acme', featureKey: 'calls', amount: 6 });
    await refused();
    await quiet.tell();
    await quiet.addEndpoint(receiver.url, ALL_TYPES);
    quiet.clock.advance(60_000); // so long it is known that nobody listens
    await refused();
    await quiet.tell();
    await refused();
    await quiet.tell();
    expect(receiver.heard.map(({ body }) => JSON.parse(body).data.how)).toEqual(['denied']);
  });

  it('limit.exceeded: each limit of a period, raised or lowered below what is used', async () => {
    const limitTo = (featureKey: string, limit: number) =>
      change(rig, 'setCustomerLimits', { referenceId: 'acme', limits: [{ featureKey, limit }] });
    await use('soft', 8);
    await limitTo('soft', 5);
    await use('soft');
    await use('soft');
    await rig.tell();
    await limitTo('soft', 20);
    await use('soft', 10);
    await use('soft');
    await rig.tell();
    await use('calls', 6);
    await limitTo('calls', 7);
    await use('calls', 8);
    await rig.tell();
    expect(says('limit.exceeded').map(({ how, used, limit }) => [how, used, limit])).toEqual([
      ['passed', '9', '5'],
      ['passed', '21', '20'],
      ['denied', '0', '5'],
      ['denied', '0', '7'],
    ]);
  });

  it('balance.topped_up and balance.low', async () => {
    await change(rig, 'topUpWallet', { referenceId: 'acme', amount: 100, currency: 'usd' });
    await use('sms', 5);
    await use('sms', 1);
    await use('sms', 1);
    await rig.tell();
    expect(says('balance.topped_up')).toEqual([{ currency: 'usd', amount: '100', balance: '100' }]);
    expect(says('balance.low')).toEqual([{ currency: 'usd', balance: '40', threshold: '50', topUpAsked: '100' }]);
  });

  it('balance.low: money that is paid out, once for each fall, and no other is asked for', async () => {
    const pay = (verb: 'topUpWallet' | 'refundWallet', amount: number) =>
      change(rig, verb, { referenceId: 'acme', amount, currency: 'usd' });
    await pay('topUpWallet', 100);
    for (const amount of [40, 20, 10]) await pay('refundWallet', amount);
    await pay('topUpWallet', 30);
    await pay('refundWallet', 60);
    await rig.tell();
    const low = { currency: 'usd', threshold: '50', topUpAsked: null };
    expect(says('balance.low')).toEqual([
      { ...low, balance: '40' },
      { ...low, balance: '0' },
    ]);
  });

  it('period.closed: the total, once, when the day is over', async () => {
    await use('calls', 3);
    rig.clock.advance(24 * 3_600_000);
    await use('calls');
    await rig.tell();
    expect(says('period.closed')).toEqual([
      {
        featureKey: 'calls',
        period: { start: expect.any(String), end: expect.any(String) },
        used: '3',
        credits: '0',
        wallet: '0',
        overage: '0',
        walletCharge: null,
        overageCost: null,
        currency: null,
      },
    ]);
  });

  it('period.closed: also of a period that is used only after it has ended', async () => {
    const yesterday = new Date(rig.clock.now() - 24 * 3_600_000).toISOString();
    const late = { referenceId: 'acme', featureKey: 'calls', amount: 2, timestamp: yesterday };
    await change(rig, 'recordUsage', late);
    await change(rig, 'recordUsage', late);
    await rig.tell();
    expect(says('period.closed').map(({ used }) => used)).toEqual(['2']);
  });

  describe('period.closed: money', () => {
    const planIs = (planKey: string, effective: 'AT_RENEWAL' | 'IMMEDIATELY') =>
      change(rig, 'setCustomerPlan', { referenceId: 'acme', planKey, effective });
    const closed = () =>
      says('period.closed').map(({ used, overage, walletCharge, overageCost, currency }) => ({
        used,
        overage,
        walletCharge,
        overageCost,
        currency,
      }));
    const toNextMonth = async () => {
      rig.clock.advance(32 * 24 * 3_600_000);
      await change(rig, 'grantCredits', { referenceId: 'acme', featureKey: 'soft', amount: 1 }); // settles what is due
      await rig.tell();
    };
    const dollars = { walletCharge: '0', currency: 'usd' };

    it('as it was charged, though the plan is free by then', async () => {
      await use('pages', 150);
      await planIs('free', 'AT_RENEWAL');
      await toNextMonth();
      expect(closed()).toEqual([{ ...dollars, used: '150', overage: '150', overageCost: '1500' }]);
    });

    it('in dollars, though the plan charges in euros by then', async () => {
      await use('pages', 150);
      await planIs('euro', 'AT_RENEWAL');
      await toNextMonth();
      expect(closed()).toEqual([{ ...dollars, used: '150', overage: '150', overageCost: '1500' }]);
    });

    it('of two currencies, a period each', async () => {
      await use('pages', 150);
      rig.clock.advance(1_000);
      await planIs('euro', 'IMMEDIATELY');
      await use('pages', 2);
      await toNextMonth();
      expect(closed()).toEqual([
        { ...dollars, used: '150', overage: '150', overageCost: '1500' },
        { used: '2', overage: '2', walletCharge: '0', overageCost: '14', currency: 'eur' },
      ]);
    });

    it('of nothing, in the currency of the price', async () => {
      await change(rig, 'grantCredits', { referenceId: 'acme', featureKey: 'pages', amount: 5 });
      await use('pages', 3);
      await toNextMonth();
      expect(closed()).toEqual([{ ...dollars, used: '3', overage: '0', overageCost: '0' }]);
    });
  });

  it('subscription.changed: another plan, now or when it comes due', async () => {
    await change(rig, 'setCustomerPlan', { referenceId: 'acme', planKey: 'free', effective: 'IMMEDIATELY' });
    await change(rig, 'setCustomerPlan', { referenceId: 'acme', planKey: 'free', effective: 'IMMEDIATELY' });
    await change(rig, 'setCustomerPlan', { referenceId: 'acme', planKey: 'pro', effective: 'AT_RENEWAL' });
    await rig.tell();
    rig.clock.advance(32 * 24 * 3_600_000);
    await use('calls');
    await rig.tell();
    const plan = { change: 'plan', status: null, previousStatus: null, effectiveAt: expect.any(String) };
    expect(JSON.parse(JSON.stringify(receiver.heard.map(({ body }) => JSON.parse(body).data)))).toEqual([
      { ...plan, planKey: 'free', previousPlanKey: 'pro' },
      { ...plan, planKey: 'pro', previousPlanKey: 'free' },
    ]);
  });

  it('what others emit, once by its key', async () => {
    const { tenantId, database, clock } = rig;
    const of = { tenantId, customerId: customerIdOf(tenantId, 'acme'), referenceId: 'acme', atMs: clock.now() };
    const letter = {
      biller: 'stripe',
      kind: 'usage',
      reference: 'u1',
      featureKey: 'calls',
      amount: '3',
      code: 'x',
      message: 'X.',
    };
    const status = {
      planKey: 'pro',
      previousPlanKey: 'pro',
      status: 'past_due',
      previousStatus: 'active',
      effectiveAt: '2026-03-15T12:00:00.000Z',
    };
    for (let i = 0; i < 2; i += 1) {
      await database.db.transaction(async (tx) => {
        await emit(tx, deadLetter(tenantId, null, letter, clock.now()));
        await emit(tx, subscriptionStatusChanged(of, status, 'evt_1'));
      });
    }
    await expect(
      database.db.transaction(async (tx) => {
        await emit(tx, subscriptionStatusChanged(of, status, 'evt_2'));
        throw new Error('not now');
      }),
    ).rejects.toThrow('not now');
    await rig.tell();
    expect(says('billing.dead_letter')).toEqual([letter]);
    expect(says('subscription.changed')).toEqual([{ change: 'status', ...status }]);
  });

  describe('are not told', () => {
    it('where nobody listens, nor afterwards', async () => {
      const quiet = await openRig(await engine.open({ until: 'test' }), { config: CONFIG });
      await change(quiet, 'consume', { referenceId: 'acme', featureKey: 'calls', amount: 5 });
      await quiet.addEndpoint(receiver.url, ALL_TYPES);
      await quiet.tell();
      expect(receiver.heard).toEqual([]);
      const rows = await quiet.database.query({ text: 'SELECT 1 FROM outgoing_events', params: [] });
      expect(rows).toEqual([]);
    });

    it('to an endpoint that asked for others', async () => {
      const other = await openReceiver();
      await rig.addEndpoint(other.url, ['PERIOD_CLOSED']);
      await use('calls', 4);
      await rig.tell();
      expect(receiver.heard).toHaveLength(1);
      expect(other.heard).toEqual([]);
    });
  });
});
