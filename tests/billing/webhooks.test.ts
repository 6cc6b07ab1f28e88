/**
 * Goal: Stripe's notices come in by one door, are believed only when signed, and are answered well only when all is
 * committed. Method: requests over HTTP as anybody could send them, and a Stripe that fails when it is asked.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../support/engines.ts';
import { startGateway } from '../support/gateway.ts';
import { type BillingRig, buy, OLD_SECRET, openBilling, SECRET, toPro } from './rig.ts';

let rig: BillingRig;

beforeAll(async () => {
  rig = await openBilling();
});

const INVOICE = { object: { object: 'invoice', customer: 'cus_nobody' } };
let count = 0;

async function send(
  how: { secret?: string; agedMs?: number; header?: string | null; body?: string; method?: string } = {},
) {
  count += 1;
  const event = { id: `evt_test_${count}`, object: 'event', type: 'invoice.upcoming', data: INVOICE, created: 1 };
  const payload = how.body ?? JSON.stringify(event);
  const timestamp = Math.floor((rig.clock.now() - (how.agedMs ?? 0)) / 1_000);
  const signed = rig.sdk.webhooks.generateTestHeaderString({ payload, secret: how.secret ?? SECRET, timestamp });
  const header = how.header === undefined ? signed : how.header;
  const response = await fetch(`${rig.url}/webhooks/stripe`, {
    method: how.method ?? 'POST',
    ...(how.method === undefined && { body: payload }),
    headers: header === null ? {} : { 'Stripe-Signature': header },
  });
  const answer = (await response.json()) as {
    readonly result?: string;
    readonly errors?: readonly { readonly message: string; readonly extensions: { readonly code: string } }[];
  };
  for (const { message } of answer.errors ?? []) expect(message).toMatch(/^.{10,}\.$/);
  return `${response.status} ${answer.result ?? answer.errors?.[0]?.extensions.code}`;
}

const stateOf = async (id: string) => {
  const rows = await rig.database.query({
    text: 'SELECT handled_at IS NOT NULL AS handled FROM stripe_events WHERE id = $1',
    params: [id],
  });
  return rows;
};

describe('the door for notices', () => {
  it.each([
    ['signed with the secret', {}, '200 handled'],
    ['signed with the secret of before', { secret: OLD_SECRET }, '200 handled'],
    ['signed with another', { secret: 'whsec_forged' }, '400 SIGNATURE_INVALID'],
    ['signed long ago', { agedMs: 301_000 }, '400 SIGNATURE_TOO_OLD'],
    ['not signed', { header: null }, '400 SIGNATURE_MISSING'],
    ['signed, and no notice', { body: '[]' }, '400 NOT_AN_EVENT'],
    ['longer than any notice', { body: `"${'x'.repeat(1_048_576)}"` }, '413 BODY_TOO_LARGE'],
    ['read, not sent', { method: 'GET' }, '405 METHOD_NOT_ALLOWED'],
  ])('%s', async (_what, how, says) => {
    const before = count + 1;
    expect(await send(how)).toBe(says);
    expect(await stateOf(`evt_test_${before}`)).toEqual(says.startsWith('200') ? [{ handled: true }] : []);
  });

  it('is shut where there is no Stripe', async () => {
    const gateway = await startGateway({ database: await openEmbedded() });
    const response = await fetch(`${gateway.url}/webhooks/stripe`, { method: 'POST', body: '{}' });
    expect([response.status, await response.text()]).toEqual([404, expect.stringContaining('BILLING_DISABLED')]);
  });

  it('remembers nothing of what is not for it', async () => {
    const body = JSON.stringify({ id: 'evt_other', object: 'event', type: 'product.created', data: INVOICE });
    expect(await send({ body })).toBe('200 nothing to do');
    expect(await stateOf('evt_other')).toEqual([]);
  });

  it('hands thin notices on, once each', async () => {
    const type = 'v2.core.event_destination.ping'; // of those that say more, see usage-invoice.test.ts
    const body = JSON.stringify({ id: 'evt_thin', object: 'v2.core.event', type, livemode: false, created: 'now' });
    expect([await send({ body }), await send({ body })]).toEqual(['200 handled', '200 handled before']);
  });

  it('believes a notice once, and nothing that is recorded of it', async () => {
    const event = JSON.stringify({ id: 'evt_twice', object: 'event', type: 'invoice.upcoming', data: INVOICE });
    expect([await send({ body: event }), await send({ body: event })]).toEqual(['200 handled', '200 handled before']);
  });

  it('is asked to be told again while Stripe does not answer, and has done nothing by halves then', async () => {
    await buy(rig, toPro);
    rig.stripe.faults.next('GET /v1/subscriptions', { kind: 'fails_before' });
    const first = await rig.stripe.webhooks.deliver();
    const refused = first.filter(({ status }) => status !== 200);
    expect(refused.map(({ event, status }) => `${event.type} ${status}`)).toEqual([
      'customer.subscription.created 503',
    ]);
    expect(await stateOf(refused[0]?.event.id ?? '')).toEqual([{ handled: false }]);
    await rig.deliver();
    expect(await stateOf(refused[0]?.event.id ?? '')).toEqual([{ handled: true }]);
    expect(await rig.standing()).toBe('pro active');
  });

  it('forgets notices after 30 days', async () => {
    const { database, clock } = rig;
    const count30 = () => database.query({ text: 'SELECT count(*)::integer AS count FROM stripe_events', params: [] });
    expect((await count30())[0]?.count).toBeGreaterThan(0);
    const { forgetStripeEvents } = await import('../../server/db/queries/stripe-events.ts');
    await forgetStripeEvents(database.db, clock.now() + 30 * 86_400_000 - 1);
    expect((await count30())[0]?.count).toBeGreaterThan(0);
    await forgetStripeEvents(database.db, clock.now() + 30 * 86_400_000 + 1);
    expect(await count30()).toEqual([{ count: 0 }]);
  });
});
