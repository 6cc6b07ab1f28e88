/**
 * bus — hints between the gateways of one Postgres: which customers moved, never what to. Whoever cares reads the truth.
 *
 * One notification per batch, sent in its transaction. Hints may be lost; the slow poll of `Streams` is the floor.
 */

import type { Hint } from '../metering/ledger.ts';
import type { Changes } from '../metering/state.ts';

export const CHANNEL = 'metergraph';
/** Postgres takes payloads under 8,000 bytes. */
const PAYLOAD_BYTES_MAX = 7_900;

export type Message =
  | {
      readonly kind: 'moved';
      readonly from: string;
      /** `[tenant, customer, sequence, raised alerts]`; sequences as text. */
      readonly customers: readonly (readonly [
        tenantId: string,
        customerId: string,
        sequence: string,
        alerted: 0 | 1,
      ])[];
    }
  | { readonly kind: 'catalog'; readonly from: string; readonly tenantId: string }
  | { readonly kind: 'customer'; readonly from: string; readonly tenantId: string; readonly customerId: string }
  /** More moved than one payload can say: poll now. */
  | { readonly kind: 'much'; readonly from: string };

/** The hint of a batch. */
export function hintOf(gatewayId: string, { customers, alerts }: Changes): Hint {
  const alerted = new Set(alerts.map((alert) => alert.customerId));
  const message: Message = {
    kind: 'moved',
    from: gatewayId,
    customers: customers.map((c) => [c.tenantId, c.id, String(c.sequence), alerted.has(c.id) ? 1 : 0]),
  };
  return { channel: CHANNEL, payload: encodeMessage(message) };
}

export function encodeMessage(message: Message): string {
  const payload = JSON.stringify(message);
  if (Buffer.byteLength(payload) <= PAYLOAD_BYTES_MAX) return payload;
  return JSON.stringify({ kind: 'much', from: message.from } satisfies Message);
}

/** @returns null for what is not ours: anybody with access to the database may notify. */
export function decodeMessage(payload: string): Message | null {
  try {
    const message: unknown = JSON.parse(payload);
    const isMessage = typeof message === 'object' && message !== null && 'kind' in message && 'from' in message;
    return isMessage ? (message as Message) : null; // the writer is this same file, on another gateway
  } catch {
    return null;
  }
}
