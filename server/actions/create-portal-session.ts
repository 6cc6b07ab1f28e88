/** create-portal-session — opens a page on which a customer sees to its subscription, payment methods and invoices. */
import type { Portal } from '../billing/biller.ts';
import { billingDisabled } from '../domain/errors.ts';
import { type BillingDeps, payerOf, refuseElsewhere } from './create-checkout-session.ts';

export type { Portal } from '../billing/biller.ts';

export type NewPortal = {
  readonly referenceId: string;
  readonly returnUrl: string;
  readonly idempotencyKey: string | null;
};

/** @throws {MeterError} `BILLING_DISABLED`, `CUSTOMER_NOT_FOUND`, `INVALID_INPUT`, `IDEMPOTENCY_CONFLICT`, `BILLING_UNAVAILABLE` */
export async function createPortalSession(deps: BillingDeps, tenantId: string, wanted: NewPortal): Promise<Portal> {
  const { biller, billingRules } = deps;
  if (biller.kind === 'manual') throw billingDisabled();
  const { referenceId, returnUrl, idempotencyKey } = wanted;
  refuseElsewhere(returnUrl, 'returnUrl', billingRules);
  return biller.createPortal({ payer: await payerOf(deps, tenantId, referenceId), returnUrl, idempotencyKey });
}
