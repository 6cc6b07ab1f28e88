/** failures — whatever went wrong on the wire, told as a MetergraphError. The only place that knows what is retryable. */
import { MetergraphError } from './errors.ts';

/** An error in a GraphQL response, as far as it matters here. */
export interface GraphQLFailure {
  readonly message: string;
  readonly extensions?: Readonly<Record<string, unknown>> | undefined;
}

/** A named error of a result union. */
export interface UserError {
  readonly message: string;
  readonly code: string;
  readonly path: readonly string[] | null;
}

/** What of an HTTP response tells about its failure. */
export interface HttpAnswer {
  readonly status: number;
  readonly statusText: string;
  readonly headers: { get(name: string): string | null };
}

/** Too many requests, and the three that proxies answer while a gateway restarts. */
const RETRYABLE_STATUS: ReadonlySet<number> = new Set([429, 502, 503, 504]);

/** Names other GraphQL servers and plugins give to what is one of ours. */
const CODE_ALIASES: Readonly<Record<string, string>> = {
  BAD_USER_INPUT: 'BAD_REQUEST',
  GRAPHQL_PARSE_FAILED: 'BAD_REQUEST',
  GRAPHQL_VALIDATION_FAILED: 'BAD_REQUEST',
  OPERATION_RESOLUTION_FAILURE: 'BAD_REQUEST',
  INTERNAL_SERVER_ERROR: 'INTERNAL',
};

/** A named error of the schema: the call was understood, and is wrong. Never worth a retry. */
export const userFailure = ({ code, message, path }: UserError): MetergraphError =>
  new MetergraphError(code, message, { path });

/** The errors list of a response. The first one speaks for all: the gateway puts the cause first. */
export function graphQLFailure(errors: readonly GraphQLFailure[], answer?: HttpAnswer): MetergraphError {
  const [first] = errors;
  if (!first) return badResponse('the gateway answered with an empty list of errors');
  const { code, retryable, path } = first.extensions ?? {};
  return new MetergraphError(codeOf(code, answer?.status), first.message, {
    retryable: retryable === true || RETRYABLE_STATUS.has(answer?.status ?? 0),
    path: isTextList(path) ? path : null,
    retryAfterMs: answer && retryAfterMs(answer),
  });
}

/** A response that carries no GraphQL. */
export const httpFailure = (answer: HttpAnswer): MetergraphError =>
  new MetergraphError(
    codeOfStatus(answer.status),
    `the gateway answered ${answer.status} ${answer.statusText}`.trim(),
    {
      retryable: RETRYABLE_STATUS.has(answer.status),
      retryAfterMs: retryAfterMs(answer),
    },
  );

/** No response at all, or half of one. */
export const networkFailure = (cause: unknown): MetergraphError =>
  new MetergraphError('NETWORK', `the gateway could not be reached${saying(cause)}`, { retryable: true, cause });

/** Something answered that is not a gateway this SDK understands. */
export const badResponse = (message: string, cause?: unknown): MetergraphError =>
  new MetergraphError('BAD_RESPONSE', message, { cause });

/** For all that is open when the client is closed, and all that is asked of it later. */
export const clientClosed = (): MetergraphError => new MetergraphError('CLOSED', 'the client is closed');

/** Milliseconds of a `Retry-After` header: seconds, or a date. */
export function retryAfterMs(answer: HttpAnswer, now: number = Date.now()): number | undefined {
  const value = answer.headers.get('retry-after');
  if (!value) return undefined;
  const ms = /^\d+$/.test(value.trim()) ? Number(value) * 1_000 : Date.parse(value) - now;
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function codeOf(code: unknown, status: number | undefined): string {
  if (typeof code === 'string') return CODE_ALIASES[code] ?? code;
  return status === undefined || status < 300 ? 'BAD_REQUEST' : codeOfStatus(status);
}

function codeOfStatus(status: number): string {
  if (status === 401) return 'UNAUTHENTICATED';
  if (status === 403) return 'FORBIDDEN';
  if (status === 429) return 'OVERLOADED';
  if (RETRYABLE_STATUS.has(status)) return 'NETWORK';
  if (status >= 500) return 'INTERNAL';
  return status >= 400 ? 'BAD_REQUEST' : 'BAD_RESPONSE';
}

const isTextList = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((item) => typeof item === 'string');

const saying = (cause: unknown): string => (cause instanceof Error && cause.message ? `: ${cause.message}` : '');
