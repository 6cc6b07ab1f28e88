/** Goal: a cursor continues the list it came from, and is refused everywhere else. */
import { expect, it } from 'vitest';
import { decodeListCursor, encodeListCursor } from './list-cursor.ts';

const DIGITS = [/^\d+$/];
const json = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

it('comes back as it was, whatever the text', () => {
  const cursor = encodeListCursor('customers', 'tenant', ['a "quoted" 😀 id', '2']);
  expect(decodeListCursor(cursor, 'customers', 'tenant', [/./, /./])).toEqual(['a "quoted" 😀 id', '2']);
});

it.each([
  ['of another list', encodeListCursor('events', 'tenant', ['1'])],
  ['of another tenant', encodeListCursor('alerts', 'other', ['1'])],
  ['of one customer', encodeListCursor('alerts 5f', 'tenant', ['1'])],
  ['with a part too many', encodeListCursor('alerts', 'tenant', ['1', '2'])],
  ['with a part too few', encodeListCursor('alerts', 'tenant', [])],
  ['with a part of another shape', encodeListCursor('alerts', 'tenant', ["1'; --"])],
  ['with a number for a text', json(['alerts', 'tenant', 1])],
  ['that is an object', json({ list: 'alerts' })],
  ['that is no JSON', Buffer.from('alerts').toString('base64url')],
  ['that is empty', ''],
  ['that is nonsense', '%%%'],
  ['without end', 'a'.repeat(100_000)],
])('refuses a cursor %s', (_name, cursor) =>
  expect(() => decodeListCursor(cursor, 'alerts', 'tenant', DIGITS)).toThrow(
    expect.objectContaining({ code: 'INVALID_CURSOR', path: ['after'] }),
  ),
);
