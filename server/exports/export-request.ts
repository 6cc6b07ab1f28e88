/** export-request — what the query of an export asks for, or a sentence on what is wrong with it. */
import { Temporal } from 'temporal-polyfill';
import { invalidInput } from '../domain/errors.ts';
import { INVOICE_STATUSES, type InvoiceStatus } from '../domain/invoice-record.ts';

export type ExportRequest = {
  /** Half-open; null is open on that side. */
  readonly fromMs: number | null;
  readonly toMs: number | null;
  /** Invoices with a greater number; null for all. */
  readonly afterNumber: number | null;
  /** Null for all. */
  readonly status: InvoiceStatus | null;
};

/** @throws {MeterError} `INVALID_INPUT` for a parameter that is unknown, said twice, or no such thing. */
export function exportRequestOf(query: URLSearchParams, allowed: readonly string[]): ExportRequest {
  for (const name of new Set(query.keys())) {
    if (!allowed.includes(name)) {
      throw invalidInput([name], `There is no parameter "${shown(name)}" here; there are ${allowed.join(', ')}.`);
    }
    if (query.getAll(name).length > 1)
      throw invalidInput([name], `The parameter "${name}" is there twice; send it once.`);
  }
  const [fromMs, toMs] = [instantOf(query, 'from'), instantOf(query, 'to')];
  if (fromMs !== null && toMs !== null && fromMs >= toMs) {
    throw invalidInput(
      ['to'],
      '"to" is not after "from"; what is exported begins with the first and ends before the second.',
    );
  }
  return { fromMs, toMs, afterNumber: numberOf(query), status: statusOf(query) };
}

const DATE = /^\d{4}-\d{2}-\d{2}$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})$/i;

function instantOf(query: URLSearchParams, name: 'from' | 'to'): number | null {
  const text = query.get(name);
  if (text === null) return null;
  try {
    if (DATE.test(text)) return Temporal.Instant.from(`${text}T00:00Z`).epochMilliseconds;
    if (INSTANT.test(text)) return Temporal.Instant.from(text).epochMilliseconds;
  } catch {
    // A day that does not exist, like 31 February.
  }
  throw invalidInput(
    [name],
    `"${name}" is "${shown(text)}"; write a day, like 2026-03-01, or an instant with its offset, like 2026-03-01T00:00:00Z.`,
  );
}

const NUMBER = /^\d{1,15}$/;

function numberOf(query: URLSearchParams): number | null {
  const text = query.get('after');
  if (text === null) return null;
  if (NUMBER.test(text)) return Number(text);
  throw invalidInput(
    ['after'],
    `"after" is "${shown(text)}"; write the number of the last invoice that you have, like 41, or 0 for all.`,
  );
}

function statusOf(query: URLSearchParams): InvoiceStatus | null {
  const text = query.get('status');
  if (text === null) return null;
  const status = INVOICE_STATUSES.find((known) => known === text);
  if (status) return status;
  throw invalidInput(
    ['status'],
    `"status" is "${shown(text)}"; it is one of ${INVOICE_STATUSES.join(', ')}, or left out for all.`,
  );
}

const SHOWN_MAX = 40;
const shown = (text: string): string => (text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text);
