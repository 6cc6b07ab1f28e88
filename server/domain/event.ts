/** event — one immutable record of use. */
import type { Period } from './period.ts';
import type { Units } from './units.ts';

export const EVENT_KINDS = ['use', 'record', 'commit', 'reversal', 'carry', 'reset'] as const;
/**
 * What made the event: `use` was asked for first; `record` had happened already; `commit` was reserved; `reversal` takes
 * another event back; `carry` is the level with which a gauge begins a period; `reset` ended a period by hand.
 */
export type EventKind = (typeof EVENT_KINDS)[number];

export type UsageEvent = {
  readonly tenantId: string;
  readonly customerId: string;
  readonly referenceId: string;
  /** The customer's sequence that this event took; with the customer it is the event's identity. */
  readonly sequence: bigint;
  readonly kind: EventKind;
  readonly featureKey: string;
  /** Null for the customer itself. */
  readonly entityId: string | null;
  /** As it was reported: an amount, or the level of a gauge. */
  readonly reported: Units;
  /** What it added to the counter. */
  readonly amount: Units;
  readonly usedAfter: Units;
  /** What paid for the amount; the rest is included. */
  readonly credits: Units;
  readonly wallet: Units;
  readonly overage: Units;
  /** What wallet and overage units cost, and what of it the wallet paid, in minor units of `currency`. */
  readonly cost: Units;
  readonly walletCharge: Units;
  readonly currency: string | null;
  /** The sequence of the event that this one reverses. */
  readonly reverses: bigint | null;
  readonly period: Pick<Period, 'startMs'>;
  readonly idempotencyKey: string | null;
  readonly properties: unknown;
  readonly occurredAtMs: number;
  readonly recordedAtMs: number;
};
