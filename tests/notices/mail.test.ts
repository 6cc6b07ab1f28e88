/**
 * Goal: alerts reach people, one mail each, once a mail server takes them. Method: a real SMTP server on loopback, which
 * refuses first where told.
 */
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { expect, it } from 'vitest';
import type { CloudEvent } from '../../server/domain/cloud-event.ts';
import { mailOf } from '../../server/notices/mail.ts';
import { afterUse } from '../support/after-use.ts';
import { ManualClock } from '../support/clock.ts';
import { describeEngines } from '../support/engines.ts';
import { change, ENDPOINTS, openRig } from './rig.ts';

type Mailbox = {
  readonly url: string;
  readonly mails: string[];
  refuse(code: number | null): void;
  hang(): Promise<void>;
};

async function openMailbox(): Promise<Mailbox> {
  const mails: string[] = [];
  let refusal: number | null = null;
  let hung: (() => void) | null = null;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    onRcptTo: (_address, _session, callback) => {
      if (hung) return hung();
      callback(refusal === null ? undefined : Object.assign(new Error('not now'), { responseCode: refusal }));
    },
    onData(stream, _session, callback) {
      let text = '';
      stream.on('data', (chunk) => {
        text += String(chunk);
      });
      stream.on('end', () => {
        mails.push(text);
        callback();
      });
    },
  });
  server.on('error', () => {}); // a client that hangs up
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterUse(() => new Promise<void>((resolve) => server.close(() => resolve())));
  const { port } = server.server.address() as AddressInfo;
  return {
    url: `smtp://127.0.0.1:${port}`,
    mails,
    refuse: (code) => {
      refusal = code;
    },
    hang: () =>
      new Promise((resolve) => {
        hung = resolve;
      }),
  };
}

const EVENT: CloudEvent = {
  specversion: '1.0',
  id: 'e1',
  source: '/metergraph/tenants/t',
  type: 'metergraph.usage.threshold_reached',
  subject: 'acme <b>\r\nBcc: eve@example.com',
  time: '2026-03-15T12:00:00.000Z',
  datacontenttype: 'application/json',
  data: { featureKey: 'calls', threshold: { kind: 'fraction', value: '0.8', falling: false }, limit: null },
};

it('a mail says what happened in words and as a page, and nothing in it is taken for more', () => {
  const { subject, text, html } = mailOf(EVENT);
  expect(subject).toBe('[Metergraph] usage threshold reached: acme <b> Bcc: eve@example.com');
  expect(text.split('\n')).toEqual([
    'usage threshold reached: acme <b> Bcc: eve@example.com',
    '',
    'customer           acme <b> Bcc: eve@example.com',
    'featureKey         calls',
    'threshold kind     fraction',
    'threshold value    0.8',
    'threshold falling  false',
    'time               2026-03-15T12:00:00.000Z',
    'event              e1',
    '',
  ]);
  expect(html).toContain('acme &lt;b&gt;');
  expect(html).not.toContain('<b>');
});

