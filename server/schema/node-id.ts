/**
 * node-id — the global, opaque id of an object: its type and what it is found by.
 *
 * Each holds something that no other tenant's object has, so an id of another tenant finds nothing.
 */

const NODE_TYPES = ['Alert', 'ApiKey', 'Customer', 'Event', 'Feature', 'Plan'] as const;
export type NodeType = (typeof NODE_TYPES)[number];
export type NodeId = { readonly type: NodeType; readonly parts: readonly string[] };

const ID_LENGTH_MAX = 512;

export const encodeNodeId = (type: NodeType, ...parts: readonly string[]): string =>
  Buffer.from([type, ...parts].join(' ')).toString('base64url');

/** @returns null for what no `encodeNodeId` wrote. */
export function decodeNodeId(text: string): NodeId | null {
  if (text.length > ID_LENGTH_MAX) return null;
  const [first, ...parts] = Buffer.from(text, 'base64url').toString().split(' ');
  const type = NODE_TYPES.find((candidate) => candidate === first);
  return type && encodeNodeId(type, ...parts) === text ? { type, parts } : null;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const SEQUENCE = /^\d{1,18}$/;

/** What alerts and events are found by: a customer, and a position. */
export type SequencedKey = { readonly customerId: string; readonly sequence: bigint };

export function sequencedKey({ parts: [customerId = '', sequence = ''] }: NodeId): SequencedKey | null {
  return UUID.test(customerId) && SEQUENCE.test(sequence) ? { customerId, sequence: BigInt(sequence) } : null;
}

export const uuidOf = ({ parts: [id = ''] }: NodeId): string | null => (UUID.test(id) ? id : null);

/** The key of a feature or plan, unless it is another tenant's. */
export const catalogKey = ({ parts: [tenantId, key] }: NodeId, ofTenant: string): string | null =>
  tenantId === ofTenant && key !== undefined ? key : null;
