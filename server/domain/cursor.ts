/**
 * cursor — where a stream of one customer's usage, or of a tenant's alerts, is resumed. Opaque to clients.
 *
 * A cursor names what it belongs to, so one of another customer or stream is refused; it is no secret and grants nothing.
 */
import { MeterError } from './errors.ts';

/** The largest sequence that the database can count. */
const SEQUENCE_MAX = 2n ** 63n - 1n;

/** Cursors older than this have expired: as long as idempotency keys are kept. */
export const CURSOR_AGE_MAX_MS = 35 * 24 * 3_600_000;

/** Resume point of one customer's meters. */
export type UsageCursor = {
  readonly customerId: string;
  readonly sequence: bigint;
  /** A change to features or plans moves limits without moving the customer's sequence. */
  readonly catalogVersion: number;
  /** When this was the state: periods that ended since have started anew. */
  readonly atMs: number;
};

/** Resume point of a tenant's alerts: the position of the last one heard. */
export type AlertCursor = { readonly tenantId: string; readonly sequence: bigint; readonly atMs: number };

export const encodeUsageCursor = ({ customerId, sequence, catalogVersion, atMs }: UsageCursor): string =>
  encode(['u', customerId, sequence.toString(36), catalogVersion.toString(36), atMs.toString(36)]);

export const encodeAlertCursor = ({ tenantId, sequence, atMs }: AlertCursor): string =>
  encode(['a', tenantId, sequence.toString(36), atMs.toString(36)]);

/** @throws {MeterError} `INVALID_CURSOR` for one that is malformed or of another customer. */
export function decodeUsageCursor(text: string, customerId: string): UsageCursor {
  const [, , sequence, version, at] = decode(text);
  const cursor = {
    customerId,
    sequence: bigintOf(sequence, text),
    catalogVersion: numberOf(version, text),
    atMs: numberOf(at, text),
  };
  if (encodeUsageCursor(cursor) !== text) throw invalidCursor(text);
  return cursor;
}

/** @throws {MeterError} `INVALID_CURSOR` for one that is malformed or of another tenant. */
export function decodeAlertCursor(text: string, tenantId: string): AlertCursor {
  const [, , sequence, at] = decode(text);
  const cursor = { tenantId, sequence: bigintOf(sequence, text), atMs: numberOf(at, text) };
  if (encodeAlertCursor(cursor) !== text) throw invalidCursor(text);
  return cursor;
}

/** Whether a text is, or claims to be, a resume point of a customer's meters. */
export const isUsageCursor = (text: string): boolean => decode(text)[0] === 'u';

export const isExpired = (cursor: { readonly atMs: number }, nowMs: number): boolean =>
  nowMs - cursor.atMs > CURSOR_AGE_MAX_MS;

const encode = (parts: readonly string[]): string => Buffer.from(parts.join('.')).toString('base64url');

/** Forgiving, as base64 readers are: a cursor counts only if it encodes to the very same text again. */
const decode = (text: string): readonly string[] =>
  text.length > 256 ? [] : Buffer.from(text, 'base64url').toString('latin1').split('.');

function numberOf(part: string | undefined, text: string): number {
  const value = /^[0-9a-z]{1,10}$/.test(part ?? '') ? Number.parseInt(part ?? '', 36) : Number.NaN;
  if (!Number.isSafeInteger(value)) throw invalidCursor(text);
  return value;
}

function bigintOf(part: string | undefined, text: string): bigint {
  if (!/^[0-9a-z]{1,13}$/.test(part ?? '')) throw invalidCursor(text);
  const value = [...(part ?? '')].reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n);
  if (value > SEQUENCE_MAX) throw invalidCursor(text);
  return value;
}

function invalidCursor(text: string): MeterError {
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  const sentence = `Cursor "${shown}" is malformed, or of another stream or customer; pass the last cursor you received here, or none.`;
  return new MeterError('INVALID_CURSOR', sentence, { path: ['after'] });
}
