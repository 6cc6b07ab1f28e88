/** http — one GraphQL request over HTTP, once. @urql/core writes and reads it; retrying is `retry.ts`. */
import { Client, type CombinedError, createRequest, type DocumentInput, fetchExchange } from '@urql/core';
import { badResponse, graphQLFailure, type HttpAnswer, httpFailure, networkFailure } from './failures.ts';

/** What is sent: its text or typed document, and its variables. */
export interface HttpRequest {
  readonly document: DocumentInput<unknown, object>;
  readonly variables: object;
  readonly token: string;
  readonly signal: AbortSignal;
}

export type Send = (request: HttpRequest) => Promise<unknown>;

/** @returns A function that resolves to the response's `data`, and throws a MetergraphError for anything else. */
export function httpSender(url: string, fetch: typeof globalThis.fetch): Send {
  const urql = new Client({ url, exchanges: [fetchExchange], preferGetMethod: false, requestPolicy: 'network-only' });
  let calls = 0;

  return async ({ document, variables, token, signal }) => {
    // urql gives equal queries one fetch. Each call here has its own signal and token, so each is its own.
    const request = { ...createRequest(document, variables), key: ++calls };
    const execute = isMutation(request.query) ? urql.executeMutation : urql.executeQuery;
    const { data, error } = await execute(request, {
      fetch: (input, init) => {
        const headers = new Headers(init?.headers);
        headers.set('authorization', `Bearer ${token}`);
        return fetch(input, { ...init, headers, signal });
      },
    }).toPromise();
    if (error) throw failureOf(error);
    return data;
  };
}

/** Queries may be repeated freely; mutations only when their input makes it safe. */
export const isMutation = (document: DocumentInput<unknown, object>): boolean =>
  createRequest(document, {}).query.definitions.some(
    (definition) => definition.kind === 'OperationDefinition' && definition.operation === 'mutation',
  );

function failureOf({ graphQLErrors, networkError, response }: CombinedError) {
  const answer: HttpAnswer | undefined = response;
  if (graphQLErrors.length > 0) return graphQLFailure(graphQLErrors, answer);
  if (answer && (answer.status < 200 || answer.status >= 300)) return httpFailure(answer);
  if (networkError instanceof SyntaxError) return badResponse('the answer is not JSON: is this the GraphQL endpoint?');
  return networkFailure(networkError);
}
