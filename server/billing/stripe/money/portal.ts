/** portal — a page of Stripe's on which a customer sees to its subscription, payment methods and invoices. */
import type { Portal, PortalRequest } from '../../biller.ts';
import { accountFor } from '../accounts.ts';
import { onAccount } from '../client.ts';
import type { StripeDeps } from '../deps.ts';
import { keyFor } from './checkout.ts';

export async function createPortal(deps: StripeDeps, request: PortalRequest): Promise<Portal> {
  const { payer, returnUrl, idempotencyKey } = request;
  const { stripeCustomerId } = await accountFor(deps, payer);
  const to = onAccount(await deps.accountOf(payer.tenantId));
  const { url } = await deps.stripe.billingPortal.sessions.create(
    { customer: stripeCustomerId, return_url: returnUrl },
    { ...to, ...keyFor('portal', payer, idempotencyKey) },
  );
  return { url };
}
