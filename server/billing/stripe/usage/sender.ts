/**
 * sender — brings messages to Stripe: each once, whoever is killed on the way, and however many gateways do it.
 *
 * What a try came to is one of four things: it has arrived, it has not, nobody knows, or it never will. Only of the third
 * kind is there any doubt, and it is resolved by the identifier, which Stripe takes once in 24 hours, and after 20 hours by
 * Stripe's own sums. See docs/decisions/0014-usage-outbox.md.
 */
import { randomUUID } from 'node:crypto';
import type { Query } from '../../../db/client.ts';
import type { Payer } from '../../../domain/usage-report.ts';
import { eachOf } from '../each-of.ts';
import { type Moment, notSent, outcomeOf } from './after-try.ts';
import { COURIER_DEFAULTS, Courier, type CourierDeps, type CourierOptions } from './courier.ts';
import { beginSending, type Lease, leaseMessages, type Message, type Outcome, recordOutcomes } from './messages.ts';
import { NextSteps, type Sendable } from './next-step.ts';

/** Who pays for customers; those that Stripe does not know are left out. */
export type PayersOf = (customerIds: readonly string[]) => Promise<ReadonlyMap<string, Payer>>;

export type SenderDeps = CourierDeps & {
  readonly query: Query;
  readonly payersOf: PayersOf;
  /** From 0 until before 1. */
  readonly random?: () => number;
};

export type SenderOptions = CourierOptions;

/** Messages that are leased at once. */
const LEASED_MAX = 1_000;
/** Longer than a batch takes; who has died is waited for so long. */
const LEASE_MS = 3 * 60_000;

/** Where somebody else has another message of the customer and meter. */
const BESIDE_MS = 1_000;

export class Sender {
  readonly #deps: SenderDeps;
  readonly #random: () => number;
  readonly #inFlightMax: number;
  readonly #courier: Courier;
  #isStopped = false;

  constructor(deps: SenderDeps, options: Partial<SenderOptions> = {}) {
    const { random = Math.random } = deps;
    const courierOptions = { ...COURIER_DEFAULTS, ...options };
    this.#deps = deps;
    this.#random = random;
    this.#inFlightMax = courierOptions.inFlightMax;
    this.#courier = new Courier(deps, courierOptions);
  }

  /** Sends what is due, until nothing is, or Stripe's figures are reached. @returns how many have arrived. */
  async run(): Promise<number> {
    let delivered = 0;
    while (!this.#isStopped) {
      const max = Math.min(LEASED_MAX, this.#courier.room);
      if (max === 0) break;
      const nowMs = this.#deps.clock.now();
      const lease = { id: randomUUID(), untilMs: nowMs + LEASE_MS };
      const messages = await leaseMessages(this.#deps.query, lease, nowMs, max);
      if (messages.length === 0) break;
      delivered += await this.#work(lease, messages);
    }
    return delivered;
  }

  /** Ends after what is on its way. */
  stop(): void {
    this.#isStopped = true;
  }

  /** What is sent is written down before, and what became of it afterwards. */
  async #work(lease: Lease, messages: readonly Message[]): Promise<number> {
    const { query, clock } = this.#deps;
    const { outcomes, sendable } = await this.#sorted(messages);
    const begun = await beginSending(query, lease, sendable, clock.now());
    const ours = new Set(begun.map(({ message }) => message));
    const [mine, others] = [true, false].map((is) => sendable.filter(({ message }) => ours.has(message) === is));
    outcomes.push(...(others ?? []).map(({ message }) => outcomeOf(message, notSent(BESIDE_MS), this.#moment())));
    const sent = await this.#courier.send(lease, mine ?? []);
    outcomes.push(...sent.map(({ sendable: { message }, tried }) => outcomeOf(message, tried, this.#moment())));
    await recordOutcomes(query, lease, outcomes, clock.now());
    return outcomes.filter(({ state }) => state === 'delivered').length;
  }

  /** What is to be sent, and what becomes of the others without. */
  async #sorted(messages: readonly Message[]): Promise<{ outcomes: Outcome[]; sendable: Sendable[] }> {
    const payers = await this.#deps.payersOf([...new Set(messages.map(({ customerId }) => customerId))]);
    const steps = new NextSteps({ ...this.#deps, random: this.#random });
    const outcomes: Outcome[] = [];
    const sendable: Sendable[] = [];
    await eachOf(messages, this.#inFlightMax, async (message) => {
      const next = await this.#next(steps, message, payers.get(message.customerId) ?? null);
      if ('state' in next) outcomes.push(next);
      else sendable.push(next);
    });
    return { outcomes, sendable };
  }

  async #next(steps: NextSteps, message: Message, payer: Payer | null): Promise<Sendable | Outcome> {
    const pausedMs = payer === null ? 0 : this.#courier.pausedMs(payer);
    if (pausedMs > 0) return outcomeOf(message, notSent(pausedMs), this.#moment());
    return steps.of(message, payer);
  }

  #moment(): Moment {
    return { nowMs: this.#deps.clock.now(), random: this.#random() };
  }
}