describeEngines('mails', (engine) => {
  const openMailing = async (mailbox: Mailbox, alertsTo: string | null, clock = new ManualClock(Date.now())) =>
    openRig(await engine.open({ until: 'test' }), {
      clock,
      mail: { url: mailbox.url, from: 'meter@example.com', alertsTo },
    });
  const use = { referenceId: 'acme', featureKey: 'storage' };

  it('go to the address of the settings, one for each alert, and again until they are taken', async () => {
    const mailbox = await openMailbox();
    const rig = await openMailing(mailbox, 'ops@example.com');
    mailbox.refuse(451);
    await change(rig, 'consume', { ...use, amount: 80 });
    await change(rig, 'consume', { ...use, amount: 20 });
    await rig.tell();
    expect(mailbox.mails).toEqual([]);
    const log = await rig.log();
    expect(log).toHaveLength(2);
    for (const delivery of log) {
      expect(delivery).toMatchObject({ state: 'PENDING', lastStatus: 451, lastError: expect.stringContaining('451') });
    }
    mailbox.refuse(null);
    rig.clock.advance(60_000);
    await rig.tell(); // one at a time, since it has failed
    await rig.tell();
    expect((await rig.log()).map(({ state }) => state)).toEqual(log.map(() => 'DELIVERED'));
    expect(mailbox.mails).toHaveLength(log.length);
    for (const mail of mailbox.mails) {
      expect(mail).toContain('From: meter@example.com');
      expect(mail).toContain('To: ops@example.com');
      expect(mail).toContain('Subject: [Metergraph] usage threshold reached: acme');
      expect(mail).toContain('text/plain');
      expect(mail).toContain('text/html');
    }
  });

  it('go to an endpoint of the tenant’s own, which has no secret', async () => {
    const mailbox = await openMailbox();
    const rig = await openMailing(mailbox, null);
    const { secret } = await rig.addEndpoint('mailto:cfo@example.com', ['SUBSCRIPTION_CHANGED']);
    expect(secret).toBeNull();
    await change(rig, 'setCustomerPlan', { referenceId: 'acme', planKey: 'free', effective: 'IMMEDIATELY' });
    await rig.tell();
    expect(mailbox.mails).toHaveLength(1);
    expect(mailbox.mails[0]).toContain('To: cfo@example.com');
  });

  it('that a server never takes keep no gateway from stopping', async () => {
    const mailbox = await openMailbox();
    const rig = await openMailing(mailbox, null);
    await rig.addEndpoint('mailto:cfo@example.com', ['SUBSCRIPTION_CHANGED']);
    await change(rig, 'setCustomerPlan', { referenceId: 'acme', planKey: 'free', effective: 'IMMEDIATELY' });
    const asked = mailbox.hang();
    await rig.gateway.notices.run();
    await asked;
    await rig.close(); // a mail server may take 15 s, and a stop 10
    const [row] = await rig.database.query({ text: 'SELECT state, attempts FROM webhook_deliveries', params: [] });
    expect(row).toEqual({ state: 'pending', attempts: 0 });
  });

  it('to an address that does not exist end, and it is disabled', async () => {
    const mailbox = await openMailbox();
    const rig = await openMailing(mailbox, null);
    await rig.addEndpoint('mailto:nobody@example.com', ['SUBSCRIPTION_CHANGED']);
    mailbox.refuse(550);
    await change(rig, 'setCustomerPlan', { referenceId: 'acme', planKey: 'free', effective: 'IMMEDIATELY' });
    await rig.tell();
    expect(await rig.log()).toMatchObject([{ state: 'FAILED', lastStatus: 550 }]);
  });

  it('end with the setting, and are nobody’s to change but there', async () => {
    const mailbox = await openMailbox();
    const rig = await openMailing(mailbox, 'ops@example.com');
    type List = { webhookEndpoints: { nodes: readonly { id: string; url: string; disabledReason: string | null }[] } };
    const [endpoint] = (await rig.data<List>(ENDPOINTS)).webhookEndpoints.nodes;
    expect(endpoint).toMatchObject({ kind: 'EMAIL', url: 'mailto:ops@example.com', isManaged: true, disabledAt: null });
    const document = `mutation ($id: ID!) { deleteWebhookEndpoint(input: { endpointId: $id }) { ... on UserError { code message } } }`;
    expect(await rig.data(document, { id: endpoint?.id })).toMatchObject({
      deleteWebhookEndpoint: { code: 'INVALID_INPUT', message: expect.stringContaining('ALERT_EMAIL_TO') },
    });
    mailbox.refuse(451);
    await change(rig, 'consume', { ...use, amount: 80 });
    await rig.tell();
    await openRig(rig.database, { clock: rig.clock });
    expect(await rig.log()).toMatchObject([{ state: 'FAILED', lastError: expect.stringContaining('451') }]);
    const [after] = (await rig.data<List>(ENDPOINTS)).webhookEndpoints.nodes;
    expect(after?.disabledReason).toBe('ALERT_EMAIL_TO is not set.');
  });

  it('without a mail server no address is taken', async () => {
    const rig = await openRig(await engine.open({ until: 'test' }));
    const document = `mutation { createWebhookEndpoint(input: { url: "mailto:a@example.com", eventTypes: [BALANCE_LOW] }) { ... on UserError { code message } } }`;
    expect(await rig.data(document)).toEqual({
      createWebhookEndpoint: { code: 'INVALID_INPUT', message: expect.stringContaining('set SMTP_URL') },
    });
  });
});
