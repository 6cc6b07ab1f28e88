/** rig — what the tests of hooks share: a meter to be told of, timers that a test rings, and what was complained of. */
import type { Feature } from '../../domain/feature.ts';
import type { HookContext } from '../../domain/hook.ts';
import { mergePolicy } from '../../domain/policy.ts';
import { unitsOf } from '../../domain/units.ts';
import { type Usage, usageOf } from '../../domain/usage.ts';
import type { Complain } from '../complaints.ts';
import type { Schedule } from '../in-time.ts';
import type { Allowed } from '../told.ts';

const FEATURE: Feature = {
  tenantId: 'tenant',
  key: 'api_calls',
  displayName: 'API Calls',
  unit: 'call',
  aggregation: 'sum',
  of: null,
  reset: 'monthly',
  anchor: 'calendar',
  dimensions: [],
  details: [],
  archivedAtMs: null,
  limit: unitsOf('100'),
};

const PERIOD = { startMs: Date.UTC(2026, 2, 1), endMs: Date.UTC(2026, 3, 1) };

/** Acme on plan `pro`, with 40 of 100 calls used. */
export const USAGE: Usage = usageOf(
  {
    tenantId: 'tenant',
    customerId: 'customer',
    referenceId: 'acme',
    feature: FEATURE,
    planKey: 'pro',
    entitled: true,
    policy: mergePolicy(FEATURE, null, undefined),
    sequence: 7n,
    catalogVersion: 1,
    atMs: Date.UTC(2026, 2, 15),
  },
  {
    period: PERIOD,
    used: unitsOf('40'),
    held: unitsOf('2.5'),
    overage: 0n,
    cost: 0n,
    walletCharge: 0n,
    currency: null,
    credits: unitsOf('10'),
    wallet: { amount: unitsOf('500'), currency: 'usd' },
  },
);

export const REQUEST: HookContext['request'] = {
  purpose: 'use',
  amount: unitsOf('3'),
  entityId: 'seat-1',
  properties: '{"model":"large"}',
  idempotencyKey: 'key-1',
};

const PAYMENT = { included: unitsOf('1'), credits: unitsOf('2'), wallet: 0n, overage: 0n };

export const CONTEXT: HookContext = {
  usage: USAGE,
  request: REQUEST,
  proposal: {
    outcome: 'allowed',
    amount: unitsOf('3'),
    payment: { ...PAYMENT, cost: 0n, walletCharge: 0n, draws: [] },
    counter: {
      period: PERIOD,
      used: unitsOf('43'),
      held: unitsOf('2.5'),
      credits: unitsOf('2'),
      wallet: 0n,
      overage: 0n,
      cost: 0n,
      walletCharge: 0n,
      currency: null,
      gauge: null,
      raised: new Set(),
    },
    rateWindows: new Map(),
    raised: [],
  },
};

const NOTHING = { amount: 0n, currency: 'usd' };

/** A call that is to be told to the after hook; its key names it. */
export const allowed = (idempotencyKey: string): Allowed => ({
  usage: USAGE,
  amount: unitsOf('3'),
  split: { ...PAYMENT, walletCharge: NOTHING, overageCost: NOTHING },
  entityId: null,
  properties: null,
  idempotencyKey,
});

/** Timers that ring when the test says so. */
export class Timers {
  readonly #set = new Map<number, { readonly ms: number; readonly run: () => void }>();
  #next = 0;

  readonly schedule: Schedule = (ms, run) => {
    this.#next += 1;
    const id = this.#next;
    this.#set.set(id, { ms, run });
    return () => this.#set.delete(id);
  };

  /** The lengths of those that wait. */
  get waiting(): readonly number[] {
    return [...this.#set.values()].map(({ ms }) => ms);
  }

  /** Rings all of one length. */
  ring(ms: number): void {
    for (const [id, timer] of this.#set) {
      if (timer.ms !== ms) continue;
      this.#set.delete(id);
      timer.run();
    }
  }
}

export type Complaint = { readonly what: string; readonly sentence: string };

/** Keeps what was complained of, all of it. */
export function complaints(): { readonly heard: readonly Complaint[]; readonly complain: Complain } {
  const heard: Complaint[] = [];
  return { heard, complain: (what, sentence) => heard.push({ what, sentence }) };
}

/** All that was started in microtasks and immediates has happened. */
export const settled = (): Promise<void> => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
