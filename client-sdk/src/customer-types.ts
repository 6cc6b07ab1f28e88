/** customer-types — who uses, and the tokens that let them see it. */
import type { DateTime, Json } from './value-types.ts';

/** A customer to make or to bring up to date: `referenceId` decides which. */
export interface RegisterCustomerInput {
  readonly referenceId: string;
  /** Free text: user (default), organization, team, session, ip … */
  readonly referenceType?: string | undefined;
  readonly name?: string | undefined;
  readonly email?: string | undefined;
  readonly planKey?: string | undefined;
  /** IANA name; periods follow it. */
  readonly timeZone?: string | undefined;
  readonly metadata?: Json | undefined;
}

/** Who uses, without the metadata: a key that may register need not be one that may read. */
export interface Customer {
  readonly id: string;
  readonly referenceId: string;
  readonly referenceType: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly planKey: string | null;
  readonly timeZone: string;
  readonly createdAt: DateTime;
}

/** Whose usage may be seen with the token, and for how long. */
export interface CreateCustomerTokenInput {
  readonly referenceId: string;
  /** Only these features; all when left out. */
  readonly featureKeys?: readonly string[] | undefined;
  /** Seconds; at most and by default 900. */
  readonly ttlSeconds?: number | undefined;
}

/** A short-lived, read-only credential of one customer, for browsers. */
export interface CustomerToken {
  readonly token: string;
  readonly expiresAt: DateTime;
}
