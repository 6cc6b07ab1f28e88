/** event-streams — subscriptions over HTTP: bounded in number, and open no longer than their credential is good. */
import type { ServerResponse } from 'node:http';
import { type ExecutionResult, GraphQLError } from 'graphql';
import type { Plugin } from 'graphql-yoga';
import type { CredentialWatch } from './auth/credential-watch.ts';
import type { Context } from './context.ts';
import { cuttable } from './cuttable.ts';
import type { Viewer } from './domain/viewer.ts';
import type { FanOut } from './fan-out.ts';

export type EventStreamLimits = {
  /** Per API key, or per customer. */
  readonly streamsPerCredentialMax: number;
};

export const EVENT_STREAM_LIMITS: EventStreamLimits = { streamsPerCredentialMax: 20_000 };

/** Yoga's own context: with what Node's server brought, and what ours has added to it. */
type StreamContext = Partial<Context> & { readonly res?: ServerResponse };

export class EventStreams {
  readonly #limits: EventStreamLimits;
  readonly #watch: CredentialWatch;
  readonly #fanOut: FanOut;
  readonly #perCredential = new Map<string, number>();
  /** Cuts each stream that is open. */
  readonly #cuts = new Set<() => void>();

  constructor(limits: EventStreamLimits, watch: CredentialWatch, fanOut: FanOut) {
    this.#limits = limits;
    this.#watch = watch;
    this.#fanOut = fanOut;
  }

  /** Cuts every stream in the middle, on which clients connect again, elsewhere; a proper end would be taken for one. */
  close(): void {
    for (const cut of [...this.#cuts]) cut();
  }

  plugin(): Plugin {
    return {
      ...this.#fanOut.plugin(),
      onExecutionResult: ({ result, setResult, request, context }) => {
        if (!isStream(result)) return;
        const { viewer = null, res } = context as StreamContext; // what the doors hand in: see `context.ts`
        const refusal = this.#refusal(request, viewer);
        if (!refusal) return setResult(this.#opened(result, request, viewer, () => res?.destroy()));
        result[Symbol.asyncIterator]()
          .return?.()
          ?.catch(() => {}); // whoever asked is told of the refusal
        setResult({ errors: [refusal] });
      },
      onResponse({ response }) {
        if (!response.headers.get('content-type')?.startsWith('text/event-stream')) return;
        // Proxies must neither gather nor repack what is meant to arrive now.
        response.headers.set('Cache-Control', 'no-cache, no-transform');
        response.headers.set('X-Accel-Buffering', 'no');
        response.headers.delete('Content-Encoding');
      },
    };
  }

  #refusal(request: Request, viewer: Viewer | null): GraphQLError | null {
    if (!acceptsEventStream(request)) {
      const sentence = 'A subscription is a stream: send the header "Accept: text/event-stream", or use a WebSocket.';
      return new GraphQLError(sentence, { extensions: { code: 'NOT_ACCEPTABLE', http: { status: 406 } } });
    }
    const { streamsPerCredentialMax } = this.#limits;
    if ((this.#perCredential.get(nameOf(viewer)) ?? 0) < streamsPerCredentialMax) return null;
    const sentence = `This credential has ${streamsPerCredentialMax} event streams open, as many as it may; close one first.`;
    const extensions = { code: 'TOO_MANY_SUBSCRIPTIONS', retryable: true, http: { status: 429 } };
    return new GraphQLError(sentence, { extensions });
  }

  #opened(
    source: AsyncIterable<ExecutionResult>,
    request: Request,
    viewer: Viewer | null,
    disconnect: () => void,
  ): AsyncIterableIterator<ExecutionResult> {
    const name = nameOf(viewer);
    const cut = () => {
      stream.end(null);
      disconnect();
    };
    const stream = cuttable(source, () => {
      this.#count(name, -1);
      this.#cuts.delete(cut);
      unwatch();
    });
    const authorization = request.headers.get('authorization');
    const unwatch =
      viewer && authorization ? this.#watch.add(viewer, authorization, (why) => stream.end(endOf(why))) : () => {};
    this.#count(name, 1);
    this.#cuts.add(cut);
    return stream.results;
  }

  #count(name: string, change: 1 | -1): void {
    const count = (this.#perCredential.get(name) ?? 0) + change;
    if (count > 0) this.#perCredential.set(name, count);
    else this.#perCredential.delete(name);
  }
}

const nameOf = (viewer: Viewer | null): string =>
  viewer === null ? '' : viewer.kind === 'api-key' ? viewer.keyId : viewer.customerId;

const isStream = (result: unknown): result is AsyncIterable<ExecutionResult> =>
  typeof result === 'object' && result !== null && Symbol.asyncIterator in result;

/** A client that says nothing takes anything. */
const acceptsEventStream = (request: Request): boolean =>
  /text\/event-stream|text\/\*|\*\/\*/i.test(request.headers.get('accept') ?? '*/*');

const endOf = (why: string): ExecutionResult => ({
  errors: [
    new GraphQLError(`${why}: connect again with a new credential.`, {
      extensions: { code: 'UNAUTHENTICATED', retryable: false },
    }),
  ],
});
