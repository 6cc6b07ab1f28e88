/**
 * sse — a link over server-sent events (GraphQL over SSE, distinct connections): one POST per operation.
 *
 * Read here rather than by a library, because a library hides what is needed: the bytes that prove the stream alive,
 * the status of a refusal, and the one retry loop, which is `connection.ts`. And it is a fifth of the size.
 */
import { MetergraphError } from './errors.ts';
import { badResponse, graphQLFailure, httpFailure, networkFailure } from './failures.ts';
import { deferred, type Link, type Sink, type WireRequest, type WireResult } from './link.ts';

export interface SseSettings {
  readonly url: string;
  readonly fetch: typeof globalThis.fetch;
  /** Milliseconds without a byte after which a stream is taken for dead. Gateways send a comment every 12 s. */
  readonly idleMs: number;
}

/** Nothing is sent before the first operation: there is no connection to open. */
export function openSse(settings: SseSettings, token: string): Link {
  const { promise: lost, resolve: lose } = deferred<MetergraphError>();
  const streams = new Set<AbortController>();

  const close = (why: MetergraphError) => {
    lose(why);
    for (const stream of streams) stream.abort();
    streams.clear();
  };

  function start(request: WireRequest, sink: Sink): () => void {
    const stream = new AbortController();
    streams.add(stream);
    follow(settings, token, request, sink, stream)
      .catch((cause: unknown) => {
        if (stream.signal.aborted) return;
        const error = cause instanceof MetergraphError ? cause : networkFailure(cause);
        if (endsLink(error)) close(error);
        else sink.failed(error);
      })
      .finally(() => streams.delete(stream));
    return () => {
      streams.delete(stream);
      stream.abort();
    };
  }

  return { start, close, lost };
}

/** A refusal that names what is wrong with the operation concerns only it; anything else, the way to the gateway. */
const endsLink = ({ code, retryable }: MetergraphError) =>
  code === 'UNAUTHENTICATED' || (retryable && code !== 'TOO_MANY_SUBSCRIPTIONS');

async function follow(
  { url, fetch, idleMs }: SseSettings,
  token: string,
  request: WireRequest,
  sink: Sink,
  stream: AbortController,
): Promise<void> {
  const { signal } = stream;
  const response = await fetch(url, {
    method: 'POST',
    headers: { accept: 'text/event-stream', 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(request),
    signal,
  });
  const streams = /event-stream/.test(response.headers.get('content-type') ?? '');
  if (!streams || !response.body) throw refusalOf(response, await response.text());
  if (response.ok && !signal.aborted) sink.started();
  for await (const { event, data } of readEvents(watched(response.body, idleMs, signal))) {
    if (signal.aborted) return;
    if (!response.ok) throw refusalOf(response, data); // some servers refuse in the form that was asked for
    if (event === 'next') sink.next(parsed(data));
    else if (event === 'complete') return sink.completed();
  }
  throw networkFailure(new Error('the stream ended early'));
}

/** What an answer says that is not a stream: its GraphQL errors, or else its status. */
function refusalOf(response: Response, body: string): MetergraphError {
  try {
    const { errors } = parsed(body);
    if (errors && errors.length > 0) return graphQLFailure(errors, response);
  } catch {
    // Not GraphQL: the status speaks.
  }
  return response.ok ? badResponse('the answer is not an event stream') : httpFailure(response);
}

function parsed(text: string): WireResult {
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null) throw badResponse('the event is not a GraphQL result');
  return value;
}

/** The same bytes, and an error when none have come for `idleMs`. */
async function* watched(
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  idleMs: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = body.getReader();
  // Aborting a fetch fails the read on every platform but those with a `fetch` of their own making: cancel as well.
  const cancel = () => void reader.cancel().catch(() => {});
  signal.addEventListener('abort', cancel);
  try {
    for (;;) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const silence = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`nothing heard for ${idleMs} ms`)), idleMs);
      });
      const { done, value } = await Promise.race([reader.read(), silence]).finally(() => clearTimeout(timer));
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', cancel);
    cancel();
  }
}

/** One server-sent event. */
export interface ServerEvent {
  readonly event: string;
  readonly data: string;
}

/** Events out of bytes: chunks may end anywhere, lines in `\n`, `\r\n` or `\r`; comments and unknown fields are skipped. */
export async function* readEvents(chunks: AsyncIterable<Uint8Array<ArrayBuffer>>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  let text = '';
  let event = 'message';
  let data: string[] = [];
  for await (const chunk of chunks) {
    text += decoder.decode(chunk, { stream: true });
    // A trailing \r may be the first half of \r\n: it waits for the next chunk.
    const lines = text.split(/\r\n|\n|\r(?!$)/);
    text = lines.pop() ?? '';
    for (const line of lines) {
      if (line === '') {
        if (data.length > 0 || event !== 'message') yield { event, data: data.join('\n') };
        event = 'message';
        data = [];
      } else {
        const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
        if (field === 'event') event = value;
        else if (field === 'data') data.push(value);
      }
    }
  }
}
