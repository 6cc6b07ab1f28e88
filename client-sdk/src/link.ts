/** link — one connection to the gateway while it lasts. WebSocket and SSE are two ways to have one. */
import type { MetergraphError } from './errors.ts';
import type { GraphQLFailure } from './failures.ts';
import type { Operation } from './operation.ts';

/** One operation as it is sent. */
export interface WireRequest {
  readonly query: string;
  readonly variables: object;
}

/** One result as it comes. */
export interface WireResult {
  readonly data?: unknown;
  readonly errors?: readonly GraphQLFailure[] | undefined;
}

/** Told of one operation's fate. Silent once the link is lost: `Link.lost` speaks for all. */
export interface Sink {
  /** The gateway has it. */
  started(): void;
  next(result: WireResult): void;
  /** This operation is refused or broken; the link is not. */
  failed(error: MetergraphError): void;
  /** The gateway has no more to say. */
  completed(): void;
}

/** Never comes back: what follows a lost link is another one. */
export interface Link {
  start(request: WireRequest, sink: Sink): () => void;
  /** Ends it; `lost` resolves with `why`. */
  close(why: MetergraphError): void;
  /** Why it ended. Never rejects. */
  readonly lost: Promise<MetergraphError>;
}

/** @throws {MetergraphError} when there is no link to be had. Abort `signal` to give up. */
export type OpenLink = (token: string, signal: AbortSignal) => Promise<Link>;

/** How an operation of ours goes over a link. */
export const wireRequest = <Variables extends object>(
  operation: Operation<unknown, Variables>,
  variables: Variables,
): WireRequest => ({ query: operation.text, variables });

/** A promise and the function that resolves it. */
export function deferred<T>(): { readonly promise: Promise<T>; readonly resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
