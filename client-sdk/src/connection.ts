/**
 * connection — one link shared by all streams, and the only place that reconnects.
 *
 * The clients of graphql-ws and of SSE can both retry by themselves, but they repeat the operation they were given:
 * with the cursor of the first try. Here they never retry. When a link is lost, each stream is asked to open itself
 * again on the next one, and it does so with the newest cursor it has seen. That also puts the rest in one loop: a
 * new token for each link, one backoff for all streams, SSE in place of a WebSocket, the browser's `online` event.
 */
import type { CredentialSource } from './credentials.ts';
import { MetergraphError } from './errors.ts';
import { clientClosed, graphQLFailure, networkFailure } from './failures.ts';
import type { Link, OpenLink, Sink } from './link.ts';
import type { Clock } from './option-types.ts';
import { fullJitterMs } from './retry.ts';

/** One subscription, as the connection sees it. */
export interface Stream {
  /** Starts it on this link, from where it stands. */
  open(link: Link, sink: Sink): () => void;
  /** The gateway has taken it. */
  live(): void;
  next(data: unknown): void;
  /** Interrupted; it will be opened again. `why` is null when a token has run out and a new one is asked for. */
  lost(why: MetergraphError | null): void;
  /** Over for good. Nothing is called afterwards. */
  ended(why: MetergraphError): void;
}

export interface ConnectionSettings {
  readonly openLink: OpenLink;
  readonly credentials: CredentialSource;
  readonly clock: Clock;
  readonly random: () => number;
  readonly lingerMs: number;
}

export interface Connection {
  /** Opens the stream, now or with the next link. @returns How to take it out again. */
  add(stream: Stream): () => void;
  close(): void;
}

const BACKOFF = { baseMs: 500, capMs: 10_000 };
/** What lasted this long was a success; the next failure starts counting anew. */
const STABLE_MS = 5_000;
/** For getting a token, and then again for getting a link. */
const CONNECT_TIMEOUT_MS = 10_000;
/** A credential refused this often in a row will not be accepted by asking again. */
const MAX_REFUSALS = 3;

/** A stream and how it fares. */
interface Member {
  readonly stream: Stream;
  stop: () => void;
  /** Counts openings: what a former one still says is not heard. */
  opening: number;
  failures: number;
}

