/**
 * Goal: alerts reach people, one mail each, once a mail server takes them. Method: a real SMTP server on loopback, which
 * refuses first where told.
 */
import { getEventListeners } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import { expect, it } from 'vitest';
import type { CloudEvent } from '../../server/domain/cloud-event.ts';
import { createMail, type Mail, mailOf } from '../../server/notices/mail.ts';
import { afterUse } from '../support/after-use.ts';
import { ManualClock } from '../support/clock.ts';
import { describeEngines } from '../support/engines.ts';
import { change, ENDPOINTS, openRig } from './rig.ts';

type Mailbox = {
  readonly url: string;
  readonly mails: string[];
  /** From now on, or (null) no more: at the address, unless told where else, in these words. */
  refuse(code: number | null, says?: string, at?: Command): void;
  /** When it is asked for the first time from now on, which it never answers. */
  hang(): Promise<void>;
};

type Command = 'MAIL FROM' | 'RCPT TO' | 'DATA';

async function openMailbox(): Promise<Mailbox> {
  const mails: string[] = [];
  let refusal: { readonly error: Error; readonly at: Command } | null = null;
  const refusalAt = (command: Command) => (refusal?.at === command ? refusal.error : null);
  let hung: (() => void) | null = null;
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS'],
    hideENHANCEDSTATUSCODES: true, // it says what it is told
    onMailFrom: (_address, _session, callback) => callback(refusalAt('MAIL FROM')),
    onRcptTo: (_address, _session, callback) => {
      if (hung) return hung();
      callback(refusalAt('RCPT TO'));
    },
    onData(stream, _session, callback) {
      let text = '';
      stream.on('data', (chunk) => {
        text += String(chunk);
      });
      stream.on('end', () => {
        const error = refusalAt('DATA');
        if (error === null) mails.push(text);
        callback(error);
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
    refuse: (code, says = 'not now', at = 'RCPT TO') => {
      refusal = code === null ? null : { error: Object.assign(new Error(says), { responseCode: code }), at };
    },
    hang: () =>
      new Promise((resolve) => {
        hung = resolve;
      }),
  };
}

type List = { webhookEndpoints: { nodes: readonly { id: string; url: string; disabledReason: string | null }[] } };

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

const never = new AbortController().signal;

function mailTo(mailbox: Mailbox, timeoutMs?: number): Mail {
  const mail = createMail({
    url: mailbox.url,
    from: 'meter@example.com',
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  afterUse(() => mail.close());
  return mail;
}

it.each<[string, Command, number, string, boolean]>([
  ['an address', 'RCPT TO', 550, 'No such user', true],
  ['an address, so called', 'RCPT TO', 550, '5.1.1 User unknown', true],
  ['an address by another code', 'RCPT TO', 554, '5.1.10 Recipient has null MX', true],
  ['an address that has moved', 'RCPT TO', 551, 'User not local', true],
  ['a name of an address', 'RCPT TO', 553, 'Mailbox name not allowed', true],
  ['an address for now', 'RCPT TO', 451, '4.2.1 Try later', false],
  ['a full mailbox', 'RCPT TO', 552, '5.2.2 Mailbox full', false],
  ['a relay', 'RCPT TO', 550, '5.7.1 Relaying denied', false],
  ['a relay in other words', 'RCPT TO', 554, 'Relay access denied', false],
  ['the sender, at the address', 'RCPT TO', 550, '5.1.8 Sender domain has no MX', false],
  ['the sender', 'MAIL FROM', 550, '5.1.1 Sender unknown', false],
  ['what it takes for spam', 'DATA', 550, '5.7.1 Looks like spam', false],
])('a server that refuses %s', async (_what, at, code, says, isGone) => {
  const mailbox = await openMailbox();
  mailbox.refuse(code, says, at);
  expect(await mailTo(mailbox).send('x@example.com', EVENT, never)).toMatchObject({ ok: false, status: code, isGone });
});

it('a mail that a server never takes ends before its lease, and its connection with it', async () => {
  const mailbox = await openMailbox();
  const mail = mailTo(mailbox, 200);
  const asked = mailbox.hang();
  const attempts = [mail.send('x@example.com', EVENT, never), mail.send('y@example.com', EVENT, never)];
  await asked;
  const late = { ok: false, status: null, error: 'The mail server did not take it within 0.2 s.', isGone: false };
  expect(await Promise.all(attempts)).toMatchObject([late, late]);
  expect(getEventListeners(never, 'abort')).toEqual([]);
});

describeEngines('mails', (engine) => {
  const openMailing = async (mailbox: Mailbox, alertsTo: string | null, clock = new ManualClock(Date.now())) =>
    openRig(await engine.open({ until: 'test' }), {
      clock,
      noticeStopGraceMs: 100,
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
    await rig.close();
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
    const { webhookEndpoints } = await rig.data<List>(ENDPOINTS);
    expect(webhookEndpoints.nodes).toMatchObject([{ disabledReason: expect.stringContaining('no such address') }]);
  });

  it('end with the setting, and are nobody’s to change but there', async () => {
    const mailbox = await openMailbox();
    const rig = await openMailing(mailbox, 'ops@example.com');
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
