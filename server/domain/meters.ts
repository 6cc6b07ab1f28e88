/** meters — a reading of a customer's meters, all as of one instant. */
import type { RateLimit } from './rate-limit.ts';
import type { Usage } from './usage.ts';

/** What to read: a customer and some of its features, or all (null) that are not archived. */
export type MeterSelection = {
  readonly customerId: string;
  readonly featureKeys: readonly string[] | null;
  /** More of them, beside all: archived ones are read by name. */
  readonly besides?: readonly string[];
};

/** A meter as it stands, with what belongs to its customer's plan as a whole. */
export type MeterReading = {
  readonly usage: Usage;
  /** Of all features together; those of this feature alone are in its policy. */
  readonly planRateLimits: readonly RateLimit[];
  /** The customer's sequence of the last use of this meter in this period; 0 for none. */
  readonly changedSequence: bigint;
};

export type CustomerMeters = {
  readonly customerId: string;
  /** By catalog order of features. */
  readonly meters: readonly MeterReading[];
  readonly sequence: bigint;
  /** The last sequence that changed every meter at once. */
  readonly limitsSequence: bigint;
  readonly catalogVersion: number;
  /** When something of the customer changes by itself, as a hold or a grant that expires; null for nothing known. */
  readonly dueAtMs: number | null;
  readonly atMs: number;
};
