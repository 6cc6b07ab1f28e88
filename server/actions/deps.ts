/** deps — what actions are handed: the gateway's parts, made once at start. */

import type { Catalogs } from '../db/catalogs.ts';
import type { Database } from '../db/client.ts';
import type { Clock } from '../domain/clock.ts';
import type { Customer } from '../domain/customer.ts';

export type Deps = {
  readonly database: Database;
  readonly catalogs: Catalogs;
  readonly clock: Clock;
  /** Wakes the subscribers of what has changed, here and on other gateways. Call it after the commit. */
  readonly announce: (change: Change) => void;
  /** Brings a customer up to now: what was due until then was due under the limits that the customer has until then. */
  readonly settle: (customer: Pick<Customer, 'tenantId' | 'id' | 'referenceId'>) => Promise<void>;
  /** Signs customer tokens: HS256, with the gateway's secret. */
  readonly tokenSecret: Uint8Array;
};

/** A change that was not made by the engine's batches. */
export type Change =
  /** Plan, limits or time zone of one customer. */
  | { readonly kind: 'customer'; readonly tenantId: string; readonly customerId: string }
  /** A feature or plan of the tenant. */
  | { readonly kind: 'catalog'; readonly tenantId: string };
