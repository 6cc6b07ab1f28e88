/** create-customer-token — a short-lived, read-only credential of one customer, for browsers. */
import { signCustomerToken } from '../auth/customer-token.ts';
import { customersById } from '../db/queries/customers.ts';
import { customerIdOf } from '../domain/customer.ts';
import { customerNotFound, featureNotFound, MeterError } from '../domain/errors.ts';
import { type Catalog, liveFeature, liveKeys } from '../domain/plan.ts';
import type { Deps } from './deps.ts';

export type CustomerTokenRequest = {
  readonly referenceId: string;
  /** The features it may see; null for all. */
  readonly featureKeys: readonly string[] | null;
  /** From 60 to 900. */
  readonly ttlSeconds: number;
};

export type CustomerToken = { readonly token: string; readonly expiresAtMs: number };

/** @throws {MeterError} `CUSTOMER_NOT_FOUND`, `FEATURE_NOT_FOUND` */
export async function createCustomerToken(
  { database, catalogs, clock, tokenSecret }: Deps,
  tenantId: string,
  { referenceId, featureKeys, ttlSeconds }: CustomerTokenRequest,
): Promise<CustomerToken> {
  const customerId = customerIdOf(tenantId, referenceId);
  const [customer] = await database.readAs(tenantId, (db) => customersById(db, tenantId, [customerId]));
  if (!customer) throw customerNotFound(referenceId);
  if (featureKeys) refuseUnknownFeatures(featureKeys, await catalogs.current(database.query, tenantId));
  const expiresAtMs = (Math.floor(clock.now() / 1_000) + ttlSeconds) * 1_000;
  const claims = { tenantId, customerId, referenceId, featureKeys, expiresAtMs };
  return { token: await signCustomerToken(claims, tokenSecret, clock), expiresAtMs };
}

function refuseUnknownFeatures(featureKeys: readonly string[], catalog: Catalog): void {
  for (const [i, key] of featureKeys.entries()) {
    if (liveFeature(catalog, key)) continue;
    const { code, message, suggestion } = featureNotFound(key, liveKeys(catalog.features));
    const path = ['input', 'featureKeys', String(i)];
    throw new MeterError(code, message, { path, ...(suggestion && { suggestion }) });
  }
}
