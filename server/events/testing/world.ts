/**
 * world — one tenant in memory, by the real rules of periods and policies: the truth that streams are held against.
 *
 * A reading goes through the same three steps as the one from the database (catalog, customers, counters), and a test
 * may hold it at each of them while the world goes on.
 */
import type { Alert } from '../../domain/alert.ts';
import type { Clock } from '../../domain/clock.ts';
import { customerIdOf } from '../../domain/customer.ts';
import { featureOf } from '../../domain/definitions.ts';
import type { Feature, LimitFields } from '../../domain/feature.ts';
import type { CustomerMeters, MeterSelection } from '../../domain/meters.ts';
import type { Catalog } from '../../domain/plan.ts';
import { unitsOf } from '../../domain/units.ts';
import type { Usage } from '../../domain/usage.ts';
import { currentCounter, meterOf, ownPlan, usageOfMeter } from '../../metering/meter.ts';
import type { CustomerState, StoredCounter } from '../../metering/state.ts';
import { newCustomer } from '../../metering/testing/new-customer.ts';
import type { CustomerMoved } from '../committed.ts';
import type { Truth } from '../truth.ts';

export const TENANT = '2ed6657d-e927-568b-95e1-2665a8aea6a2';
export const ACME = customerIdOf(TENANT, 'acme');
export const HOUR_MS = 3_600_000;

const START_MS = Date.parse('2026-03-15T12:30:00Z');

const feature = (key: string, reset: Feature['reset']): [string, Feature] => [
  key,
  featureOf(TENANT, { key, displayName: key, reset, limit: unitsOf('10') }),
];

