/**
 * bus — hints between the gateways of one Postgres: which customers moved, never what to. Whoever cares reads the truth.
 *
 * A batch sends them in its transaction, with one statement. Hints may be lost; the slow poll of `Streams` is the floor
 * for customers and alerts that somebody watches.
 */

/** Messages to other gateways, sent with the commit. */
export type Hint = { readonly channel: string; readonly payloads: readonly string[] };

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
/** Postgres takes payloads under 8,000 bytes; a customer is named in 126 at most, and what is around them takes 80. */
const CUSTOMERS_PER_MESSAGE = 60;

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
  | { readonly kind: 'customer'; readonly from: string; readonly tenantId: string; readonly customerId: string };

/** What says these messages. */
export const hintOf = (...messages: readonly Message[]): Hint => ({
  channel: CHANNEL,
  payloads: messages.map((message) => JSON.stringify(message)),
});

/** The hint of a batch: it names every customer, in as many messages as that takes. */
export function hintOfMoves(gatewayId: string, { customers, alerts }: Moves): Hint {
  const alerted = new Set(alerts.map((alert) => alert.customerId));
  const moved = customers.map(
    (c) => [c.tenantId, c.id, String(c.sequenceBefore), String(c.sequence), alerted.has(c.id) ? 1 : 0] as const,
  );
  return hintOf(...chunksOf(moved).map((chunk): Message => ({ kind: 'moved', from: gatewayId, customers: chunk })));
}

function chunksOf<T>(values: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(values.length / CUSTOMERS_PER_MESSAGE);
  return Array.from({ length: count }, (_, i) =>
    values.slice(i * CUSTOMERS_PER_MESSAGE, (i + 1) * CUSTOMERS_PER_MESSAGE),
  );
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
      return false;
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
