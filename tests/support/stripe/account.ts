/** account — everything that one Stripe account has. Each connected account is one of its own. */
import type Stripe from 'stripe';
import type { Clock } from '../../../server/domain/clock.ts';
import { MeterLedger } from './meter-ledger.ts';
import { Table } from './table.ts';
import type { Validator } from './validator.ts';
import type { Seconds, Wire } from './wire.ts';

export type Customer = Wire<Stripe.Customer>;
export type Product = Wire<Stripe.Product>;
export type Price = Wire<Stripe.Price>;
export type Meter = Wire<Stripe.Billing.Meter>;
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
  readonly clock: Clock;
  readonly validator: Validator;
  readonly listeners: ReadonlySet<Listener>;
  readonly request: Request | undefined;
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
  readonly testClocks = new Table<TestClock>('test clock');
  readonly usage = new MeterLedger();

  constructor(id: string, isConnected: boolean, world: Surroundings) {
    this.id = id;
    this.isConnected = isConnected;
    this.world = world;
  }

  /** @param customer Whose time: that of a test clock, for a customer of one. */
  now(customer?: string | null): Seconds {
    const clock = this.testClocks.find(this.customers.find(customer)?.test_clock);
    return clock ? clock.frozen_time : Math.floor(this.world.clock.now() / 1_000);
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
