/** account — everything that one Stripe account has. Each connected account is one of its own. */
import type Stripe from 'stripe';
import { MeterLedger } from './meter-ledger.ts';
import { Table } from './table.ts';
import type { Validator } from './validator.ts';
import type { Seconds, Wire } from './wire.ts';

export type Customer = Wire<Stripe.Customer>;
export type Product = Wire<Stripe.Product>;
export type Price = Wire<Stripe.Price>;
export type Meter = Wire<Stripe.Billing.Meter>;
export type Subscription = Wire<Stripe.Subscription>;
export type SubscriptionItem = Wire<Stripe.SubscriptionItem>;
export type Invoice = Wire<Stripe.Invoice>;
export type InvoiceLine = Wire<Stripe.InvoiceLineItem>;
export type InvoiceItem = Wire<Stripe.InvoiceItem>;
export type InvoicePayment = Wire<Stripe.InvoicePayment>;
export type PaymentMethod = Wire<Stripe.PaymentMethod>;
export type PaymentIntent = Wire<Stripe.PaymentIntent>;
export type Charge = Wire<Stripe.Charge>;
export type Refund = Wire<Stripe.Refund>;
export type Dispute = Wire<Stripe.Dispute>;
export type CheckoutSession = Wire<Stripe.Checkout.Session>;
export type WebhookEndpoint = Wire<Stripe.WebhookEndpoint>;
export type CreditGrant = Wire<Stripe.Billing.CreditGrant>;
export type CreditTransaction = Wire<Stripe.Billing.CreditBalanceTransaction>;
export type TestClock = Wire<Stripe.TestHelpers.TestClock>;
export type Event = Wire<Stripe.EventBase>;
export type ThinEvent =
  | Wire<Stripe.V2.Core.Events.V1BillingMeterErrorReportTriggeredEvent>
  | Wire<Stripe.V2.Core.Events.V1BillingMeterNoMeterFoundEvent>;

/** The request that is being answered, for the events it causes. */
export type Request = { readonly id: string; readonly idempotencyKey: string | null };

/** Who is told every event as it happens. A thin one does not tell of the object, only where to find it. */
export type Listener = (event: Event | ThinEvent, account: Account) => void;

/** What all accounts of a fake share. */
export type Surroundings = {
  readonly validator: Validator;
  readonly listeners: ReadonlySet<Listener>;
  readonly request: Request | undefined;
  /** Where the fake is, for the addresses of pages. */
  readonly url: string;
  /** Epoch milliseconds: what the clock says, or when what is happening was due. */
  now(): number;
  newId(prefix: string): string;
};

export class Account {
  readonly id: string;
  /** Connected to the platform, which reaches it by the header `Stripe-Account`. */
  readonly isConnected: boolean;
  readonly world: Surroundings;
  readonly customers = new Table<Customer>('customer');
  readonly products = new Table<Product>('product');
  readonly prices = new Table<Price>('price');
  readonly meters = new Table<Meter>('billing meter');
  readonly events = new Table<Event>('event');
  readonly thinEvents = new Table<ThinEvent>('event');
  readonly subscriptions = new Table<Subscription>('subscription');
  readonly items = new Table<SubscriptionItem>('subscription_item');
  readonly invoices = new Table<Invoice>('invoice');
  readonly invoiceItems = new Table<InvoiceItem>('invoiceitem');
  readonly invoicePayments = new Table<InvoicePayment>('invoice_payment');
  readonly paymentMethods = new Table<PaymentMethod>('PaymentMethod');
  readonly paymentIntents = new Table<PaymentIntent>('payment_intent');
  readonly charges = new Table<Charge>('charge');
  readonly refunds = new Table<Refund>('refund');
  readonly disputes = new Table<Dispute>('dispute');
  readonly checkouts = new Table<CheckoutSession>('checkout.session');
  readonly webhookEndpoints = new Table<WebhookEndpoint>('webhook endpoint');
  readonly creditGrants = new Table<CreditGrant>('credit grant');
  readonly creditTransactions = new Table<CreditTransaction>('credit balance transaction');
  readonly testClocks = new Table<TestClock>('test clock');
  /** Tokens of meter event sessions, and until when they are good. */
  readonly sessions = new Map<string, Seconds>();
  readonly usage = new MeterLedger();

  constructor(id: string, isConnected: boolean, world: Surroundings) {
    this.id = id;
    this.isConnected = isConnected;
    this.world = world;
  }

  /** @param customer Whose time: that of a test clock, for a customer of one. */
  now(customer?: string | null): Seconds {
    const clock = this.testClocks.find(this.customers.find(customer)?.test_clock);
    return clock ? clock.frozen_time : Math.floor(this.world.now() / 1_000);
  }

  newId(prefix: string): string {
    return this.world.newId(prefix);
  }

  /** Any object by its id, for whoever wants it expanded. */
  find(id: string): object | undefined {
    for (const table of Object.values(this)) {
      const found = table instanceof Table ? table.find(id) : undefined;
      if (found) return found;
    }
    return undefined;
  }
}

/** A customer who has not been deleted. @throws Refusal `resource_missing`. */
export function customerOf(account: Account, id: string, param?: string): Customer {
  const customer = account.customers.find(id);
  return customer && !isDeleted(customer) ? customer : new Table<Customer>('customer').get(id, param);
}

export const isDeleted = (row: object): boolean => (row as { deleted?: boolean }).deleted === true;