export function createConnection({ openLink, credentials, clock, random, lingerMs }: ConnectionSettings): Connection {
  const members = new Set<Member>();
  let link: Link | undefined;
  let running = false;
  let closed = false;
  let failures = 0;
  let refusals = 0;
  /** Ends waits and half-open links. */
  let interruption = new AbortController();
  let lingering = new AbortController();

  const backoffMs = (count: number) => fullJitterMs(BACKOFF, count, random);

  function interrupt() {
    interruption.abort();
    interruption = new AbortController();
  }

  /** From no link to a link to no link, until nobody needs one. */
  async function run(): Promise<void> {
    const stopListening = onOnline(() => {
      failures = 0;
      interrupt();
    });
    while (members.size > 0) {
      const loss = await oneLink(interruption.signal);
      if (members.size === 0) break;
      report(loss);
      if (members.size > 0) await clock.sleep(backoffMs(failures++), interruption.signal);
    }
    stopListening();
  }

  /** The life of one link. Resolves with why it ended, or why there was none. */
  async function oneLink(signal: AbortSignal): Promise<MetergraphError> {
    try {
      const token = await within(() => credentials.renew(), signal);
      const opened = await within((limit) => openLink(token, limit), signal);
      if (members.size === 0) opened.close(clientClosed());
      const since = clock.now();
      link = opened;
      for (const member of members) open(member, opened);
      const loss = await opened.lost;
      link = undefined;
      if (clock.now() - since >= STABLE_MS) {
        failures = 0;
        refusals = 0;
      }
      return loss;
    } catch (error) {
      return error instanceof MetergraphError ? error : networkFailure(error);
    }
  }

  /** A step of connecting: ends with its time, or when it is interrupted. */
  async function within<T>(step: (signal: AbortSignal) => Promise<T>, interrupted: AbortSignal): Promise<T> {
    const limit = new AbortController();
    const timer = new AbortController();
    const cut = () => limit.abort();
    interrupted.addEventListener('abort', cut);
    if (interrupted.aborted) cut();
    void clock.sleep(CONNECT_TIMEOUT_MS, timer.signal).then(() => {
      if (!timer.signal.aborted) limit.abort();
    });
    const gaveUp = new Promise<never>((_, reject) => {
      const tooLate = () => reject(new MetergraphError('NETWORK', 'no connection in time', { retryable: true }));
      if (limit.signal.aborted) tooLate();
      limit.signal.addEventListener('abort', tooLate);
    });
    try {
      return await Promise.race([step(limit.signal), gaveUp]);
    } finally {
      timer.abort();
      interrupted.removeEventListener('abort', cut);
    }
  }

  /** Tells every stream that the link is gone, and ends them when there is no point in another. */
  function report(loss: MetergraphError) {
    const refused = loss.code === 'UNAUTHENTICATED' && !loss.retryable; // retryable: there was no token to refuse
    if (refused && ++refusals < MAX_REFUSALS) return interruptAll(null);
    if (!loss.retryable) return endAll(loss);
    interruptAll(loss);
  }

  function interruptAll(why: MetergraphError | null) {
    for (const member of members) {
      member.opening++;
      member.stream.lost(why);
    }
  }

  function endAll(why: MetergraphError) {
    const ending = [...members];
    members.clear();
    for (const { stream } of ending) stream.ended(why);
  }

  function open(member: Member, on: Link) {
    const opening = ++member.opening;
    const since = clock.now();
    const heard = () => members.has(member) && member.opening === opening && link === on;
    const retry = (why: MetergraphError) => {
      member.stop();
      member.opening++;
      if (clock.now() - since >= STABLE_MS) member.failures = 0;
      member.stream.lost(why);
      void reopen(member, on);
    };
    const failed = (error: MetergraphError) => {
      if (!heard()) return;
      if (error.code === 'UNAUTHENTICATED') return on.close(error); // the next link has a new token
      if (error.retryable || error.code === 'INTERNAL') return retry(error);
      member.stop();
      members.delete(member);
      member.stream.ended(error);
      if (members.size === 0) linger();
    };
    member.stop = member.stream.open(on, {
      started: () => heard() && member.stream.live(),
      next: ({ data, errors }) => {
        if (!heard()) return;
        if (errors && errors.length > 0) failed(graphQLFailure(errors));
        else member.stream.next(data);
      },
      failed,
      completed: () => heard() && retry(networkFailure(new Error('the gateway ended the stream'))),
    });
  }

  /** The same stream again on the same link; a lost link opens it anyway, so this then stands back. */
  async function reopen(member: Member, on: Link) {
    const { opening } = member;
    await clock.sleep(backoffMs(member.failures++), interruption.signal);
    if (members.has(member) && member.opening === opening && link === on) open(member, on);
  }

  /** A page that takes one meter down and puts another up keeps its connection. */
  function linger() {
    lingering.abort();
    lingering = new AbortController();
    const { signal } = lingering;
    if (!link) return interrupt(); // not connected: nothing to keep
    void clock.sleep(lingerMs, signal).then(() => {
      if (!signal.aborted) link?.close(clientClosed());
    });
  }

  function start() {
    if (running) return;
    running = true;
    void run().finally(() => {
      running = false;
      if (members.size > 0) start();
    });
  }

  return {
    add(stream) {
      if (closed) {
        stream.ended(clientClosed());
        return () => {};
      }
      const member: Member = { stream, stop: () => {}, opening: 0, failures: 0 };
      members.add(member);
      lingering.abort();
      if (link) open(member, link);
      start();
      return () => {
        if (!members.delete(member)) return;
        member.stop();
        if (members.size === 0) linger();
      };
    },
    close() {
      closed = true;
      lingering.abort();
      endAll(clientClosed());
      interrupt();
      link?.close(clientClosed());
    },
  };
}

/** Browsers say when the network is back. A connection may outlive its window, which then has neither name nor methods. */
function onOnline(listener: () => void): () => void {
  const browser = typeof window === 'undefined' ? undefined : window;
  if (typeof browser?.addEventListener !== 'function') return () => {};
  browser.addEventListener('online', listener);
  return () => browser.removeEventListener?.('online', listener);
}
