/**
 * errors — what can be wrong with a call, each with a code that is never renamed.
 *
 * A *denial* is an answer and lives in `decision.ts`. A `MeterError` is a call that could not be understood or served.
 * Anything else thrown is a bug: logged, masked.
 */

import { nearest } from './nearest.ts';

/** Codes a client sees as `UserError.code` (in a result union) or `extensions.code` (on the error list). */
export const ERROR_CODES = {
  ALERT_NOT_FOUND: 'No such alert in this tenant.',
  API_KEY_NOT_FOUND: 'No such API key in this tenant.',
  CUSTOMER_NOT_FOUND: 'No customer with this referenceId in this tenant.',
  FEATURE_NOT_FOUND: 'No feature with this key, or it is archived.',
  PLAN_NOT_FOUND: 'No plan with this key.',
  IDEMPOTENCY_CONFLICT: 'The idempotency key was first sent with other content.',
  INVALID_AMOUNT:
    'The amount is zero, not a number, too precise, too large, or negative where nothing can be given back.',
  INVALID_CURSOR: 'The cursor is malformed, or belongs to another stream, list or customer.',
  INVALID_INPUT: 'A field holds a value outside its bounds; `path` names it.',
  UNAUTHENTICATED: 'No credential, or one that is unknown, expired or revoked.',
  FORBIDDEN: 'The credential is valid and its scope is too small.',
  OVERLOADED: 'The queue is full; nothing was written. Retry with the same idempotency key.',
  DEADLINE_EXCEEDED: 'No answer in time; whether it was written is unknown. Retry with the same idempotency key.',
  UNAVAILABLE: 'The database did not answer; whether it was written is unknown. Retry with the same idempotency key.',
  SHUTTING_DOWN: 'This gateway is stopping; nothing was written. Retry with the same idempotency key.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

const RETRYABLE: ReadonlySet<ErrorCode> = new Set(['OVERLOADED', 'DEADLINE_EXCEEDED', 'UNAVAILABLE', 'SHUTTING_DOWN']);

/** Where in the input, outermost first: `['input', 'amount']`. */
type Path = readonly string[];

export type ErrorDetails = {
  readonly path?: Path;
  /** The nearest key that exists, when the one sent looks like a slip. */
  readonly suggestion?: string;
};

export class MeterError extends Error {
  override readonly name = 'MeterError';
  readonly code: ErrorCode;
  readonly path: Path | null;
  readonly suggestion: string | null;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message);
    this.code = code;
    this.path = details.path ?? null;
    this.suggestion = details.suggestion ?? null;
  }

  /** Whether sending the very same request again, with the same idempotency key, may succeed. */
  get retryable(): boolean {
    return RETRYABLE.has(this.code);
  }
}

export const customerNotFound = (referenceId: string, path: Path = ['input', 'referenceId']): MeterError =>
  new MeterError(
    'CUSTOMER_NOT_FOUND',
    `There is no customer "${referenceId}"; register it first with registerCustomer.`,
    { path },
  );

export const featureNotFound = (
  key: string,
  known: Iterable<string>,
  path: Path = ['input', 'featureKey'],
): MeterError => notFound('FEATURE_NOT_FOUND', 'feature', key, known, path);

export const planNotFound = (key: string, known: Iterable<string>, field = 'planKey'): MeterError =>
  notFound('PLAN_NOT_FOUND', 'plan', key, known, ['input', field]);

export const invalidAmount = (sentence: string): MeterError =>
  new MeterError('INVALID_AMOUNT', sentence, { path: ['input', 'amount'] });

export const invalidInput = (path: Path, sentence: string): MeterError =>
  new MeterError('INVALID_INPUT', sentence, { path });

function notFound(code: ErrorCode, noun: string, key: string, known: Iterable<string>, path: Path) {
  const suggestion = nearest(key, known);
  const hint =
    suggestion === undefined ? `define it in the config or with save${capital(noun)}` : `did you mean "${suggestion}"?`;
  return new MeterError(code, `There is no ${noun} "${key}"; ${hint}`, { path, ...(suggestion && { suggestion }) });
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
