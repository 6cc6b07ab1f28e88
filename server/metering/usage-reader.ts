/** usage-reader — the meters of customers as of now, for queries, snapshots and hints from other gateways. */

import type { Catalogs } from '../db/catalogs.ts';
import type { Database } from '../db/client.ts';
import type { Clock } from '../domain/clock.ts';
import type { CustomerMeters, MeterReading, MeterSelection } from '../domain/meters.ts';
import { type Catalog, liveKeys } from '../domain/plan.ts';
import { Draft } from './draft.ts';
import { currentCounter, type Meter, meterOf, ownPlan, usageOfMeter } from './meter.ts';
import type { CustomerState } from './state.ts';
import { lookAtCounters } from './store/load-counters.ts';
import { lookAtCustomers } from './store/load-customers.ts';
import type { Customers, Look } from './store/look.ts';
import { keepOneCurrency } from './verbs/one-currency.ts';
import { isDue, settleCustomer, settleMeterCredits } from './verbs/settle.ts';
import { looksOfReaders, thirdLook } from './wants.ts';

export class UsageReader {
  readonly #database: Database;
  readonly #catalogs: Catalogs;
  readonly #clock: Clock;

  constructor(database: Database, catalogs: Catalogs, clock: Clock) {
    this.#database = database;
    this.#catalogs = catalogs;
    this.#clock = clock;
  }

  /**
   * Reads the meters of several customers of one tenant, in a number of statements that does not depend on theirs. What
   * is due of them is settled in memory, by the code that settles it for good: the gate would say the same.
   *
   * @returns by customer id; a customer who is not the tenant's, or not there, is missing.
   */
  async read(tenantId: string, selections: readonly MeterSelection[]): Promise<ReadonlyMap<string, CustomerMeters>> {
    const catalog = await this.#catalogs.current(this.#database.query, tenantId);
    const everyKey = liveKeys(catalog.features);
    const wanted = selections.map(({ customerId, featureKeys, besides = [] }) => ({
      customerId,
      keys: [...new Set([...(featureKeys ?? everyKey), ...besides])],
    }));
    const customers: Customers = new Map();
    const ids = selections.map(({ customerId }) => customerId);
    // Customers first: a counter read after its customer is never older than the sequence that the answer carries.
    await this.#look([lookAtCustomers(ids, false)], customers);
    const atMs = this.#clock.now();
    const pairs = wanted.flatMap(({ customerId, keys }) => keys.map((featureKey) => ({ customerId, featureKey })));
    const counters = lookAtCounters(pairs.map((pair) => ({ ...pair, entityId: null })));
    await this.#look([counters, ...looksOfReaders(pairs, customers, catalog, atMs)], customers);
    await this.#look(thirdLook(customers), customers);
    const found = wanted.flatMap(({ customerId, keys }): [string, CustomerMeters][] => {
      const customer = customers.get(customerId);
      return customer?.tenantId === tenantId ? [[customerId, readingOf(customer, catalog, keys, atMs)]] : [];
    });
    return new Map(found);
  }

  async #look(looks: readonly Look[], customers: Customers): Promise<void> {
    const rows = await Promise.all(looks.map(({ statement }) => this.#database.query(statement)));
    for (const [i, look] of looks.entries()) look.read(rows[i] ?? [], customers);
  }
}

function readingOf(customer: CustomerState, catalog: Catalog, keys: readonly string[], atMs: number): CustomerMeters {
  const { sequenceBefore: sequence, limitsSequence } = customer;
  const features = keys.flatMap((key) => catalog.features.get(key) ?? []);
  const draft = new Draft(atMs, Number.POSITIVE_INFINITY); // nothing of it is written, so all of it is gone through at once
  if (isDue(customer, atMs)) settleCustomer(draft, customer, catalog);
  const meters = features.map((feature) => {
    const meter = meterOf(customer, catalog, feature, ownPlan(customer, catalog, atMs));
    settleMeterCredits(draft, meter, false);
    keepOneCurrency(draft, meter);
    customer.sequence = sequence;
    return readingOfMeter(meter, atMs);
  });
  const { dueAtMs } = customer; // what is due after all that was settled just now
  return { customerId: customer.id, meters, sequence, limitsSequence, catalogVersion: catalog.version, dueAtMs, atMs };
}

function readingOfMeter(meter: Meter, atMs: number): MeterReading {
  const { customer, feature, plan } = meter;
  const counter = currentCounter(customer, feature, null, atMs);
  const changed = [counter.sequence, customer.credits.get(feature.key)?.sequence ?? 0n];
  return {
    usage: usageOfMeter(meter, counter, atMs),
    planRateLimits: plan?.rateLimits ?? [],
    changedSequence: changed.reduce((newest, next) => (next > newest ? next : newest)),
  };
}
