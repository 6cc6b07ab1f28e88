/** graphql-errors — every error that leaves the gateway has a stable code; bugs are logged and masked. */
import { GraphQLError } from 'graphql';
import { MeterError } from './domain/errors.ts';

/**
 * @param onBug Told of an error that is nobody's fault but ours, before it is masked.
 * @returns the error as a client sees it: `extensions.code` always, `extensions.retryable` where a retry may help.
 */
export function toGraphQLError(error: unknown, onBug: (error: unknown) => void): GraphQLError {
  const cause = error instanceof GraphQLError && error.originalError ? error.originalError : error;
  const at = error instanceof GraphQLError ? placeOf(error) : {};
  if (cause instanceof MeterError) {
    const http = cause.code === 'UNAUTHENTICATED' ? { http: { status: 401 } } : {};
    const suggestion = cause.suggestion === null ? {} : { suggestion: cause.suggestion };
    const extensions = { code: cause.code, retryable: cause.retryable, ...suggestion, ...http };
    return new GraphQLError(cause.message, { ...at, extensions });
  }
  if (cause instanceof GraphQLError) return withCode(cause, 'BAD_USER_INPUT');
  onBug(cause);
  const message = 'Something went wrong on our side; the operator finds it in the log.';
  return new GraphQLError(message, { ...at, extensions: { code: 'INTERNAL_SERVER_ERROR', retryable: false } });
}

/** Gives an error a code unless it has one. */
export function withCode(error: GraphQLError, code: string): GraphQLError {
  if (typeof error.extensions.code === 'string') return error;
  return new GraphQLError(error.message, { ...placeOf(error), extensions: { ...error.extensions, code } });
}

/** Where in document and answer an error happened. */
const placeOf = ({ nodes, source, positions, path }: GraphQLError) => ({
  nodes: nodes ?? null,
  source: source ?? null,
  positions: positions ?? null,
  path: path ?? null,
});
