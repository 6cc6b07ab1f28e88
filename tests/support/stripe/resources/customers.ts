/** customers — created, changed, deleted, listed and searched. A deleted one is still there, as what remains of it. */
import type Stripe from 'stripe';
import { type Account, type Customer, customerOf, isDeleted } from '../account.ts';
import { announce, change } from '../announce.ts';
import { page } from '../page.ts';
import { attach, ownMethod } from '../payment-methods.ts';
import { end } from '../renewing.ts';
import { type Call, route } from '../route.ts';
import { search } from '../search.ts';
import { emptyable, mergeMetadata } from '../wire.ts';

export const customerRoutes = [
  route<Stripe.CustomerCreateParams>('POST /v1/customers', ({ account, params }) => newCustomer(account, params)),
  route('GET /v1/customers/{}', ({ account, id }) => account.customers.get(id)),
  route<Stripe.CustomerUpdateParams>('POST /v1/customers/{}', update),
  route('DELETE /v1/customers/{}', remove),
  route<Stripe.CustomerListParams>('GET /v1/customers', ({ account, params, url }) => {
    const { email, test_clock } = params;
    const fits = (customer: Customer) =>
      !isDeleted(customer) &&
      (email === undefined || customer.email === email) &&
      (customer.test_clock ?? undefined) === test_clock;
    return page(account.customers.all(fits), params, url);
  }),
  route<Stripe.CustomerSearchParams>('GET /v1/customers/search', ({ account, params, url }) =>
    search(
      account.customers.all((customer) => !isDeleted(customer)),
      params,
      url,
    ),
  ),
];

type CustomerParams = Pick<
  Call<Stripe.CustomerCreateParams>['params'],
  | 'balance'
  | 'description'
  | 'email'
  | 'invoice_settings'
  | 'metadata'
  | 'name'
  | 'payment_method'
  | 'phone'
  | 'preferred_locales'
  | 'test_clock'
>;

export function newCustomer(account: Account, params: CustomerParams): Customer {
  if (params.test_clock !== undefined) account.testClocks.get(params.test_clock, 'test_clock');
  const customer: Customer = {
    id: account.newId('cus'),
    object: 'customer',
    address: null,
    balance: params.balance ?? 0,
    created: account.now(),
    currency: null,
    default_source: null,
    delinquent: false,
    description: params.description ?? null,
    discount: null,
    email: params.email ?? null,
    invoice_prefix: account.newId('INV').replace('_', ''),
    invoice_settings: { custom_fields: null, default_payment_method: null, footer: null, rendering_options: null },
    livemode: false,
    metadata: mergeMetadata(null, params.metadata),
    name: params.name ?? null,
    next_invoice_sequence: 1,
    phone: params.phone ?? null,
    preferred_locales: params.preferred_locales ?? [],
    shipping: null,
    tax_exempt: 'none',
    test_clock: params.test_clock ?? null,
  };
  account.customers.add(customer);
  customer.created = account.now(customer.id);
  if (params.payment_method !== undefined) attach(account, params.payment_method, customer);
  const standard = params.invoice_settings?.default_payment_method;
  if (standard !== undefined)
    customer.invoice_settings.default_payment_method = ownMethod(account, standard, customer).id;
  announce(account, 'customer.created', customer);
  return customer;
}

function update({ account, params, id }: Call<Stripe.CustomerUpdateParams>): Customer {
  const customer = customerOf(account, id);
  const standard = params.invoice_settings?.default_payment_method;
  const { name, email, description, phone, balance, preferred_locales, metadata } = params;
  return change(account, 'customer.updated', customer, {
    name: emptyable(name),
    email: emptyable(email),
    description: emptyable(description),
    phone: emptyable(phone),
    balance,
    preferred_locales,
    metadata: mergeMetadata(customer.metadata, metadata),
    invoice_settings:
      standard === undefined
        ? undefined
        : {
            ...customer.invoice_settings,
            default_payment_method: standard === '' ? null : ownMethod(account, standard, customer).id,
          },
  });
}

function remove({ account, id }: Call): unknown {
  const customer = customerOf(account, id);
  for (const subscription of account.subscriptions.all((each) => each.customer === id && each.status !== 'canceled')) {
    end(account, subscription, { isBilled: false });
  }
  const deleted = { id, object: 'customer', deleted: true };
  announce(account, 'customer.deleted', customer);
  account.customers.add(deleted as unknown as Customer); // in its place; `isDeleted` tells
  return deleted;
}
