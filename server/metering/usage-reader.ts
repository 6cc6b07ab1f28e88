/** usage-reader — the meters of customers as of now, for queries, snapshots and hints from other gateways. */

import type { Catalogs } from '../db/catalogs.ts';
import type { Database } from '../db/client.ts';
import type { Clock } from '../domain/clock.ts';
import type { CustomerMeters, MeterReading, MeterSelection } from '../domain/meters.ts';
import { liveKeys } from '../domain/plan.ts';
import { type Meter, meterOf, ownPlan, usageOfMeter } from './state.ts';
import { countersStatement, customersStatement, readLoaded } from './store.ts';

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
   * Reads the meters of several customers of one tenant: three statements however many they are.
   *
   * @returns by customer id; a customer who is not the tenant's, or not there, is missing.
   */
  async read(tenantId: string, selections: readonly MeterSelection[]): Promise<ReadonlyMap<string, CustomerMeters>> {
    const { query } = this.#database;
    const catalog = await this.#catalogs.current(query, tenantId);
    const everyKey = liveKeys(catalog.features);
    const wanted = selections.map(({ customerId, featureKeys }) => ({ customerId, keys: featureKeys ?? everyKey }));
    const pairs = wanted.flatMap(({ customerId, keys }) => keys.map((featureKey) => ({ customerId, featureKey })));
    // Customers first: a counter read after its customer is never older than the sequence that the answer carries.
    const customers = await query(customersStatement(selections.map(({ customerId }) => customerId)));
    const loaded = readLoaded([customers, [], await query(countersStatement(pairs))]);
    const atMs = this.#clock.now();
    const found = wanted.flatMap(({ customerId, keys }): [string, CustomerMeters][] => {
      const customer = loaded.customers.get(customerId);
      if (customer?.tenantId !== tenantId) return [];
      const features = keys.flatMap((key) => catalog.features.get(key) ?? []);
      const meters = features.map((f) =>
        readingOfMeter(meterOf(customer, catalog, f, ownPlan(customer, catalog), atMs), atMs),
      );
      const { sequence, limitsSequence } = customer;
      return [[customerId, { customerId, meters, sequence, limitsSequence, catalogVersion: catalog.version, atMs }]];
    });
    return new Map(found);
  }
}

function readingOfMeter(meter: Meter, atMs: number): MeterReading {
  const { rateLimit, counter } = meter.state;
  return { usage: usageOfMeter(meter, counter, atMs), rateLimit, changedSequence: counter.sequence };
}
