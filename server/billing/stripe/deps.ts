/** deps — what the parts that hear of Stripe, and take money by it, are handed. */
import type Stripe from 'stripe';
import type { Database } from '../../db/client.ts';
import type { ApiKeyMode } from '../../domain/api-key.ts';
import type { Clock } from '../../domain/clock.ts';
import type { BillingEffects } from '../effects.ts';

export type StripeDeps = {
  readonly stripe: Stripe;
  /** Of the key: tenants of the other mode are not billed. Left out: all are. */
  readonly mode?: ApiKeyMode;
  readonly database: Database;
  readonly clock: Clock;
  readonly effects: BillingEffects;
  /** The connected account of a tenant; null for the platform's own. */
  readonly accountOf: (tenantId: string) => Promise<string | null>;
  /** Told what an operator should know, as a sentence and what it is about. */
  readonly onNews: (sentence: string, about: Readonly<Record<string, unknown>>) => void;
};
