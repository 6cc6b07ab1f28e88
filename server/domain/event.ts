/** event — one immutable record of use. */
import type { Period } from './period.ts';
import type { Units } from './units.ts';

export type UsageEvent = {
  readonly tenantId: string;
  readonly customerId: string;
  readonly referenceId: string;
  /** The customer's sequence that this event took; with the customer it is the event's identity. */
  readonly sequence: bigint;
  readonly featureKey: string;
  readonly amount: Units;
  readonly usedAfter: Units;
  readonly overage: Units;
  readonly period: Pick<Period, 'startMs'>;
  readonly idempotencyKey: string | null;
  readonly properties: unknown;
  readonly occurredAtMs: number;
  readonly recordedAtMs: number;
};
