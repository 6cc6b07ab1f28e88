/**
 * Goal: events reach endpoints as Stripe's do, and go wrong as they do: doubled, out of order, late, lost, refused.
 * Method: an endpoint of a few lines that verifies each with the SDK.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Stripe from 'stripe';
import { describe, expect, it } from 'vitest';
import { afterUse } from '../after-use.ts';
import { openStripe } from './rig.ts';
import { DAY } from './wire.ts';

const SECRET = 'whsec_test';

/** Remembers what it was sent; answers by what `status` says. */
async function openEndpoint(now: () => number) {
  const received: { readonly body: string; readonly event: string }[] = [];
  const state = { status: 200 };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    const header = `${request.headers['stripe-signature']}`;
    const verified = verify(body, header, now());
    received.push({ body, event: verified });
    response.writeHead(verified.startsWith('not') ? 400 : state.status).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  afterUse(() => server.close());
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/webhooks/stripe`,
    received,
    state,
    types: () => received.map(({ event }) => event),
  };
}

function verify(body: string, header: string, nowMs: number): string {
  try {
    if (JSON.parse(body).object === 'v2.core.event') {
      return new Stripe('sk_test_fake').parseEventNotification(body, header, SECRET, undefined, undefined, nowMs).type;
    }
    return Stripe.webhooks.constructEvent(body, header, SECRET, undefined, undefined, nowMs).type;
  } catch (failure) {
    return `not verified: ${(failure as Error).message.split('\n')[0]}`;
  }
}

async function openWebhooks(
  options: Parameters<Awaited<ReturnType<typeof openStripe>>['stripe']['webhooks']['to']>[1] = {},
) {
  const rig = await openStripe();
  const endpoint = await openEndpoint(() => rig.clock.now());
  rig.stripe.webhooks.to(endpoint.url, { secret: SECRET, ...options });
  return { ...rig, ...endpoint };
}

it('are signed, in order, and sent until they are taken', async () => {
  const { sdk, stripe, types, state } = await openWebhooks({ events: ['customer.created', 'product.created'] });
  await sdk.customers.create();
  await sdk.products.create({ name: 'A' });
  await sdk.products.update((await sdk.products.list()).data[0]?.id as string, { name: 'B' }); // nobody asked for that
  expect(types()).toEqual([]);
  state.status = 500;
  expect((await stripe.webhooks.deliver()).map(({ status }) => status)).toEqual([500, 500]);
  state.status = 200;
  await stripe.webhooks.deliver();
  expect(await stripe.webhooks.deliver()).toEqual([]);
  expect(types()).toEqual(['customer.created', 'product.created', 'customer.created', 'product.created']);
});

it('go out by themselves where a test wants them to, in time with what is due', async () => {
  const { sdk, stripe, types } = await openWebhooks();
  stripe.webhooks.automatically();
  await sdk.customers.create();
  await stripe.webhooks.idle();
  expect(types()).toEqual(['customer.created']);
});

describe('go wrong', () => {
  it('doubled and in another order', async () => {
    const { sdk, stripe, types } = await openWebhooks();
    for (const id of ['a', 'b']) await sdk.products.create({ id, name: id });
    await sdk.products.update('a', { name: 'A' });
    await stripe.webhooks.deliver({ pick: (waiting) => [...waiting, ...waiting].reverse() });
    expect(types()).toEqual([
      'product.updated',
      'product.created',
      'product.created',
      'product.updated',
      'product.created',
      'product.created',
    ]);
    expect(stripe.webhooks.waiting).toEqual([]);
  });

  it('days late: signed anew, they verify; replayed with their old signature, they do not', async () => {
    const { sdk, stripe, types, clock, received } = await openWebhooks();
    await sdk.customers.create();
    const old = clock.now() / 1_000;
    clock.advance(3 * DAY * 1_000);
    await stripe.webhooks.resend(stripe.webhooks.waiting, old);
    await stripe.webhooks.deliver();
    expect(types()).toEqual(['not verified: Timestamp outside the tolerance zone', 'customer.created']);
    expect(JSON.parse(`${received.at(-1)?.body}`).created).toBe(old);
  });

  it('under a secret that is no more', async () => {
    const { sdk, stripe, types } = await openWebhooks();
    await sdk.customers.create();
    await stripe.webhooks.deliver({ secret: 'whsec_old' });
    expect(types()[0]).toContain('not verified: No signatures found');
    expect(stripe.webhooks.waiting).toHaveLength(1);
  });

  it('lost, and can be read from the list of events for 30 days', async () => {
    const { sdk, stripe, types, clock } = await openWebhooks();
    await sdk.customers.create();
    stripe.webhooks.lose();
    await stripe.webhooks.deliver();
    expect(types()).toEqual([]);
    const { data } = await sdk.events.list({ types: ['customer.*'] });
    expect(data).toMatchObject([{ type: 'customer.created', data: { object: { object: 'customer' } } }]);
    expect(await sdk.events.retrieve(`${data[0]?.id}`)).toEqual(data[0]);
    clock.advance(30 * DAY * 1_000);
    expect((await sdk.events.list()).data).toEqual([]);
  });

  it('to nobody', async () => {
    const { sdk, stripe } = await openStripe();
    stripe.webhooks.to('http://127.0.0.1:9/nobody');
    await sdk.customers.create();
    expect(await stripe.webhooks.deliver()).toMatchObject([{ status: 0 }]);
  });
});

it('tell what the object was like then, and which request it was', async () => {
  const { sdk, stripe, received } = await openWebhooks();
  const { id } = await sdk.customers.create({ name: 'Ada' }, { idempotencyKey: 'k1' });
  await sdk.customers.update(id, { name: 'Eve' });
  await stripe.webhooks.deliver();
  const [created, updated] = received.map(({ body }) => JSON.parse(body) as Stripe.Event);
  expect(created).toMatchObject({ data: { object: { name: 'Ada' } }, request: { idempotency_key: 'k1' } });
  expect(updated).toMatchObject({ data: { object: { name: 'Eve' }, previous_attributes: { name: 'Ada' } } });
});

it('are thin for who wants them thin', async () => {
  const { sdk, stripe, types, received } = await openWebhooks({ isThin: true });
  await sdk.billing.meters.create({
    event_name: 'calls',
    display_name: 'Calls',
    default_aggregation: { formula: 'sum' },
  });
  const payload = { stripe_customer_id: 'cus_x', value: '1' };
  await sdk.billing.meterEvents.create({ event_name: 'calls', payload });
  stripe.settle();
  await stripe.webhooks.deliver();
  expect(types()).toEqual(['v1.billing.meter.error_report_triggered']);
  expect(JSON.parse(`${received[0]?.body}`)).not.toHaveProperty('data');
});

it('of connected accounts go to who asks for those', async () => {
  const { sdk, stripe, received } = await openWebhooks({ isConnect: true });
  await sdk.customers.create();
  await sdk.customers.create({}, { stripeAccount: 'acct_a' });
  await stripe.webhooks.deliver();
  expect(received.map(({ body }) => JSON.parse(body).account)).toEqual(['acct_a']);
});

it('go to endpoints that were made over the API, by the secret that is told once', async () => {
  const { sdk, stripe } = await openStripe();
  const { url, received } = await openEndpoint(() => 0);
  const made = await sdk.webhookEndpoints.create({ url, enabled_events: ['*'], metadata: { by: 'metergraph' } });
  expect(made.secret).toMatch(/^whsec_/);
  expect(await sdk.webhookEndpoints.retrieve(made.id)).not.toHaveProperty('secret');
  await sdk.customers.create();
  await stripe.webhooks.deliver();
  expect(received).toHaveLength(1);
  await sdk.webhookEndpoints.update(made.id, { disabled: true });
  await sdk.customers.create();
  expect(stripe.webhooks.waiting).toHaveLength(1); // refused, for this one verifies by another secret
  await sdk.webhookEndpoints.del(made.id);
  expect((await sdk.webhookEndpoints.list()).data).toEqual([]);
});
