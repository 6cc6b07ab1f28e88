/** Goal: an id finds what it was made for, and nothing else. */
import { expect, it } from 'vitest';
import {
  catalogKey,
  decodeNodeId,
  encodeNodeId,
  ownedKey,
  reservationKey,
  reservationNodeId,
  sequencedKey,
  uuidOf,
} from './node-id.ts';

const CUSTOMER = '5f0c1a52-2c1e-5d0a-9a47-1f6d2b3c4d5e';

it('comes back as it was', () => {
  expect(decodeNodeId(encodeNodeId('Alert', CUSTOMER, '7'))).toEqual({ type: 'Alert', parts: [CUSTOMER, '7'] });
});

it.each([
  ['of an unknown type', Buffer.from(`Wallet ${CUSTOMER}`).toString('base64url')],
  ['that is empty', ''],
  ['that is nonsense', '%%%'],
  ['written in another way', `${encodeNodeId('Customer', CUSTOMER)}=`],
  ['without end', encodeNodeId('Feature', 'x'.repeat(10_000))],
])('knows no id %s', (_name, id) => expect(decodeNodeId(id)).toBeNull());

it.each([
  ['no uuid', ['acme', '7']],
  ['no number', [CUSTOMER, 'seven']],
  ['a number that no sequence is', [CUSTOMER, '9'.repeat(19)]],
  ['nothing', []],
])('takes %s for no position', (_name, parts) => expect(sequencedKey({ type: 'Alert', parts })).toBeNull());

it('takes only a uuid for a customer', () => {
  expect(uuidOf({ type: 'Customer', parts: [CUSTOMER] })).toBe(CUSTOMER);
  expect(uuidOf({ type: 'Customer', parts: ["' or 1=1"] })).toBeNull();
});

it("takes another tenant's feature for none", () => {
  const id = { type: 'Feature', parts: ['tenant', 'api_calls'] } as const;
  expect(catalogKey(id, 'tenant')).toBe('api_calls');
  expect(catalogKey(id, 'other')).toBeNull();
});

it('finds a grant by its customer and its own id, and by nothing less', () => {
  expect(ownedKey({ type: 'Grant', parts: [CUSTOMER, CUSTOMER] })).toEqual({ customerId: CUSTOMER, id: CUSTOMER });
  expect(ownedKey({ type: 'Grant', parts: [CUSTOMER] })).toBeNull();
  expect(ownedKey({ type: 'Grant', parts: [CUSTOMER, '7'] })).toBeNull();
});

it.each(['acme', 'two  words ', '团队 😀', '席'.repeat(255)])('finds a reservation of %s', (referenceId) => {
  const key = { referenceId, reservationId: CUSTOMER };
  expect(reservationKey(reservationNodeId(key))).toEqual(key);
});

it.each([
  ['of another type', encodeNodeId('Grant', CUSTOMER, 'acme')],
  ['without a customer', encodeNodeId('Reservation', CUSTOMER)],
  ['without an id', encodeNodeId('Reservation', 'acme', CUSTOMER)],
  ['that is nonsense', 'nothing'],
])('finds no reservation by an id %s', (_name, id) => expect(reservationKey(id)).toBeNull());
