/** graphql-errors — every error that leaves the gateway has a stable code; bugs are logged and masked. */
import { GraphQLError } from 'graphql';
import { isUnreachable, sqlStateOf } from './db/client.ts';
import { MeterError } from './domain/errors.ts';

/**
 * @param onBug Told of an error that is nobody's fault but ours, before it is masked.
 * @returns the error as a client sees it: `extensions.code` always, `extensions.retryable` where a retry may help.
 */
export function toGraphQLError(error: unknown, onBug: (error: unknown) => void): GraphQLError {
  const cause = rootOf(error);
  const at = error instanceof GraphQLError ? placeOf(error) : {};
  if (cause instanceof MeterError) return new GraphQLError(cause.message, { ...at, extensions: extensionsOf(cause) });
  // The outer sentence says where, too: `Variable "$input" got invalid value 5 at "input.referenceId"; …`.
  if (cause instanceof GraphQLError) return withCode(error instanceof GraphQLError ? error : cause, 'BAD_USER_INPUT');
  if (sqlStateOf(cause) === UNSTORABLE_TEXT) {
    const message = 'A text has the character U+0000 in it, which no database keeps; leave it out.';
    return new GraphQLError(message, { ...at, extensions: { code: 'BAD_USER_INPUT', retryable: false } });
  }
  onBug(cause);
  if (isUnreachable(cause)) {
    const message = 'The database could not be reached; try again shortly.';
    return new GraphQLError(message, { ...at, extensions: { code: 'UNAVAILABLE', retryable: true } });
  }
  const message = 'Something went wrong on our side; the operator finds it in the log.';
  return new GraphQLError(message, { ...at, extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false } });
}

/** Gives an error a code unless it has one, and keeps of its extensions what is meant for clients. */
export function withCode(error: GraphQLError, code: string): GraphQLError {
  const { code: own, retryable, suggestion } = error.extensions;
  const http = own === BODY_TOO_LARGE ? UNREAD_BODY : httpOf(error);
  const extensions = {
    code: typeof own === 'string' ? own : code,
    ...(retryable !== undefined && { retryable }),
    ...(suggestion !== undefined && { suggestion }),
    ...(http !== undefined && { http }),
  };
  return new GraphQLError(SENTENCES[extensions.code] ?? error.message, { ...placeOf(error), extensions });
}

/** What was no request at all keeps its status, whatever the client accepts; `spec` would make it 200 for JSON. */
function httpOf({ extensions: { http, originalError } }: GraphQLError) {
  return originalError !== undefined && http?.status !== undefined ? { status: http.status } : http;
}

/** The same error where there is no HTTP response that its status would belong to. */
export function withoutHttp(error: GraphQLError): GraphQLError {
  const { http: _, ...extensions } = error.extensions;
  return new GraphQLError(error.message, { ...placeOf(error), extensions });
}

const BODY_TOO_LARGE = 'REQUEST_ENTITY_TOO_LARGE';
/** The rest of the body is not read, so the connection can't carry another request. */
const UNREAD_BODY = { status: 413, headers: { Connection: 'close' } };

/** Better words for what the GraphQL server says of a request by itself. */
const SENTENCES: Readonly<Record<string, string>> = {
  [BODY_TOO_LARGE]: 'The body has more than 1,000,000 bytes; send less at a time.',
};

/** SQLSTATE of a text that the database's encoding has no place for. */
const UNSTORABLE_TEXT = '22021';

/** What was thrown in the first place: GraphQL wraps errors to say where they happened, sometimes twice. */
function rootOf(error: unknown): unknown {
  let cause = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}

function extensionsOf({ code, retryable, suggestion }: MeterError) {
  const http = { status: 401, headers: { 'WWW-Authenticate': 'Bearer' } };
  return {
    code,
    retryable,
    ...(suggestion !== null && { suggestion }),
    ...(code === 'UNAUTHENTICATED' && { http }),
  };
}

/** Where in document and answer an error happened. */
const placeOf = ({ nodes, source, positions, path }: GraphQLError) => ({
  nodes: nodes ?? null,
  source: source ?? null,
  positions: positions ?? null,
  path: path ?? null,
});
