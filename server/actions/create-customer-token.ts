/** create-customer-token — a short-lived, read-only credential of one customer, for browsers. */
import { signCustomerToken } from '../auth/customer-token.ts';
import { customersById } from '../db/queries/customers.ts';
import { customerIdOf } from '../domain/customer.ts';
import { customerNotFound } from '../domain/errors.ts';
import type { Deps } from './deps.ts';
import { refuseUnknownFeatures } from './refuse-unknown-features.ts';

export type CustomerTokenRequest = {
  readonly referenceId: string;
  /** The features it may see; null for all. */
  readonly featureKeys: readonly string[] | null;
  /** From 1 to 900. */
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
  if (featureKeys) {
    const catalog = await catalogs.current(database.query, tenantId);
    refuseUnknownFeatures(featureKeys, catalog, (i) => ['input', 'featureKeys', String(i)]);
  }
  const expiresAtMs = (Math.floor(clock.now() / 1_000) + ttlSeconds) * 1_000;
  const claims = { tenantId, customerId, referenceId, featureKeys, expiresAtMs };
  return { token: await signCustomerToken(claims, tokenSecret, clock), expiresAtMs };
}
