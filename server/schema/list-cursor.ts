/** list-cursor — where a page of a list begins. Opaque to clients; names list and tenant, so a foreign one is refused. */
import { MeterError } from '../domain/errors.ts';

const CURSOR_LENGTH_MAX = 2_048;

/** @param list Which list, and of whom: `customers`, `events <customer id>`. */
export const encodeListCursor = (list: string, tenantId: string, position: readonly string[]): string =>
  Buffer.from(JSON.stringify([list, tenantId, ...position])).toString('base64url');

/**
 * The position in a cursor of this very list.
 *
 * @param shape What each part of the position looks like.
 * @throws {MeterError} `INVALID_CURSOR`
 */
export function decodeListCursor(
  text: string,
  list: string,
  tenantId: string,
  shape: readonly RegExp[],
): readonly string[] {
  const [ofList, ofTenant, ...position] = partsOf(text);
  const fits = position.length === shape.length && shape.every((part, i) => part.test(position[i] ?? ''));
  if (ofList === list && ofTenant === tenantId && fits) return position;
  const shown = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  const sentence = `Cursor "${shown}" is malformed, or of another list; pass the endCursor of the page before, or none.`;
  throw new MeterError('INVALID_CURSOR', sentence, { path: ['after'] });
}

function partsOf(text: string): readonly string[] {
  if (text.length > CURSOR_LENGTH_MAX) return [];
  try {
    const parts: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    return Array.isArray(parts) && parts.every((part) => typeof part === 'string') ? parts : [];
  } catch {
    return [];
  }
}
