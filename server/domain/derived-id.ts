/** derived-id — ids that follow from what they name, so that the same thing can't be made twice. */
import { createHash } from 'node:crypto';

/**
 * A name-based UUID, version 5.
 *
 * @param namespace A UUID.
 * @see https://www.rfc-editor.org/rfc/rfc9562#name-uuid-version-5
 */
export function derivedId(namespace: string, name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(namespace.replaceAll('-', ''), 'hex'))
    .update(name, 'utf8')
    .digest();
  hash.writeUInt8((hash.readUInt8(6) & 0x0f) | 0x50, 6);
  hash.writeUInt8((hash.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = hash.toString('hex', 0, 16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
