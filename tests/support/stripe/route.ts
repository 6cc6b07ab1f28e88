/** route — one operation of the API and how the fake answers it. */
import type { Account } from './account.ts';
import type { Wire } from './wire.ts';

export type Call<Params = unknown> = {
  readonly account: Account;
  /** As the SDK's type says: they were checked against its schema. Without `expand`, which concerns nobody else. */
  readonly params: Wire<Params>;
  /** What stands for each `{}` of the path. */
  readonly ids: readonly string[];
  /** The id, of a path that has one. */
  readonly id: string;
  /** Of a list: `/v1/prices`. */
  readonly url: string;
};

export type RouteOptions = {
  /** The token of a meter event session, in place of the API key. */
  readonly isForSessions?: boolean;
  /** What only one request at a time may use; a second is refused while the first is being answered. */
  readonly locks?: (params: never) => string;
};

export type Route = RouteOptions & { readonly operation: string; answer(call: Call): unknown };

/**
 * @param operation `POST /v1/prices/{}`
 * @param answer    What is sent, or a `Refusal` thrown.
 */
export const route = <Params>(
  operation: string,
  answer: (call: Call<Params>) => unknown,
  options: RouteOptions = {},
): Route => ({
  ...options,
  operation,
  answer: answer as Route['answer'], // the schema has shown that its parameters are these
});

export type Matched = { readonly route: Route; readonly ids: readonly string[] };

/** Finds the route of a request; a literal part of a path goes before an id. */
export function router(routes: readonly Route[]): (method: string, path: string) => Matched | undefined {
  const known = routes
    .map((each) => ({ each, pattern: patternOf(each.operation), idCount: each.operation.split('{}').length }))
    .sort((a, b) => a.idCount - b.idCount);
  return (method, path) => {
    for (const { each, pattern } of known) {
      const match = pattern.exec(`${method} ${path}`);
      if (match) return { route: each, ids: match.slice(1).map(decodeURIComponent) };
    }
    return undefined;
  };
}

const patternOf = (operation: string): RegExp => new RegExp(`^${operation.replaceAll('{}', '([^/]+)')}$`);
