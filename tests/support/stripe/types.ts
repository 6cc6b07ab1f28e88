/** types — where the SDK declares each object that events tell of, by its `object`. */

export const TYPES: { readonly [object: string]: string } = {
  'billing.credit_grant': 'Billing/CreditGrants:CreditGrant',
  'billing.meter': 'Billing/Meters:Meter',
  charge: 'Charges:Charge',
  'checkout.session': 'Checkout/Sessions:Session',
  customer: 'Customers:Customer',
  dispute: 'Disputes:Dispute',
  invoice: 'Invoices:Invoice',
  invoiceitem: 'InvoiceItems:InvoiceItem',
  payment_intent: 'PaymentIntents:PaymentIntent',
  payment_method: 'PaymentMethods:PaymentMethod',
  price: 'Prices:Price',
  product: 'Products:Product',
  refund: 'Refunds:Refund',
  subscription: 'Subscriptions:Subscription',
  'test_helpers.test_clock': 'TestHelpers/TestClocks:TestClock',
};

/** Those that no operation answers by themselves, and that are wanted in full. */
export const OTHER_TYPES: readonly string[] = [
  'Events:EventBase',
  'InvoicePayments:InvoicePayment',
  'Plans:Plan',
  'V2/Core/Events:V1BillingMeterErrorReportTriggeredEvent',
  'V2/Core/Events:V1BillingMeterNoMeterFoundEvent',
];
