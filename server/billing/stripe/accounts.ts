/** accounts — which of our customers a customer of Stripe's pays for. Made once for each. */
import type Stripe from 'stripe';
import {
  billingAccountOf,
  billingAccountPaidBy,
  makeBillingAccount,
  replacePayer,
} from '../../db/queries/billing-accounts.ts';
import { tenantById } from '../../db/queries/tenants.ts';
import type { BillingAccount } from '../../domain/billing-account.ts';
import { MeterError } from '../../domain/errors.ts';
import type { Payer } from '../biller.ts';
import { onAccount, problemOfModes } from './client.ts';
import type { StripeDeps } from './deps.ts';
import { orNull } from './failures.ts';
import { metadataOfCustomer } from './money/purpose.ts';
import { wakeMessages } from './usage/messages.ts';

/**
 * The account of a customer; one is made where there is none, with a customer of Stripe's, or where that was deleted there.
 *
 * @throws {MeterError} `BILLING_DISABLED` for a tenant of the other mode than the key's.
 */
export async function accountFor(deps: StripeDeps, payer: Payer): Promise<BillingAccount> {
  await refuseOtherMode(deps, payer.tenantId);
  const { stripe, database, clock } = deps;
  const known = await billingAccountOf(database.db, payer);
  if (known === null) return makeAccount(deps, payer);
  const to = onAccount(await deps.accountOf(payer.tenantId));
  const found = await orNull(stripe.customers.retrieve(known.stripeCustomerId, {}, to));
  if (found !== null && !found.deleted) return known;
  const nextId = await makeCustomer(stripe, payer, to, ` after ${known.stripeCustomerId}`);
  await replacePayer(database.db, known, nextId, clock.now());
  const account = (await billingAccountOf(database.db, payer)) ?? known;
  await describe(stripe, account, payer, to);
  return account;
}

/** From now on usage of the customer can be billed: what waits for that waits no longer. */
async function keepAccount(
  { database, clock }: StripeDeps,
  of: Pick<BillingAccount, 'tenantId' | 'customerId' | 'stripeCustomerId'>,
): Promise<BillingAccount> {
  const account = await makeBillingAccount(database.db, of, clock.now());
  await wakeMessages(database.query, of.customerId, clock.now());
  return account;
}

async function refuseOtherMode({ database, mode }: StripeDeps, tenantId: string): Promise<void> {
  const problem = mode && problemOfModes(mode, await tenantById(database.db, tenantId));
  if (problem) throw new MeterError('BILLING_DISABLED', problem);
}

/**
 * Calls that come at once send Stripe the same words under the same key, and hear of the same customer. How it is called
 * and written to is said afterwards, since that may be another by then.
 */
async function makeAccount(deps: StripeDeps, payer: Payer): Promise<BillingAccount> {
  const { stripe, accountOf } = deps;
  const { tenantId, customerId } = payer;
  const to = onAccount(await accountOf(tenantId));
  const stripeCustomerId = await makeCustomer(stripe, payer, to, '');
  const account = await keepAccount(deps, { tenantId, customerId, stripeCustomerId });
  await describe(stripe, account, payer, to);
  return account;
}

async function makeCustomer(
  stripe: Stripe,
  { tenantId, customerId }: Payer,
  to: Stripe.RequestOptions,
  which: string,
): Promise<string> {
  const metadata = metadataOfCustomer({ tenantId, customerId });
  const idempotencyKey = `metergraph-customer-${customerId}${which}`;
  const { id } = await stripe.customers.create({ metadata }, { ...to, idempotencyKey });
  return id;
}

async function describe(
  stripe: Stripe,
  { stripeCustomerId }: BillingAccount,
  { name, email }: Payer,
  to: Stripe.RequestOptions,
): Promise<void> {
  if (name === null && email === null) return;
  const said = { ...(name !== null && { name }), ...(email !== null && { email }) };
  await stripe.customers.update(stripeCustomerId, said, to);
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
  const known = await billingAccountPaidBy(deps.database.db, stripeCustomerId);
  if (known) return (await deps.accountOf(known.tenantId)) === connected ? known : null;
  const of = await namedBy(deps, stripeCustomerId, connected);
  if (of === null) return null;
  const account = await keepAccount(deps, { ...of, stripeCustomerId });
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
