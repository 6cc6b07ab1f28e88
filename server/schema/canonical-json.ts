/**
 * canonical-json — JSON as one text per content: keys sorted, no spaces. Pure.
 *
 * The same properties in another order of keys are thereby the same content under an idempotency key.
 */

export const JSON_BYTES_MAX = 16 * 1_024;
export const JSON_DEPTH_MAX = 32;

export type CanonicalJson =
  | { readonly ok: true; readonly text: string }
  /** A sentence part that says what is wrong: `is 20000 bytes long; at most 16384 fit`. */
  | { readonly ok: false; readonly problem: string };

export function canonicalJson(value: unknown): CanonicalJson {
  try {
    const text = write(value, 0);
    const bytes = Buffer.byteLength(text);
    if (bytes > JSON_BYTES_MAX)
      return { ok: false, problem: `is ${bytes} bytes long as JSON; at most ${JSON_BYTES_MAX} fit` };
    return { ok: true, text };
  } catch (error) {
    if (error instanceof NotStorable) return { ok: false, problem: error.message };
    throw error;
  }
}

class NotStorable extends Error {}

function write(value: unknown, depth: number): string {
  if (depth > JSON_DEPTH_MAX) throw new NotStorable(`is more than ${JSON_DEPTH_MAX} levels deep`);
  if (Array.isArray(value)) return `[${value.map((part) => write(part, depth + 1)).join(',')}]`;
  if (value !== null && typeof value === 'object') return writeObject(value, depth);
  if (typeof value === 'string') return writeText(value);
  if (typeof value === 'number' && !Number.isFinite(value)) throw new NotStorable('has a number that is too large');
  return JSON.stringify(value ?? null);
}

function writeObject(object: object, depth: number): string {
  const entries = Object.entries(object).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, part]) => `${writeText(key)}:${write(part, depth + 1)}`).join(',')}}`;
}

/** What Postgres cannot keep: NUL, and halves of surrogate pairs. */
const UNSTORABLE = /\0|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/;

function writeText(text: string): string {
  if (UNSTORABLE.test(text)) throw new NotStorable('has a text with a NUL or half a surrogate pair in it');
  return JSON.stringify(text);
}
