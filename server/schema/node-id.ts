/**
 * node-id — the global, opaque id of an object: its type and what it is found by.
 *
 * Each holds something that no other tenant's object has, so an id of another tenant finds nothing.
 */

const NODE_TYPES = ['Alert', 'ApiKey', 'Customer', 'Event', 'Feature', 'Grant', 'Plan'] as const;
export type NodeType = (typeof NODE_TYPES)[number];
/** A reservation has an id and is no node: one that was denied has none. Webhooks are for admins alone, and found in their lists. */
const OTHER_TYPES = ['Reservation', 'WebhookDelivery', 'WebhookEndpoint'] as const;
type IdType = NodeType | (typeof OTHER_TYPES)[number];
const ID_TYPES: readonly IdType[] = [...NODE_TYPES, ...OTHER_TYPES];
export type NodeId = { readonly type: IdType; readonly parts: readonly string[] };

/** A reservation's id has the customer's reference in it: 255 characters of up to three bytes. */
const ID_LENGTH_MAX = 1_200;

export const encodeNodeId = (type: IdType, ...parts: readonly string[]): string =>
  Buffer.from([type, ...parts].join(' ')).toString('base64url');

/** @returns null for what no `encodeNodeId` wrote. */
export function decodeNodeId(text: string): NodeId | null {
  if (text.length > ID_LENGTH_MAX) return null;
  const [first, ...parts] = Buffer.from(text, 'base64url').toString().split(' ');
  const type = ID_TYPES.find((candidate) => candidate === first);
  return type && encodeNodeId(type, ...parts) === text ? { type, parts } : null;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SEQUENCE = /^\d{1,18}$/;

/** What alerts and events are found by: a customer, and a position. */
export type SequencedKey = { readonly customerId: string; readonly sequence: bigint };

export function sequencedKey({ parts: [customerId = '', sequence = ''] }: NodeId): SequencedKey | null {
  return UUID.test(customerId) && SEQUENCE.test(sequence) ? { customerId, sequence: BigInt(sequence) } : null;
}

/** What grants are found by: a customer, and an id of their own. */
export type OwnedKey = { readonly customerId: string; readonly id: string };

export function ownedKey({ parts: [customerId = '', id = ''] }: NodeId): OwnedKey | null {
  return UUID.test(customerId) && UUID.test(id) ? { customerId, id } : null;
}

/**
 * What a reservation is found by. Its customer is named by the reference, so that committing needs no look-up: in another
 * tenant the same id speaks of another customer, who has no such reservation.
 */
export type ReservationKey = { readonly referenceId: string; readonly reservationId: string };

export const reservationNodeId = ({ referenceId, reservationId }: ReservationKey): string =>
  encodeNodeId('Reservation', reservationId, referenceId);

/** @returns null for what no `reservationNodeId` wrote. */
export function reservationKey(text: string): ReservationKey | null {
  const id = decodeNodeId(text);
  if (id?.type !== 'Reservation') return null;
  const [reservationId = '', ...words] = id.parts;
  const referenceId = words.join(' '); // it may have spaces itself
  return UUID.test(reservationId) && referenceId !== '' ? { referenceId, reservationId } : null;
}

export const uuidOf = ({ parts: [id = ''] }: NodeId): string | null => (UUID.test(id) ? id : null);

export const isNodeType = (type: IdType): type is NodeType => NODE_TYPES.some((known) => known === type);

/** The uuid in an id of one of the other types; null for what is none. */
export function uuidOfType(text: string, type: IdType): string | null {
  const id = decodeNodeId(text);
  return id?.type === type ? uuidOf(id) : null;
}

/** The key of a feature or plan, unless it is another tenant's. */
export const catalogKey = ({ parts: [tenantId, key] }: NodeId, ofTenant: string): string | null =>
  tenantId === ofTenant && key !== undefined ? key : null;
