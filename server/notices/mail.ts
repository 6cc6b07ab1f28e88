/** mail — notices as mails: one each, in plain words and as a page. */
import { createTransport } from 'nodemailer';
import type { CloudEvent } from '../domain/cloud-event.ts';
import { type Attempt, failed } from './attempt.ts';

export type MailOptions = {
  /** `smtp://user:password@host:587`, or `smtps://…` */
  readonly url: string;
  readonly from: string;
  /** For all of one mail, its wait for a free connection included. */
  readonly timeoutMs?: number;
};

export type Mail = {
  /** @param signal Gives up. */
  send(to: string, event: CloudEvent, signal: AbortSignal): Promise<Attempt>;
  close(): void;
};

/** Of a silence; a server that says a little now and again has `MAIL_TIMEOUT_MS` in all. */
const TIMEOUT_MS = 15_000;
/** Less than a lease, so that nobody else tries meanwhile. */
const MAIL_TIMEOUT_MS = 45_000;

/** A few connections for all mails: servers take not many at once. */
export function createMail({ url, from, timeoutMs = MAIL_TIMEOUT_MS }: MailOptions): Mail {
  const timeouts = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS };
  const transport = createTransport({ url, pool: true, ...timeouts, socketCloseTimeout: 0 }, { from });
  return {
    async send(to, event, signal) {
      const bound = new AbortController(); // closes the connection that the mail is on
      let why = '';
      const giveUp = (sentence: string) => {
        why = sentence;
        bound.abort();
      };
      const stop = () => giveUp('The gateway stopped.');
      const timer = setTimeout(
        () => giveUp(`The mail server did not take it within ${timeoutMs / 1_000} s.`),
        timeoutMs,
      );
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
      try {
        // The same try and again has the same id, so that a mail server may know it.
        const messageId = `<${event.id}@metergraph>`;
        await transport.sendMail({ to, messageId, ...mailOf(event), signal: bound.signal });
        return { ok: true, status: null };
      } catch (error) {
        return why === '' ? attemptOf(error) : failed(why);
      } finally {
        clearTimeout(timer);
        signal.removeEventListener('abort', stop);
      }
    },
    close: () => transport.close(),
  };
}

function attemptOf(error: unknown): Attempt {
  const { code = 'unknown', responseCode: status = null } = error as SmtpError;
  const said = status === null ? '' : `, with ${status}`;
  const sentence = `The mail server did not take it (${code}${said}).`;
  return { ...failed(sentence, status), isGone: saysNoSuchAddress(error as SmtpError) };
}

/** What the library says of a failure. */
type SmtpError = {
  readonly code?: string;
  readonly responseCode?: number;
  /** As the server said it. */
  readonly response?: string;
  /** Which the server refused. */
  readonly command?: string;
};

/** RFC 3463, of an address it is sent to; 5.1.7 and 5.1.8 are of the sender's, 5.7.1 of what the server lets through. */
const NO_SUCH_ADDRESS = /^5\.1\.(?:[01236]|10)$/;
/** Of a server that says no more than that. */
const NO_SUCH_ADDRESS_CODES: readonly number[] = [550, 551, 553];

/** Whether the address will never take a mail: not where the sender, a relay or the mail itself is refused. */
function saysNoSuchAddress({ command, responseCode = 0, response = '' }: SmtpError): boolean {
  if (command !== 'RCPT TO' || responseCode < 500) return false;
  const enhanced = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/.exec(response)?.[1];
  return enhanced === undefined ? NO_SUCH_ADDRESS_CODES.includes(responseCode) : NO_SUCH_ADDRESS.test(enhanced);
}

/** Subject, words, and the same as a page. */
export function mailOf(event: CloudEvent): { readonly subject: string; readonly text: string; readonly html: string } {
  const subject = `[Metergraph] ${titleOf(event)}`;
  const lines = linesOf(event);
  const width = Math.max(...lines.map(([name]) => name.length));
  const text = [titleOf(event), '', ...lines.map(([name, value]) => `${name.padEnd(width)}  ${value}`), ''].join('\n');
  const rows = lines.map(
    ([name, value]) =>
      `<tr><td style="padding:2px 16px 2px 0;color:#555">${escaped(name)}</td><td>${escaped(value)}</td></tr>`,
  );
  const html = `<p><strong>${escaped(titleOf(event))}</strong></p>\n<table>\n${rows.join('\n')}\n</table>\n`;
  return { subject, text, html };
}

function titleOf({ type, subject }: CloudEvent): string {
  const name = type.replace(/^metergraph\./, '').replace(/[._]/g, ' ');
  return subject === undefined ? name : `${name}: ${withoutBreaks(subject)}`;
}

/** A header is one line. */
const withoutBreaks = (text: string): string => text.replace(/\p{Cc}+/gu, ' ');

function linesOf({ subject, time, id, data }: CloudEvent): readonly (readonly [string, string])[] {
  return [
    ...(subject === undefined ? [] : [['customer', withoutBreaks(subject)] as const]),
    ...flat('', data),
    ['time', time],
    ['event', id],
  ];
}

function flat(name: string, value: unknown): readonly (readonly [string, string])[] {
  if (value === null) return [];
  if (typeof value !== 'object') return [[name, withoutBreaks(String(value))]];
  return Object.entries(value).flatMap(([key, inner]) => flat(name === '' ? key : `${name} ${key}`, inner));
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
const escaped = (text: string): string => text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? '');
