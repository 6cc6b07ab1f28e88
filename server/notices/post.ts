/**
 * post — one POST to somebody else's server, who may be slow, broken or up to something: it has 15 s for all of it, names and
 * answer included; redirects are not followed, next to nothing of the answer is read, and it reaches no network of our own.
 */
import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { retryAfterMsOf } from '../domain/retry.ts';
import { addressRangeOf } from '../domain/webhook-endpoint.ts';
import { type Attempt, failed } from './attempt.ts';
import { guardedLookup, PrivateAddressError, type Resolve } from './guarded-lookup.ts';

export type PostOptions = {
  /** Also `http:`, and addresses that are not public. */
  readonly allowPrivate: boolean;
  readonly timeoutMs?: number;
  /** How names are resolved; by default as the system does. */
  readonly resolve?: Resolve;
};

export type Message = { readonly headers: Readonly<Record<string, string>>; readonly body: string };

/** @param signal Gives up. */
export type Post = (url: string, message: Message, signal: AbortSignal, nowMs: number) => Promise<Attempt>;

const TIMEOUT_MS = 15_000;
/** What of an answer is read, so that its sender may finish; none of it is kept. */
const ANSWER_BYTES_MAX = 16_384;

export function createPost({ allowPrivate, timeoutMs = TIMEOUT_MS, resolve }: PostOptions): Post {
  const lookup = allowPrivate ? undefined : guardedLookup(resolve);
  return async (url, message, signal, nowMs) => {
    const target = new URL(url);
    const refusal = allowPrivate ? null : problemOf(target);
    if (refusal !== null) return failed(refusal);
    const { request } = target.protocol === 'https:' ? https : http;
    const options = { method: 'POST', headers: headersOf(message), agent: false, ...(lookup && { lookup }) };
    const sent = request(target, options);
    const attempt = outcomeOf(sent, { timeoutMs, signal, nowMs });
    sent.end(message.body);
    return attempt;
  };
}

type Bounds = { readonly timeoutMs: number; readonly signal: AbortSignal; readonly nowMs: number };

/**
 * What was known first, once the connection is gone: until then a try has not ended, whatever its server does. The timer is a
 * plain one, which nobody collects, and nothing of a try stays with the signal, which lives as long as the gateway.
 */
function outcomeOf(sent: ClientRequest, { timeoutMs, signal, nowMs }: Bounds): Promise<Attempt> {
  return new Promise((resolve) => {
    let known: Attempt | null = null;
    const learn = (attempt: Attempt) => {
      known ??= attempt;
    };
    const giveUp = (why: string) => {
      learn(failed(why));
      sent.destroy();
    };
    const stop = () => giveUp('The gateway stopped.');
    const timer = setTimeout(() => giveUp(`No answer within ${timeoutMs / 1_000} s.`), timeoutMs);
    signal.addEventListener('abort', stop, { once: true });
    sent.on('response', (answer) => {
      learn(attemptOf(answer, nowMs));
      drain(answer);
    });
    // A 101 hands over the socket, which is then ours to close.
    sent.on('upgrade', (answer, socket) => {
      learn(attemptOf(answer, nowMs));
      socket.destroy();
    });
    sent.on('error', (error) => learn(failed(sentenceOf(error))));
    sent.once('close', () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', stop);
      resolve(known ?? failed('The connection failed.'));
    });
    if (signal.aborted) stop();
  });
}

/** The setting may have changed since the endpoint was made; and an address that is written out is never looked up. */
function problemOf({ protocol, hostname }: URL): string | null {
  if (protocol !== 'https:') return `Not sent: "${protocol}" is not allowed, only "https:".`;
  const range = addressRangeOf(hostname);
  return range === null ? null : `Not sent: ${hostname} is not public (${range}).`;
}

const headersOf = ({ headers, body }: Message) => ({
  ...headers,
  'content-length': Buffer.byteLength(body).toString(),
  'user-agent': 'Metergraph',
});

/** The status says it all. Whoever sends more than a little is hung up on. */
function drain(answer: IncomingMessage): void {
  let bytes = 0;
  answer.on('error', () => {}); // it was answered before
  answer.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > ANSWER_BYTES_MAX) answer.destroy();
  });
}

function attemptOf({ statusCode: status = 0, headers }: IncomingMessage, nowMs: number): Attempt {
  if (status >= 200 && status < 300) return { ok: true, status };
  const isRedirect = status >= 300 && status < 400;
  return {
    ok: false,
    status,
    error: isRedirect ? `Answered ${status}; redirects are not followed.` : `Answered ${status}.`,
    retryAfterMs: retryAfterMsOf(headers['retry-after'], nowMs),
    isGone: status === 410,
  };
}

function sentenceOf(error: unknown): string {
  if (error instanceof PrivateAddressError) return `Not sent: ${error.message}.`;
  const code = error instanceof Error && 'code' in error ? ` (${error.code})` : '';
  return `The connection failed${code}.`;
}
