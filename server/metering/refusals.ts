/** refusals — what callers hear of an engine that can't take their call, or could not record it. */
import { sqlStateOf } from '../db/client.ts';
import { invalidAmount, invalidInput, MeterError } from '../domain/errors.ts';
import { DIGITS_MAX, FRACTION_DIGITS_MAX } from '../domain/units.ts';
import { Uncountable } from './draft.ts';

/** SQLSTATEs after which the same batch may pass as it is: it met another gateway's. */
const CONFLICTS: ReadonlySet<string> = new Set(['23505', '40P01', '40001', '22012']);
/** SQLSTATE of a lock that was not to be had in time: somebody else holds a customer of the batch. */
const LOCK_NOT_AVAILABLE = '55P03';
/** SQLSTATE of a number with more digits than its column has, like a sum of what was used in a minute. */
const NUMERIC_VALUE_OUT_OF_RANGE = '22003';
/** The class of SQLSTATE for data that no column can hold: text with a zero character, properties that are not JSON. */
const DATA_EXCEPTION_CLASS = '22';

/** Whether the same batch may pass as it is. */
export const isConflict = (state: string | null): boolean => state !== null && CONFLICTS.has(state);

export const isHeld = (state: string | null): boolean => state === LOCK_NOT_AVAILABLE;

export const isLate = (error: unknown): boolean => error instanceof MeterError && error.code === 'DEADLINE_EXCEEDED';

export const stopping = (): MeterError =>
  new MeterError('SHUTTING_DOWN', 'This gateway is stopping; send the call again.');

export function overloaded(waiting: number, waitingMax: number): MeterError {
  const found = `${waiting} calls are waiting and at most ${waitingMax} may`;
  return new MeterError('OVERLOADED', `${found}; nothing was written, send the call again shortly.`);
}

export function unanswered(deadlineMs: number): MeterError {
  const late = `The database did not answer within ${deadlineMs} ms; whether the call was recorded is unknown. Send it again with the same idempotency key.`;
  return new MeterError('DEADLINE_EXCEEDED', late);
}

export const unreachable = (): MeterError =>
  new MeterError(
    'UNAVAILABLE',
    'The database could not be reached; send the call again with the same idempotency key.',
  );

export const beingChanged = (): MeterError =>
  new MeterError(
    'UNAVAILABLE',
    'The customer is being changed by somebody else for too long; nothing was written, send the call again.',
  );

export const tooLate = (deadlineMs: number): MeterError =>
  new MeterError('OVERLOADED', `The call waited ${deadlineMs} ms for its turn; nothing was written, send it again.`);

/** What a caller hears whose request failed alone. */
export function refusalOf(error: unknown): Error {
  const state = sqlStateOf(error);
  const failure = error instanceof Error ? error : new Error(String(error));
  if (state === LOCK_NOT_AVAILABLE) return beingChanged();
  if (error instanceof Uncountable || state === NUMERIC_VALUE_OUT_OF_RANGE) return doesNotAddUp();
  if (state === null || CONFLICTS.has(state) || !state.startsWith(DATA_EXCEPTION_CLASS)) return failure;
  const sentence =
    'A text or a value of this call is one that no database keeps, like the character U+0000; nothing was written, leave it out.';
  return invalidInput(['input'], sentence);
}

export const doesNotAddUp = (): MeterError =>
  invalidAmount(
    `What the amount comes to, together with what is there, has more than ${DIGITS_MAX - FRACTION_DIGITS_MAX} digits before the point; nothing was written, send a smaller one.`,
  );
