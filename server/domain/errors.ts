/**
 * errors — what can be wrong with a call, each with a code that is never renamed.
 *
 * A *denial* is an answer and lives in `decision.ts`. A `MeterError` is a call that could not be understood or served.
 * Anything else thrown is a bug: logged, masked.
 */

import { isAdditive } from './aggregation.ts';
import { COUNTED, type Feature } from './feature.ts';
import { nearest } from './nearest.ts';
import { formatUnits, type Units } from './units.ts';

/** Codes a client sees as `UserError.code` (in a result union) or `extensions.code` (on the error list). */
export const ERROR_CODES = {
  ALERT_NOT_FOUND: 'No such alert in this tenant.',
  ALREADY_SUBSCRIBED: 'The customer has a subscription; changes to it are made in the portal.',
  API_KEY_NOT_FOUND: 'No such API key in this tenant.',
  BILLING_DISABLED:
    'This gateway takes no money: it has no STRIPE_SECRET_KEY, or one of the other mode than the tenant.',
  BILLING_UNAVAILABLE: 'Whoever takes the money did not answer. Retry with the same idempotency key.',
  CREDIT_PACK_NOT_FOUND: 'No credit pack with this key in the config.',
  CUSTOMER_NOT_FOUND: 'No customer with this referenceId in this tenant.',
  FEATURE_NOT_FOUND: 'No feature with this key, or it is archived.',
  PLAN_NOT_FOUND: 'No plan with this key.',
  PLAN_NOT_FOR_SALE: 'The plan has no price that it could be bought for.',
  EVENT_NOT_FOUND: 'No such event in this tenant.',
  EVENT_ALREADY_REVERSED: 'The event was reversed before, or is itself a reversal.',
  GRANT_NOT_FOUND: 'No such grant in this tenant.',
  INVOICE_NOT_FOUND: 'No invoice with this number in this tenant.',
  RESERVATION_NOT_FOUND: 'No such reservation in this tenant.',
  RESERVATION_EXPIRED: 'The reservation was open for as long as it may be; what it held has been given back.',
  RESERVATION_CLOSED: 'The reservation was committed or released before.',
  WEBHOOK_ENDPOINT_NOT_FOUND: 'No such webhook endpoint in this tenant.',
  WEBHOOK_DELIVERY_NOT_FOUND: 'No such delivery in this tenant, or it was forgotten.',
  WALLET_NOT_FOUND: 'The customer has no wallet in this currency.',
  INSUFFICIENT_BALANCE: 'The wallet does not hold as much as is to be paid out.',
  INVALID_TIMESTAMP: 'The instant lies too far back, or ahead.',
  IDEMPOTENCY_CONFLICT: 'The idempotency key was first sent with other content.',
  INVALID_AMOUNT:
    'The amount is zero, not a number, too precise, too large, or negative where nothing can be given back.',
  INVALID_CURSOR: 'The cursor is malformed, or belongs to another stream, list or customer.',
  INVALID_INPUT: 'A field holds a value outside its bounds; `path` names it.',
  UNAUTHENTICATED: 'No credential, or one that is unknown, expired or revoked.',
  FORBIDDEN: "The credential is valid, and its scope is too small, or the app's authorizeReference refuses it.",
  OVERLOADED: 'The queue is full; nothing was written. Retry with the same idempotency key.',
  DEADLINE_EXCEEDED: 'No answer in time; whether it was written is unknown. Retry with the same idempotency key.',
  UNAVAILABLE: 'The database did not answer; whether it was written is unknown. Retry with the same idempotency key.',
  SHUTTING_DOWN: 'This gateway is stopping; nothing was written. Retry with the same idempotency key.',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

const RETRYABLE: ReadonlySet<ErrorCode> = new Set([
  'BILLING_UNAVAILABLE',
  'OVERLOADED',
  'DEADLINE_EXCEEDED',
  'UNAVAILABLE',
  'SHUTTING_DOWN',
]);

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

/** @param sentence Which instants are allowed. */
export const invalidTimestamp = (sentence: string): MeterError =>
  new MeterError('INVALID_TIMESTAMP', sentence, { path: ['input', 'timestamp'] });

export const creditPackNotFound = (key: string, known: Iterable<string>): MeterError => {
  const keys = [...known];
  const suggestion = nearest(key, keys);
  const hint = keys.length === 0 ? 'the config defines none' : `there are ${keys.join(', ')}`;
  return new MeterError('CREDIT_PACK_NOT_FOUND', `There is no credit pack "${key}"; ${hint}.`, {
    path: ['input', 'creditPack', 'key'],
    ...(suggestion && { suggestion }),
  });
};

export const billingDisabled = (): MeterError =>
  new MeterError(
    'BILLING_DISABLED',
    'This gateway takes no money: start it with STRIPE_SECRET_KEY, or let customers pay elsewhere and put what they paid for in with setCustomerPlan, grantCredits and topUpWallet.',
    { path: ['input'] },
  );

export const reservationNotFound = (): MeterError =>
  new MeterError('RESERVATION_NOT_FOUND', 'There is no such reservation; use the `id` that reserve answered with.', {
    path: ['input', 'reservationId'],
  });

export const reservationExpired = (expiresAtMs: number): MeterError =>
  new MeterError(
    'RESERVATION_EXPIRED',
    `The reservation expired at ${new Date(expiresAtMs).toISOString()} and what it held was given back; report work that was done with recordUsage, or reserve again with a longer ttlSeconds.`,
    { path: ['input', 'reservationId'] },
  );

/** @param was What became of it, as in `committed with 3`. */
export const reservationClosed = (was: string, wanted: 'committed' | 'released'): MeterError =>
  new MeterError(
    'RESERVATION_CLOSED',
    `The reservation was ${was} and can not be ${wanted} any more; ${
      wanted === 'committed' ? 'send further use with consume or recordUsage' : 'give use back with reverseEvent'
    }.`,
    { path: ['input', 'reservationId'] },
  );

export const grantNotFound = (): MeterError =>
  new MeterError(
    'GRANT_NOT_FOUND',
    'There is no such grant; use the `id` that grantCredits or a list of grants says.',
    {
      path: ['input', 'grantId'],
    },
  );

export const invoiceNotFound = (number: number): MeterError =>
  new MeterError('INVOICE_NOT_FOUND', `There is no invoice ${number}; use a \`number\` that a list of invoices says.`, {
    path: ['input', 'number'],
  });

export const eventNotFound = (): MeterError =>
  new MeterError('EVENT_NOT_FOUND', 'There is no such event; use the `id` that a list of events says.', {
    path: ['input', 'eventId'],
  });

export const eventAlreadyReversed = (): MeterError =>
  new MeterError(
    'EVENT_ALREADY_REVERSED',
    'The event was reversed before, or is a reversal itself; an event is reversed once. Record the use again if it did happen.',
    { path: ['input', 'eventId'] },
  );

/** @param amount What the event added to its counter. */
export function irreversible({ key, aggregation }: Pick<Feature, 'key' | 'aggregation'>, amount: Units): MeterError {
  const path = ['input', 'eventId'];
  if (!isAdditive(aggregation)) {
    const sentence = `The event is of "${key}", which counts ${COUNTED[aggregation]}, and only a use of amounts that add up (count, sum, duration) can be reversed; report what is true of "${key}" instead.`;
    return new MeterError('INVALID_AMOUNT', sentence, { path });
  }
  const sentence =
    amount === 0n
      ? `The event added nothing to what is used of "${key}", so there is nothing to reverse.`
      : `The event gave back ${formatUnits(-amount)} of "${key}", and only a use can be reversed, not a give-back; if they were used after all, record that with recordUsage.`;
  return new MeterError('INVALID_AMOUNT', sentence, { path });
}

export const walletNotFound = (currency: string): MeterError =>
  new MeterError(
    'WALLET_NOT_FOUND',
    `The customer has no wallet in ${currency.toUpperCase()}; put money in with topUpWallet first, or name the currency of one it has.`,
    { path: ['input', 'currency'] },
  );

/** @param sentence How much is there, and how much was asked for. */
export const insufficientBalance = (sentence: string): MeterError =>
  new MeterError('INSUFFICIENT_BALANCE', sentence, { path: ['input', 'amount'] });

export const invalidInput = (path: Path, sentence: string): MeterError =>
  new MeterError('INVALID_INPUT', sentence, { path });

function notFound(code: ErrorCode, noun: string, key: string, known: Iterable<string>, path: Path) {
  const suggestion = nearest(key, known);
  const hint =
    suggestion === undefined
      ? `define it in the config or with save${capital(noun)}.`
      : `did you mean "${suggestion}"?`;
  return new MeterError(code, `There is no ${noun} "${key}"; ${hint}`, { path, ...(suggestion && { suggestion }) });
}

const capital = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
