/**
 * bus — hints between the gateways of one Postgres: which customers moved, never what to. Whoever cares reads the truth.
 *
 * One notification per batch, sent in its transaction. Hints may be lost; the slow poll of `Streams` is the floor.
 */

/** A message to other gateways, sent with the commit. */
export type Hint = { readonly channel: string; readonly payload: string };

/** What a hint is made of. */
export type Moves = {
  readonly customers: readonly {
    readonly tenantId: string;
    readonly id: string;
    readonly sequenceBefore: bigint;
    readonly sequence: bigint;
  }[];
  readonly alerts: readonly { readonly customerId: string }[];
};

export const CHANNEL = 'metergraph';
/** Postgres takes payloads under 8,000 bytes. */
const PAYLOAD_BYTES_MAX = 7_900;

export type Message =
  | {
      readonly kind: 'moved';
      readonly from: string;
      /** `[tenant, customer, sequence before, sequence, raised alerts]`; sequences as text. */
      readonly customers: readonly (readonly [
        tenantId: string,
        customerId: string,
        before: string,
        sequence: string,
        alerted: 0 | 1,
      ])[];
    }
  | { readonly kind: 'catalog'; readonly from: string; readonly tenantId: string }
  | { readonly kind: 'customer'; readonly from: string; readonly tenantId: string; readonly customerId: string }
  /** More moved than one payload can say: poll now. */
  | { readonly kind: 'much'; readonly from: string };

/** The hint of a batch. */
export function hintOf(gatewayId: string, { customers, alerts }: Moves): Hint {
  const alerted = new Set(alerts.map((alert) => alert.customerId));
  const message: Message = {
    kind: 'moved',
    from: gatewayId,
    customers: customers.map((c) => [
      c.tenantId,
      c.id,
      String(c.sequenceBefore),
      String(c.sequence),
      alerted.has(c.id) ? 1 : 0,
    ]),
  };
  return { channel: CHANNEL, payload: encodeMessage(message) };
}

export function encodeMessage(message: Message): string {
  const payload = JSON.stringify(message);
  if (Buffer.byteLength(payload) <= PAYLOAD_BYTES_MAX) return payload;
  return JSON.stringify({ kind: 'much', from: message.from } satisfies Message);
}

/** @returns null for what is not a message of ours: anybody with access to the database may notify. */
export function decodeMessage(payload: string): Message | null {
  try {
    const message: unknown = JSON.parse(payload);
    return isMessage(message) ? message : null;
  } catch {
    return null;
  }
}

function isMessage(value: unknown): value is Message {
  if (!isObject(value) || !isText(value.from)) return false;
  switch (value.kind) {
    case 'moved':
      return Array.isArray(value.customers) && value.customers.every(isMovedCustomer);
    case 'catalog':
      return isText(value.tenantId);
    case 'customer':
      return isText(value.tenantId) && isText(value.customerId);
    default:
      return value.kind === 'much';
  }
}

function isMovedCustomer(value: unknown): boolean {
  if (!Array.isArray(value)) return false;
  const [tenantId, customerId, before, sequence] = value;
  return isText(tenantId) && isText(customerId) && isSequence(before) && isSequence(sequence);
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;
const isSequence = (value: unknown): boolean => isText(value) && /^\d{1,19}$/.test(value);
const isText = (value: unknown): value is string => typeof value === 'string';
