/** portal — sessions of the page on which a customer sees to their subscription. There is no page: only its address. */
import type Stripe from 'stripe';
import { customerOf } from '../account.ts';
import { type Call, route } from '../route.ts';
import type { Wire } from '../wire.ts';

export const portalRoutes = [
  route<Stripe.BillingPortal.SessionCreateParams>('POST /v1/billing_portal/sessions', create),
];

function create({
  account,
  params,
}: Call<Stripe.BillingPortal.SessionCreateParams>): Wire<Stripe.BillingPortal.Session> {
  const { configuration = 'bpc_default', return_url, locale, flow_data } = params;
  const customer = customerOf(account, `${params.customer}`, 'customer');
  const id = account.newId('bps');
  return {
    id,
    object: 'billing_portal.session',
    configuration,
    created: account.now(customer.id),
    customer: customer.id,
    customer_account: null,
    flow: flow_data ? flowOf(flow_data.type) : null,
    livemode: false,
    locale: locale ?? null,
    on_behalf_of: null,
    return_url: return_url ?? null,
    url: `${account.world.url}/portal/${id}`,
  };
}

type Flow = NonNullable<Wire<Stripe.BillingPortal.Session>['flow']>;

const flowOf = (type: Flow['type']): Flow => ({
  after_completion: { hosted_confirmation: null, redirect: null, type: 'portal_homepage' },
  customer_update: null,
  subscription_cancel: null,
  subscription_pause: null,
  subscription_update: null,
  subscription_update_confirm: null,
  type,
});
