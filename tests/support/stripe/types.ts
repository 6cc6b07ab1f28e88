/** types — where the SDK declares each object that events tell of, by its `object`. */

export const TYPES: { readonly [object: string]: string } = {
  'billing.meter': 'Billing/Meters:Meter',
  customer: 'Customers:Customer',
  price: 'Prices:Price',
  product: 'Products:Product',
};

/** Those that no operation answers and no event tells of, or that only stand for others. */
export const OTHER_TYPES: readonly string[] = [
  'Events:EventBase',
  'V2/Core/Events:V1BillingMeterErrorReportTriggeredEvent',
  'V2/Core/Events:V1BillingMeterNoMeterFoundEvent',
];
