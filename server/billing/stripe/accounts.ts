/** accounts — which of our customers a customer of Stripe's pays for. Made once for each. */
import { billingAccountOf, billingAccountPaidBy, makeBillingAccount } from '../../db/queries/billing-accounts.ts';
import { tenantById } from '../../db/queries/tenants.ts';
import type { BillingAccount } from '../../domain/billing-account.ts';
import { MeterError } from '../../domain/errors.ts';
import type { Payer } from '../biller.ts';
import { onAccount, problemOfModes } from './client.ts';
import type { StripeDeps } from './deps.ts';
import { orNull } from './failures.ts';
import { metadataOfCustomer } from './money/purpose.ts';

/**
 * The account of a customer; one is made where there is none, with a customer of Stripe's.
 *
 * @throws {MeterError} `BILLING_DISABLED` for a tenant of the other mode than the key's.
 */
export async function accountFor(deps: StripeDeps, payer: Payer): Promise<BillingAccount> {
  await refuseOtherMode(deps, payer.tenantId);
  const known = await billingAccountOf(deps.database.db, payer);
  return known ?? makeAccount(deps, payer);
}

async function refuseOtherMode({ database, mode }: StripeDeps, tenantId: string): Promise<void> {
  const problem = mode && problemOfModes(mode, await tenantById(database.db, tenantId));
  if (problem) throw new MeterError('BILLING_DISABLED', problem);
}

/**
 * Calls that come at once send Stripe the same words under the same key, and hear of the same customer. How it is called
 * and written to is said afterwards, since that may be another by then.
 */
async function makeAccount({ stripe, database, clock, accountOf }: StripeDeps, payer: Payer): Promise<BillingAccount> {
  const { tenantId, customerId, name, email } = payer;
  const stripeAccount = await accountOf(tenantId);
  const made = await stripe.customers.create(
    { metadata: metadataOfCustomer({ tenantId, customerId }) },
    { ...onAccount(stripeAccount), idempotencyKey: `metergraph-customer-${customerId}` },
  );
  const account = await makeBillingAccount(
    database.db,
    { tenantId, customerId, stripeCustomerId: made.id },
    clock.now(),
  );
  if (name !== null || email !== null) {
    const said = { ...(name !== null && { name }), ...(email !== null && { email }) };
    await stripe.customers.update(account.stripeCustomerId, said, onAccount(stripeAccount));
  }
  return account;
}

/**
 * Whom a customer of Stripe's pays for. One that was made there by hand is taken for whom its metadata names, if that is
 * a customer of a tenant with this very account.
 *
 * @param connected The connected account that it belongs to; null for the platform's own.
 * @returns null where it is nobody of ours.
 */
export async function accountPaidBy(
  deps: StripeDeps,
  stripeCustomerId: string,
  connected: string | null,
): Promise<BillingAccount | null> {
  const { database, clock } = deps;
  const known = await billingAccountPaidBy(database.db, stripeCustomerId);
  if (known) return (await deps.accountOf(known.tenantId)) === connected ? known : null;
  const of = await namedBy(deps, stripeCustomerId, connected);
  if (of === null) return null;
  const account = await makeBillingAccount(database.db, { ...of, stripeCustomerId }, clock.now());
  return account.stripeCustomerId === stripeCustomerId ? account : null; // somebody else pays for it already
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function namedBy({ stripe, effects, accountOf }: StripeDeps, stripeCustomerId: string, connected: string | null) {
  const found = await orNull(stripe.customers.retrieve(stripeCustomerId, {}, onAccount(connected)));
  if (found === null || found.deleted) return null;
  const { metergraph_tenant: tenantId = '', metergraph_customer: customerId = '' } = found.metadata;
  if (!UUID.test(tenantId) || !UUID.test(customerId)) return null;
  if ((await accountOf(tenantId)) !== connected) return null; // another account may write what it likes
  const of = { tenantId, customerId };
  return (await effects.hasCustomer(of)) ? of : null;
}
