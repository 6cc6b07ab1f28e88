/** derived-id — ids that follow from what they name, so that the same thing can't be made twice. */
import { hash } from 'node:crypto';

/**
 * A name-based UUID, version 5.
 *
 * @param namespace A UUID.
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-5
 */
export function derivedId(namespace: string, name: string): string {
  const hex = hash('sha1', Buffer.concat([Buffer.from(namespace.replaceAll('-', ''), 'hex'), Buffer.from(name)]));
  const variant = VARIANTS[Number.parseInt(hex.charAt(16), 16)];
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** The digit of the variant, by the digit that the hash has there: its two highest bits are 1 and 0. */
const VARIANTS = '89ab89ab89ab89ab';
