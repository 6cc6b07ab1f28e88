/** payment-methods — the cards of customers. Test cards go by Stripe's names, `pm_card_visa`. */
import type Stripe from 'stripe';
import { customerOf, type PaymentMethod } from '../account.ts';
import { announce } from '../announce.ts';
import { page } from '../page.ts';
import { attach } from '../payment-methods.ts';
import { invalid } from '../refusal.ts';
import { type Call, route } from '../route.ts';

export const paymentMethodRoutes = [
  route<Stripe.PaymentMethodAttachParams>('POST /v1/payment_methods/{}/attach', ({ account, params, id }) =>
    attach(account, id, customerOf(account, `${params.customer}`, 'customer')),
  ),
  route('POST /v1/payment_methods/{}/detach', detach),
  route('GET /v1/payment_methods/{}', ({ account, id }) => account.paymentMethods.get(id)),
  route<Stripe.PaymentMethodListParams>('GET /v1/payment_methods', ({ account, params, url }) => {
    const { customer, type } = params;
    return page(account.paymentMethods.all(listed(customer, type)), params, url);
  }),
  route<Stripe.CustomerListPaymentMethodsParams>(
    'GET /v1/customers/{}/payment_methods',
    ({ account, params, id, url }) =>
      page(account.paymentMethods.all(listed(customerOf(account, id).id, params.type)), params, url),
  ),
];

const listed =
  (customer: string | undefined, type: string | undefined) =>
  (method: PaymentMethod): boolean =>
    (customer === undefined || method.customer === customer) && (type === undefined || method.type === type);

function detach({ account, id }: Call): PaymentMethod {
  const method = account.paymentMethods.get(id);
  if (method.customer === null) throw invalid('The payment method is attached to no customer.');
  for (const customer of account.customers.all((each) => each.invoice_settings?.default_payment_method === id)) {
    customer.invoice_settings.default_payment_method = null;
  }
  method.customer = null;
  announce(account, 'payment_method.detached', method);
  return method;
}