export class World {
  nowMs = START_MS;
  readonly clock: Clock = { now: () => this.nowMs };
  readonly truth: Truth = {
    meters: (tenantId, selections) => this.#read(tenantId, selections),
    customerSequences: async (ids) => new Map(ids.map((id) => [id, this.sequenceOf(id)])),
    catalogVersions: async (ids) => new Map(ids.map((id) => [id, this.catalogVersion])),
    alertSequences: async (ids) => new Map(ids.map((id) => [id, BigInt(this.alerts.length)])),
    alertsAfter: async ({ sequence }, limit) =>
      this.alerts.filter((alert) => alert.sequence > sequence).slice(0, limit),
  };
  /** Stored alerts, with sequences from 1. */
  readonly alerts: Alert[] = [];
  /** Readings begun so far. */
  readings = 0;
  /** Why the next readings fail. */
  failure: Error | null = null;
  #catalog: Catalog = {
    version: 1,
    defaultPlanKey: null,
    features: new Map([feature('calls', 'hourly'), feature('storage', 'never'), feature('exports', 'daily')]),
    plans: new Map(),
    planVersions: new Map(),
  };
  readonly #customers = new Map<string, CustomerState>();
  #holds = false;
  readonly #held: (() => void)[] = [];

  constructor(...referenceIds: string[]) {
    for (const referenceId of referenceIds) {
      const id = customerIdOf(TENANT, referenceId);
      this.#customers.set(id, newCustomer({ id, tenantId: TENANT, referenceId, createdAtMs: START_MS }));
    }
  }

  get featureKeys(): readonly string[] {
    return [...this.#catalog.features.keys()];
  }

  get catalogVersion(): number {
    return this.#catalog.version;
  }

  sequenceOf(customerId: string): bigint {
    return this.#customer(customerId).sequence;
  }

  /** Commits a batch of uses, and says what the gateway that made it would announce. */
  use(customerId: string, ...featureKeys: readonly string[]): CustomerMoved {
    const customer = this.#customer(customerId);
    const sequenceBefore = customer.sequence;
    const newest = new Map<string, Usage>();
    for (const key of featureKeys) {
      const meter = this.#meter(customer, key, this.#catalog);
      customer.sequence += 1n;
      const counter = this.#counter(customer, key);
      const moved = { ...counter, used: counter.used + unitsOf('1'), sequence: customer.sequence };
      customer.counters.set(key, moved);
      newest.set(key, usageOfMeter(meter, moved, this.nowMs));
    }
    return {
      tenantId: TENANT,
      customerId,
      sequenceBefore,
      sequence: customer.sequence,
      usages: [...newest.values()],
      isWhole: true,
      dueAtMs: customer.dueAtMs,
    };
  }

  /** Holds a unit until an instant, at which it is free again by itself. */
  reserve(customerId: string, featureKey: string, untilMs: number): CustomerMoved {
    const customer = this.#customer(customerId);
    const before = this.#counter(customer, featureKey);
    customer.counters.set(featureKey, { ...before, used: before.used - unitsOf('1'), held: unitsOf('1') });
    customer.dueAtMs = untilMs;
    return { ...this.use(customerId, featureKey), dueAtMs: untilMs };
  }

  /** Changes every meter at once, as money in a wallet does. */
  topUp(customerId: string): CustomerMoved {
    const customer = this.#customer(customerId);
    const sequenceBefore = customer.sequence;
    customer.sequence += 1n;
    customer.limitsSequence = customer.sequence;
    const { sequence, dueAtMs } = customer;
    return { tenantId: TENANT, customerId, sequenceBefore, sequence, usages: [], isWhole: false, dueAtMs };
  }

  /** Gives a customer limits of its own, which takes its next sequence. */
  setLimits(customerId: string, featureKey: string, limit: number): void {
    const customer = this.#customer(customerId);
    const sequence = customer.sequence + 1n;
    const overrides = new Map(customer.overrides).set(featureKey, { limit: unitsOf(`${limit}`) });
    this.#customers.set(customerId, { ...customer, overrides, sequence, limitsSequence: sequence });
  }

  /** Says anew what a feature is, which raises the catalog's version. */
  saveFeature(key: string, fields: LimitFields & Partial<Pick<Feature, 'reset'>>): void {
    const [, blank] = feature(key, 'never');
    const features = new Map(this.#catalog.features);
    features.set(key, { ...(features.get(key) ?? blank), ...fields });
    this.#catalog = { ...this.#catalog, version: this.#catalog.version + 1, features };
  }

  /** The state of every meter, as a query would answer now. */
  metersOf(customerId: string, featureKeys: readonly string[] = this.featureKeys): readonly Usage[] {
    const customer = this.#customer(customerId);
    return featureKeys.map((key) => {
      const meter = this.#meter(customer, key, this.#catalog);
      return usageOfMeter(meter, this.#counter(customer, key), this.nowMs);
    });
  }

  /** From now on readings stop before each step. */
  hold(): void {
    this.#holds = true;
  }

  /** Lets the nth of the held readings do its next step. */
  step(n = 0): void {
    const [go] = this.#held.splice(n % Math.max(this.#held.length, 1), 1);
    go?.();
  }

  get held(): number {
    return this.#held.length;
  }

  release(): void {
    this.#holds = false;
    for (const go of this.#held.splice(0)) go();
  }

  async #read(tenantId: string, selections: readonly MeterSelection[]): Promise<ReadonlyMap<string, CustomerMeters>> {
    this.readings += 1;
    await this.#gate();
    if (this.failure) throw this.failure;
    const catalog = this.#catalog;
    await this.#gate();
    const rows = new Map([...this.#customers].map(([id, customer]) => [id, { ...customer }]));
    await this.#gate();
    const found = selections.flatMap(({ customerId, featureKeys }): [string, CustomerMeters][] => {
      const row = rows.get(customerId);
      if (!row || tenantId !== TENANT) return [];
      const customer = { ...row, counters: this.#customer(customerId).counters };
      const meters = (featureKeys ?? [...catalog.features.keys()]).map((key) => {
        const meter = this.#meter(customer, key, catalog);
        const counter = this.#counter(customer, key, catalog);
        const usage = usageOfMeter(meter, counter, this.nowMs);
        return { usage, planRateLimits: [], changedSequence: counter.sequence };
      });
      const { sequence, limitsSequence } = customer;
      const dueAtMs = this.#isDue(customer) ? null : customer.dueAtMs;
      const asOf = { catalogVersion: catalog.version, dueAtMs, atMs: this.nowMs };
      return [[customerId, { customerId, meters, sequence, limitsSequence, ...asOf }]];
    });
    return new Map(found);
  }

  async #gate(): Promise<void> {
    if (this.#holds) await new Promise<void>((go) => this.#held.push(go));
  }

  #meter(customer: CustomerState, key: string, catalog: Catalog) {
    return meterOf(customer, catalog, featureIn(catalog, key), ownPlan(customer, catalog, this.nowMs));
  }

  #counter(customer: CustomerState, key: string, catalog = this.#catalog): StoredCounter {
    const counter = currentCounter(customer, featureIn(catalog, key), null, this.nowMs);
    return this.#isDue(customer) ? { ...counter, held: 0n } : counter;
  }

  #isDue({ dueAtMs }: CustomerState): boolean {
    return dueAtMs !== null && dueAtMs <= this.nowMs;
  }

  #customer(id: string) {
    const customer = this.#customers.get(id);
    if (!customer) throw new Error(`the world has no customer ${id}`);
    return customer;
  }
}

function featureIn({ features }: Catalog, key: string): Feature {
  const known = features.get(key);
  if (!known) throw new Error(`the world has no feature "${key}"`);
  return known;
}

/** Until all that can happen by itself has happened. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
