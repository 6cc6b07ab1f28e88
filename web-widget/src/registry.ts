/**
 * registry — one shared connection per page, however many meters.
 *
 * Meters with the same gateway and the same token source (the same string, the same `tokenUrl`, or the same function)
 * share one client, and those of one customer one feed. Both are counted by their users and given up a moment after the
 * last one has gone, so that a page change or React's StrictMode, which mounts everything twice, keeps them.
 */
import { createMetergraphRealtime, type MetergraphRealtime } from '@metergraph/client-sdk';
import { createFeed, type Feed } from './feed.ts';

/** A customer token, or a promise of one. Called for each new connection and whenever the last token was refused. */
export type GetToken = () => string | Promise<string>;

/** How a meter reaches its gateway. One of `client`, `getToken`, `tokenUrl` and `token`, in this order of preference. */
export type Source = {
  /** The gateway (`https://meter.example.com`) or its GraphQL endpoint; may be relative to the page. */
  readonly url?: string | undefined;
  /** Keep the same function over renders, so that meters can share a connection. */
  readonly getToken?: GetToken | undefined;
  /** Of your own server: answers a token as text or as `{ "token": "…" }` to a POST with the page's cookies. */
  readonly tokenUrl?: string | undefined;
  /** Ends with its expiry; use one of the others for a page that stays open longer. */
  readonly token?: string | undefined;
  /** A client of your own instead of all that. It is never closed here. */
  readonly client?: MetergraphRealtime | undefined;
};

export type Lease = { readonly feed: Feed; release(): void };

/** What is counted by its users; `end` may be called again. */
type Shared = { users: number; readonly end: () => void };
type Connection = Shared & { readonly client: MetergraphRealtime };
type SharedFeed = Shared & { readonly feed: Feed };

const END_AFTER_MS = 3_000;
/** As long as the SDK waits: what hangs on would only take a connection away from the page. */
const TOKEN_TIMEOUT_MS = 8_000;

const connections = new Map<string, Connection>();
const feeds = new WeakMap<MetergraphRealtime, Map<string | undefined, SharedFeed>>();
const functionKeys = new WeakMap<GetToken, string>();
const successors = new WeakMap<GetToken, GetToken>();
let functionsSeen = 0;

/** Takes a share in the connection of `source`, and in one customer's feed; give it back with `release()`. */
export function lease(source: Source, referenceId: string | undefined): Lease {
  if (source.client) return leaseFeed(source.client, referenceId);
  const key = sourceKey(source);
  const connection = connections.get(key) ?? open(key, source);
  const leave = join(connection);
  const { feed, release } = leaseFeed(connection.client, referenceId);
  return {
    feed,
    release() {
      release();
      leave();
    },
  };
}

function leaseFeed(client: MetergraphRealtime, referenceId: string | undefined): Lease {
  const known = feeds.get(client) ?? new Map<string | undefined, SharedFeed>();
  feeds.set(client, known);
  const shared: SharedFeed = known.get(referenceId) ?? {
    users: 0,
    feed: createFeed(client, referenceId),
    end() {
      if (known.get(referenceId) === shared) known.delete(referenceId);
    },
  };
  known.set(referenceId, shared);
  return { feed: shared.feed, release: join(shared) };
}

/** One user more. @returns How to leave; only the first call counts. */
function join(shared: Shared): () => void {
  shared.users += 1;
  let hasLeft = false;
  return () => {
    if (hasLeft) return;
    hasLeft = true;
    shared.users -= 1;
    if (shared.users === 0) setTimeout(() => shared.users === 0 && shared.end(), END_AFTER_MS);
  };
}

/** From now on `latest` is called instead of `first`: a render made a new function of the same meaning. */
export function succeed(first: GetToken, latest: GetToken): void {
  successors.set(first, latest);
}

/** Same key, same connection. */
export function sourceKey({ url, getToken, tokenUrl, token }: Source): string {
  return JSON.stringify([url, getToken ? functionKey(getToken) : tokenUrl !== undefined ? ['url', tokenUrl] : token]);
}

function functionKey(getToken: GetToken): string {
  const key = functionKeys.get(getToken) ?? `function ${++functionsSeen}`;
  functionKeys.set(getToken, key);
  return key;
}

function open(key: string, source: Source): Connection {
  const client = createMetergraphRealtime({ url: endpoint(source.url ?? '/'), getToken: tokenSource(source) });
  const end = (): void => {
    if (connections.get(key) === connection) connections.delete(key);
    client.close();
  };
  const connection: Connection = { client, end, users: 0 };
  connections.set(key, connection);
  return connection;
}

/** `https://host`, `https://host/` and `https://host/graphql` name the same endpoint; so does a mount path ending in `/`. */
export function endpoint(url: string): string {
  const base = typeof document === 'undefined' ? undefined : document.baseURI;
  const absolute = new URL(url, base);
  if (absolute.pathname.endsWith('/')) absolute.pathname += 'graphql';
  return absolute.href;
}

function tokenSource({ getToken, tokenUrl, token }: Source): GetToken {
  if (getToken) return () => (successors.get(getToken) ?? getToken)();
  if (tokenUrl !== undefined) return () => fetchToken(tokenUrl);
  return () => token ?? '';
}

/** Fails with a sentence when the answer is no token, and when it takes longer than the SDK waits for one. */
export async function fetchToken(tokenUrl: string): Promise<string> {
  const response = await fetch(tokenUrl, {
    method: 'POST',
    headers: { accept: 'application/json, text/plain' },
    signal: AbortSignal.timeout(TOKEN_TIMEOUT_MS),
  });
  if (!response.ok) throw new Error(`${tokenUrl} answered ${response.status}`);
  const body = (await response.text()).trim();
  if (!body.startsWith('{')) return body;
  const answer: unknown = JSON.parse(body);
  if (answer && typeof answer === 'object' && 'token' in answer && typeof answer.token === 'string')
    return answer.token;
  throw new Error(`${tokenUrl} answered JSON without "token"`);
}
