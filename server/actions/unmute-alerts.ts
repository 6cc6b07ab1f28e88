/** unmute-alerts — lets alerts of a customer be told again. */
import type { Customer } from '../domain/customer.ts';
import { unmuted } from '../domain/mute.ts';
import { changeCustomer } from './change-customer.ts';
import type { Deps } from './deps.ts';

/** Of which feature; null for all of them, however they were muted. */
export type Unmute = { readonly referenceId: string; readonly featureKey: string | null };

/**
 * Doing it again changes nothing. What was raised in the meantime is found by the query `alerts`.
 *
 * @throws {MeterError} `CUSTOMER_NOT_FOUND`
 */
export function unmuteAlerts(deps: Deps, tenantId: string, { referenceId, featureKey }: Unmute): Promise<Customer> {
  return changeCustomer(deps, tenantId, referenceId, (customer) => ({
    ...customer,
    mutes: unmuted(customer.mutes, featureKey, deps.clock.now()),
  }));
}
