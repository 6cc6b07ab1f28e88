/** http-client — GraphQL over HTTP as any client would send it, with everything that came back. */

export type HttpReply<Data = Record<string, unknown>> = {
  readonly status: number;
  readonly headers: Headers;
  /** The body exactly as it was sent. */
  readonly text: string;
  /** The body read as a GraphQL result; on anything that is not JSON, both parts are undefined. */
  readonly data: Data | null | undefined;
  readonly errors: readonly GraphQLReplyError[] | undefined;
};

export type GraphQLReplyError = {
  readonly message: string;
  readonly path?: readonly (string | number)[];
  readonly extensions?: Readonly<Record<string, unknown>> & { readonly code?: string };
};

export type HttpClient = {
  /** Posts one operation as `application/json`. Never throws for a status; only for a broken connection. */
  post<Data = Record<string, unknown>>(
    query: string,
    variables?: Record<string, unknown>,
    options?: PostOptions,
  ): Promise<HttpReply<Data>>;
  /** As `post`, and fails the test with the errors where there are any: for what should simply work. */
  data<Data = Record<string, unknown>>(query: string, variables?: Record<string, unknown>): Promise<Data>;
  /** Posts a body as it is: for what is malformed, too long, or of another type. */
  raw(body: Body, headers?: Record<string, string>): Promise<HttpReply>;
};

export type Body = string | Uint8Array<ArrayBuffer> | FormData | URLSearchParams;

export type PostOptions = {
  readonly operationName?: string;
  readonly headers?: Record<string, string>;
  readonly signal?: AbortSignal;
};

/**
 * @param url The whole URL of the endpoint, `http://127.0.0.1:4000/graphql`.
 * @param key An API key or a customer token; left out, nothing is sent.
 */
export function httpClient(url: string, key?: string): HttpClient {
  const authorization: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const raw = async (body: Body, headers: Record<string, string> = {}, signal?: AbortSignal) => {
    const accept = 'application/graphql-response+json, application/json';
    const all = { 'content-type': 'application/json', accept, ...authorization, ...headers };
    return reply(await fetch(url, { method: 'POST', body, headers: all, ...(signal ? { signal } : {}) }));
  };
  const post: HttpClient['post'] = async (query, variables, { operationName, headers, signal } = {}) => {
    const answer = await raw(JSON.stringify({ query, variables, operationName }), headers, signal);
    return answer as HttpReply<never>; // the caller names the shape it asked for
  };
  return {
    post,
    raw: (body, headers) => raw(body, headers),
    data: async (query, variables) => {
      const { data, errors, status, text } = await post(query, variables);
      if (errors || !data) throw new Error(`expected data, got ${status}: ${text}`);
      return data as never; // as above
    },
  };
}

async function reply(response: Response): Promise<HttpReply> {
  const text = await response.text();
  const { data, errors } = parsed(text);
  return { status: response.status, headers: response.headers, text, data, errors };
}

function parsed(text: string): Partial<Pick<HttpReply, 'data' | 'errors'>> {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
