/**
 * Goal: whatever a receiver does, what happened reaches it at least once while there is hope, and nobody else waits for it.
 * Method: real servers on loopback that answer, fail, hang, redirect, flood; a clock that is moved through days of retries.
 */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RETRIED_FOR_MS } from '../../server/domain/retry.ts';
import { addTenant } from '../api/rig.ts';
import { describeEngines } from '../support/engines.ts';
import type { HttpClient } from '../support/http-client.ts';
import { openReceiver, type Receiver, verified } from './receiver.ts';
import { change, ENDPOINTS, type Endpoint, openRig, type Rig } from './rig.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Listed = {
  readonly id: string;
  readonly url: string;
  readonly failingSince: string | null;
  readonly disabledAt: string | null;
  readonly disabledReason: string | null;
};

describeEngines('deliveries', (engine) => {
  let rig: Rig;
  /** Another tenant. */
  let stranger: HttpClient;
  let receiver: Receiver;
  let endpoint: Endpoint;
  let isPro = true;

  /** One gateway for all of them, which takes longer to start than most of them to run. */
  beforeAll(async () => {
    rig = await openRig(await engine.open(), {
      webhooks: { allowPrivate: true, timeoutMs: 300 },
      noticeStopGraceMs: 100,
    });
    stranger = rig.as((await addTenant(rig)).key);
  });

  /** As if nobody had ever listened. */
  beforeEach(async () => {
    await rig.gateway.notices.idle();
    const text = 'TRUNCATE webhook_endpoints, webhook_deliveries, outgoing_events';
    await rig.database.query({ text, params: [] });
    await change(rig, 'setCustomerPlan', { referenceId: 'acme', planKey: 'pro', effective: 'IMMEDIATELY' });
    isPro = true;
    receiver = await openReceiver();
    endpoint = await rig.addEndpoint(receiver.url, ['SUBSCRIPTION_CHANGED']);
  });

  /** Something that is told. */
  const happen = async () => {
    isPro = !isPro;
    await change(rig, 'setCustomerPlan', {
      referenceId: 'acme',
      planKey: isPro ? 'pro' : 'free',
      effective: 'IMMEDIATELY',
    });
  };
  const endpoints = async (): Promise<readonly Listed[]> =>
    (await rig.data<{ webhookEndpoints: { nodes: Listed[] } }>(ENDPOINTS)).webhookEndpoints.nodes;
  const atMs = (iso: string | null | undefined): number => Date.parse(iso ?? '');

  it('that are taken are in the log, and not sent again', async () => {
    await happen();
    await rig.tell();
    await rig.tell();
    expect(receiver.heard).toHaveLength(1);
    expect(await rig.log()).toEqual([
      expect.objectContaining({
        eventType: 'metergraph.subscription.changed',
        eventId: receiver.heard[0]?.headers['webhook-id'],
        referenceId: 'acme',
        state: 'DELIVERED',
        attempts: 1,
        nextAttemptAt: null,
        lastStatus: 204,
        lastError: null,
        deliveredAt: new Date(rig.clock.now()).toISOString(),
      }),
    ]);
  });

  it('that fail are sent again, the same event by the same id, signed anew', async () => {
    receiver.answer(500);
    await happen();
    await rig.tell();
    const [failed] = await rig.log();
    expect(failed).toMatchObject({ state: 'PENDING', attempts: 1, lastStatus: 500, lastError: 'Answered 500.' });
    expect((await endpoints())[0]?.failingSince).not.toBeNull();
    await rig.tell(); // it is not due yet
    expect(receiver.heard).toHaveLength(1);
    receiver.answer(200);
    rig.clock.set(failed?.nextAttemptAt ?? '');
    await rig.tell();
    expect(await rig.log()).toMatchObject([{ state: 'DELIVERED', attempts: 2, lastError: null }]);
    expect((await endpoints())[0]?.failingSince).toBeNull();
    const [first, second] = receiver.heard.map(({ headers, body }) => ({ headers, body }));
    expect(second?.body).toBe(first?.body);
    expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
    for (const { headers, body } of [first, second].filter((message) => message !== undefined))
      verified(endpoint.secret, headers, body);
  });

  it('are given up after 3 days, in tries that come ever later', async () => {
    receiver.answer(503);
    await happen();
    const startMs = rig.clock.now();
    const tried: number[] = [];
    for (;;) {
      await rig.tell();
      tried.push(rig.clock.now() - startMs);
      const [{ state, nextAttemptAt } = { state: '', nextAttemptAt: null }] = await rig.log();
      if (state !== 'PENDING') break;
      expect(atMs(nextAttemptAt)).toBeGreaterThan(rig.clock.now());
      rig.clock.set(nextAttemptAt ?? '');
    }
    expect(tried.at(-1)).toBe(RETRIED_FOR_MS);
    expect(receiver.heard).toHaveLength(tried.length);
    expect(tried.length).toBeGreaterThan(12);
    expect(tried.length).toBeLessThan(20);
    expect(await rig.log()).toMatchObject([{ state: 'FAILED', nextAttemptAt: null, lastStatus: 503 }]);
    rig.clock.advance(DAY_MS);
    await rig.tell();
    expect(receiver.heard).toHaveLength(tried.length);
  });

  it('wait as long as the receiver asks', async () => {
    receiver.answer((response) => response.writeHead(429, { 'retry-after': '7200' }).end());
    await happen();
    await rig.tell();
    const [delivery] = await rig.log();
    expect(atMs(delivery?.nextAttemptAt)).toBe(rig.clock.now() + 2 * HOUR_MS);
  });

  it('of a receiver that is gone end at once, and it is disabled', async () => {
    receiver.answer(503);
    await happen();
    await rig.tell();
    receiver.answer(410);
    rig.clock.advance(1_000);
    await happen();
    await rig.tell();
    expect(await rig.log()).toMatchObject([
      { state: 'FAILED', lastStatus: 410 },
      { state: 'FAILED', lastStatus: 503 },
    ]);
    expect(await endpoints()).toMatchObject([
      { disabledAt: new Date(rig.clock.now()).toISOString(), disabledReason: expect.stringContaining('410') },
    ]);
    await happen();
    rig.clock.advance(DAY_MS);
    await rig.tell();
    expect(receiver.heard).toHaveLength(2);
    expect(await rig.log()).toHaveLength(2);
  });

  it('disable a receiver that has failed for 5 days, and go on when it is enabled again', async () => {
    receiver.answer(500);
    for (let day = 0; day <= 5; day += 1) {
      await happen();
      await rig.tell();
      const [{ disabledAt } = { disabledAt: null }] = await endpoints();
      expect({ day, isDisabled: disabledAt !== null }).toEqual({ day, isDisabled: day === 5 });
      rig.clock.advance(DAY_MS);
    }
    expect(await endpoints()).toMatchObject([{ disabledReason: 'Every try has failed for 5 days.' }]);
    expect(await rig.log({ state: 'PENDING' })).toEqual([]);
    receiver.answer(200);
    await change(rig, 'updateWebhookEndpoint', { endpointId: endpoint.id, isDisabled: false });
    await happen();
    await rig.tell();
    expect(await rig.log({ state: 'DELIVERED' })).toHaveLength(1);
    expect(await endpoints()).toMatchObject([{ disabledAt: null, disabledReason: null, failingSince: null }]);
  });

  it('to one that hangs keep no other waiting', async () => {
    const patient = await openRig(rig.database, { clock: rig.clock, noticeStopGraceMs: 100 });
    const hanging = await openReceiver();
    hanging.answer(() => {});
    await patient.addEndpoint(hanging.url, ['SUBSCRIPTION_CHANGED']);
    for (let i = 0; i < 10; i += 1) await happen();
    await patient.gateway.notices.run();
    await receiver.hears(10);
    await hanging.hears(4);
    expect(hanging.heard).toHaveLength(4); // of its ten, and all the while
  });

  it('to more that hang than there are places keep no other tenant waiting', async () => {
    const webhooks = { allowPrivate: true, timeoutMs: 600_000 };
    const patient = await openRig(rig.database, { clock: rig.clock, noticeStopGraceMs: 100, webhooks });
    const hanging = await openReceiver();
    hanging.answer(() => {});
    const text = `INSERT INTO webhook_endpoints (id, tenant_id, kind, url, event_types, secrets, created_at)
      SELECT gen_random_uuid(), $1, 'webhook', $2, '{subscription.changed}', '[]', '2026-01-01' FROM generate_series(1, 300)`;
    await rig.database.query({ text, params: [rig.tenantId, hanging.url] });
    await happen();
    const theirs = await openReceiver();
    const { id: endpointId } = await rig.addEndpoint(theirs.url, ['SUBSCRIPTION_CHANGED'], stranger);
    rig.clock.advance(1_000); // they come last
    await change(stranger, 'sendTestEvent', { endpointId });
    await patient.gateway.notices.run();
    await theirs.hears(1);
  });

  it('to one that hangs end', async () => {
    receiver.answer(() => {});
    await happen();
    await rig.tell();
    expect(await rig.log()).toMatchObject([
      { state: 'PENDING', attempts: 1, lastStatus: null, lastError: 'No answer within 0.3 s.' },
    ]);
  });

  it('go out by themselves, and are counted', async () => {
    const metric = async (name: string): Promise<number> => {
      const lines = (await (await fetch(`${rig.url}/metrics`)).text()).split('\n');
      return Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length) ?? 0);
    };
    const retried = () => metric('metergraph_webhook_deliveries_total{outcome="retried"}');
    const before = await retried();
    receiver.answer(500);
    await happen();
    await rig.tell();
    rig.clock.advance(90_000);
    await rig.tell();
    expect((await retried()) - before).toBe(2);
    expect(await metric('metergraph_webhook_queue_age_seconds')).toBeGreaterThan(80);
    receiver.answer(200);
    rig.clock.advance(90_000);
    await openRig(rig.database, { clock: rig.clock, noticeIntervalMs: 20 });
    await receiver.hears(3);
  });

  it('follow no redirect', async () => {
    const inside = await openReceiver();
    receiver.answer((response) => response.writeHead(307, { location: inside.url }).end());
    await happen();
    await rig.tell();
    expect(inside.heard).toEqual([]);
    expect(await rig.log()).toMatchObject([
      { state: 'PENDING', lastStatus: 307, lastError: 'Answered 307; redirects are not followed.' },
    ]);
  });

  it('read next to nothing of an answer without an end', async () => {
    const closed = new Promise<void>((resolve) => {
      receiver.answer((response) => {
        response.writeHead(200);
        const flood = () => {
          while (!response.destroyed && response.write(Buffer.alloc(65_536)));
        };
        response.on('drain', flood).on('close', resolve);
        flood();
      });
    });
    await happen();
    await rig.tell();
    await closed;
    expect(await rig.log()).toMatchObject([{ state: 'DELIVERED', lastStatus: 200 }]);
  });

  it('that nobody listens to say so', async () => {
    await change(rig, 'updateWebhookEndpoint', { endpointId: endpoint.id, url: 'http://127.0.0.1:1/' });
    await happen();
    await rig.tell();
    expect(await rig.log()).toMatchObject([{ lastStatus: null, lastError: 'The connection failed (ECONNREFUSED).' }]);
  });

  describe('by hand', () => {
    it('a test is sent, whatever the endpoint is told of', async () => {
      const fields = '... on WebhookDelivery { eventType state }';
      const sent = await change(rig, 'sendTestEvent', { endpointId: endpoint.id }, fields);
      expect(sent).toMatchObject({ eventType: 'metergraph.webhook.test', state: 'PENDING' });
      await rig.tell();
      expect(verified(endpoint.secret, receiver.heard[0]?.headers ?? {}, receiver.heard[0]?.body ?? '')).toMatchObject({
        type: 'metergraph.webhook.test',
      });
    });

    it('one is sent again, by the same id', async () => {
      await happen();
      await rig.tell();
      const [delivery] = await rig.log();
      await change(rig, 'replayDelivery', { deliveryId: delivery?.id });
      await rig.tell();
      expect(receiver.heard.map(({ headers }) => headers['webhook-id'])).toEqual([
        delivery?.eventId,
        delivery?.eventId,
      ]);
      expect(await rig.log()).toMatchObject([{ state: 'DELIVERED', attempts: 1 }]);
    });

    it('all that have failed since are sent again', async () => {
      receiver.answer(410);
      await happen();
      await rig.tell();
      await change(rig, 'updateWebhookEndpoint', { endpointId: endpoint.id, isDisabled: false });
      rig.clock.advance(HOUR_MS);
      const since = new Date(rig.clock.now()).toISOString();
      await happen();
      await rig.tell();
      await change(rig, 'updateWebhookEndpoint', { endpointId: endpoint.id, isDisabled: false });
      receiver.answer(200);
      const replay = { endpointId: endpoint.id, since };
      const fields = '... on ReplayedDeliveries { count }';
      expect(await change(rig, 'replayFailedDeliveries', replay, fields)).toMatchObject({ count: 1 });
      await rig.tell();
      expect((await rig.log()).map(({ state }) => state)).toEqual(['DELIVERED', 'FAILED']);
    });

    it('nothing is sent to one that is disabled', async () => {
      await change(rig, 'updateWebhookEndpoint', { endpointId: endpoint.id, isDisabled: true });
      const document = `mutation ($id: ID!) { sendTestEvent(input: { endpointId: $id }) { ... on UserError { code message } } }`;
      expect(await rig.data(document, { id: endpoint.id })).toEqual({
        sendTestEvent: { code: 'INVALID_INPUT', message: expect.stringContaining('enable it first') },
      });
    });
  });

  describe('secrets', () => {
    it('both sign for a day, and then the new one alone', async () => {
      const fields = '... on WebhookEndpointSecret { secret }';
      const { secret } = await change(rig, 'rotateWebhookSecret', { endpointId: endpoint.id }, fields);
      const takes = async (by: string): Promise<boolean> => {
        await happen();
        await rig.tell();
        const { headers, body } = receiver.heard.at(-1) ?? { headers: {}, body: '' };
        try {
          verified(by, headers, body);
          return true;
        } catch {
          return false;
        }
      };
      rig.clock.advance(DAY_MS - 1);
      expect([await takes(endpoint.secret), await takes(String(secret))]).toEqual([true, true]);
      rig.clock.advance(1);
      expect([await takes(endpoint.secret), await takes(String(secret))]).toEqual([false, true]);
    });

    it('are shown once', async () => {
      expect(JSON.stringify([await endpoints(), await rig.log()])).not.toContain('whsec_');
    });
  });

  it('are nobody else’s to see, change or send again', async () => {
    await happen();
    await rig.tell();
    const [delivery] = await rig.log();
    expect(await rig.log({}, stranger)).toEqual([]);
    expect(await rig.log({ endpointId: endpoint.id }, stranger)).toEqual([]);
    expect(await stranger.data(ENDPOINTS)).toEqual({ webhookEndpoints: { nodes: [] } });
    const refused = async (verb: string, input: string) => {
      const answer = await stranger.data<Record<string, { code: string }>>(
        `mutation { ${verb}(input: ${input}) { ... on UserError { code } } }`,
      );
      return answer[verb]?.code;
    };
    const id = JSON.stringify(endpoint.id);
    for (const verb of ['updateWebhookEndpoint', 'rotateWebhookSecret', 'deleteWebhookEndpoint', 'sendTestEvent']) {
      expect(await refused(verb, `{ endpointId: ${id} }`)).toBe('WEBHOOK_ENDPOINT_NOT_FOUND');
    }
    expect(await refused('replayDelivery', `{ deliveryId: ${JSON.stringify(delivery?.id)} }`)).toBe(
      'WEBHOOK_DELIVERY_NOT_FOUND',
    );
    const theirs = await openReceiver();
    await rig.addEndpoint(theirs.url, ['SUBSCRIPTION_CHANGED'], stranger);
    await happen();
    await rig.tell();
    expect(theirs.heard).toEqual([]);
    expect(receiver.heard).toHaveLength(2);
  });

  it('end with their endpoint', async () => {
    await happen();
    await change(rig, 'deleteWebhookEndpoint', { endpointId: endpoint.id });
    await rig.tell();
    expect(receiver.heard).toEqual([]);
    expect([await endpoints(), await rig.log()]).toEqual([[], []]);
  });

  it('are forgotten 30 days after their last try might have been, whatever became of them', async () => {
    await happen();
    await rig.tell();
    rig.clock.advance(1_000);
    await happen();
    rig.clock.advance(RETRIED_FOR_MS + 30 * DAY_MS - 1_000);
    const { query } = rig.database;
    await query({ text: 'UPDATE webhook_endpoints SET disabled_at = now(), disabled_reason = $1', params: ['Race.'] });
    await rig.tell();
    expect(await rig.log()).toMatchObject([{ state: 'FAILED', lastError: 'Race.' }, { state: 'DELIVERED' }]);
    // As something that nobody ever ends would be.
    await query({
      text: `UPDATE webhook_deliveries SET state = 'pending', next_attempt_at = '2999-01-01'`,
      params: [],
    });
    rig.clock.advance(60_000);
    await rig.tell();
    expect(await rig.log()).toEqual([]);
    expect(await rig.database.query({ text: 'SELECT 1 FROM outgoing_events', params: [] })).toEqual([]);
  });

  it('that a stop interrupts cost no try, and are sent by the next', async () => {
    const patient = await openRig(rig.database, {
      clock: rig.clock,
      webhooks: { allowPrivate: true },
      noticeStopGraceMs: 100,
    });
    receiver.answer(() => {});
    await happen();
    await patient.gateway.notices.run();
    await receiver.hears(1);
    await patient.close();
    expect(await rig.log()).toMatchObject([{ state: 'PENDING', attempts: 0 }]);
    receiver.answer(200);
    await rig.tell();
    expect(await rig.log()).toMatchObject([{ state: 'DELIVERED', attempts: 1 }]);
  });
});
