/** mail — notices as mails: one each, in plain words and as a page. */
import { createTransport } from 'nodemailer';
import type { CloudEvent } from '../domain/cloud-event.ts';
import { type Attempt, failed } from './attempt.ts';

export type MailOptions = {
  /** `smtp://user:password@host:587`, or `smtps://…` */
  readonly url: string;
  readonly from: string;
};

export type Mail = {
  send(to: string, event: CloudEvent): Promise<Attempt>;
  close(): void;
};

const TIMEOUT_MS = 15_000;
/** Says that the address will never take a mail. */
const NO_SUCH_ADDRESS = 550;

export function createMail({ url, from }: MailOptions): Mail {
  const timeouts = { connectionTimeout: TIMEOUT_MS, greetingTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS };
  const transport = createTransport({ url, ...timeouts }, { from });
  return {
    async send(to, event) {
      try {
        // The same try and again has the same id, so that a mail server may know it.
        await transport.sendMail({ to, messageId: `<${event.id}@metergraph>`, ...mailOf(event) });
        return { ok: true, status: null };
      } catch (error) {
        return attemptOf(error);
      }
    },
    close: () => transport.close(),
  };
}

function attemptOf(error: unknown): Attempt {
  const status = error instanceof Error && 'responseCode' in error ? Number(error.responseCode) : null;
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
  const said = status === null ? '' : `, with ${status}`;
  return { ...failed(`The mail server did not take it (${code}${said}).`, status), isGone: status === NO_SUCH_ADDRESS };
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
