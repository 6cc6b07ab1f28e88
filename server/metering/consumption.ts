/** consumption — one call of `consume` and its answer, as the engine knows them. */
import type { Alert } from '../domain/alert.ts';
import type { ConsumeMode, Denial, Split } from '../domain/decision.ts';
import type { Units } from '../domain/units.ts';
import type { Usage } from '../domain/usage.ts';

export type ConsumeRequest = {
  readonly tenantId: string;
  /** Derived from tenant and reference: see `customerIdOf`. */
  readonly customerId: string;
  readonly referenceId: string;
  readonly featureKey: string;
  /** Never 0; negative gives back. */
  readonly amount: Units;
  readonly mode: ConsumeMode;
  /** A plan to decide by instead of the customer's own, for this call only. */
  readonly overrideKey: string | null;
  readonly idempotencyKey: string | null;
  /** As JSON text, or null. */
  readonly properties: string | null;
};

export type Consumption = {
  readonly allowed: boolean;
  /** Null when allowed. */
  readonly denial: Denial | null;
  /** Units taken by this call; 0 when denied. */
  readonly amount: Units;
  readonly split: Split;
  /** The state after this call. */
  readonly usage: Usage;
  /** Raised by this call. */
  readonly alerts: readonly Alert[];
  /** Whether this is the first answer to the same idempotency key, given again. */
  readonly replayed: boolean;
};
