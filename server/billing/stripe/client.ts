/** client — the one way to Stripe: the official SDK, as the settings say. */
import Stripe from 'stripe';
import type { ApiKeyMode } from '../../domain/api-key.ts';
import type { Tenant } from '../../domain/tenant.ts';

export type StripeAccess = {
  /** `sk_…` or `rk_…`. */
  readonly secretKey: string;
  /** Where Stripe is; null for Stripe's own. */
  readonly apiBase: string | null;
};

const TIMEOUT_MS = 20_000;
/** The SDK's own, with backoff and one idempotency key for all of them. */
const RETRIES_MAX = 2;

export const connectStripe = ({ secretKey, apiBase }: StripeAccess): Stripe =>
  new Stripe(secretKey, {
    appInfo: { name: 'metergraph' },
    maxNetworkRetries: RETRIES_MAX,
    timeout: TIMEOUT_MS,
    ...(apiBase !== null && placeOf(new URL(apiBase))),
  });

function placeOf({ hostname, port, protocol }: URL): Pick<Stripe.StripeConfig, 'host' | 'port' | 'protocol'> {
  const isPlain = protocol === 'http:';
  return {
    host: hostname.replace(/^\[(.*)\]$/, '$1'), // an IPv6 address stands in brackets in a URL alone
    port: port || (isPlain ? 80 : 443),
    protocol: isPlain ? 'http' : 'https',
  };
}

/** The part of a call that says whose account is meant; null is the platform's own. */
export const onAccount = (stripeAccount: string | null): Stripe.RequestOptions =>
  stripeAccount === null ? {} : { stripeAccount };

/** Whether a key moves real money. */
export const modeOfKey = (secretKey: string): ApiKeyMode => (/^.._live_/.test(secretKey) ? 'live' : 'test');

/**
 * Why a tenant must not be billed with this key; null when it may. A test that moves real money is as bad as customers who
 * are never charged.
 */
export const problemOfMode = (secretKey: string, tenant: Pick<Tenant, 'name' | 'mode'>): string | null =>
  problemOfModes(modeOfKey(secretKey), tenant);

/** @param mode Of the key. */
export function problemOfModes(mode: ApiKeyMode, tenant: Pick<Tenant, 'name' | 'mode'>): string | null {
  if (mode === tenant.mode) return null;
  const found = `STRIPE_SECRET_KEY is a ${mode} key, and ${JSON.stringify(tenant.name)} is a ${tenant.mode} tenant`;
  return mode === 'live'
    ? `${found}, which must not move real money: use the key of a sandbox, sk_test_… or rk_test_….`
    : `${found}, whose customers it would never charge: use a live key, sk_live_… or rk_live_…. To try it, begin a database with a test tenant: METERGRAPH_BOOTSTRAP_KEY=mg_test_….`;
}
