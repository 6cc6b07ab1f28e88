/** meters — which meter at Stripe has a name, and what it has summed up. */
import type Stripe from 'stripe';
import { ONE, type Units } from '../../../domain/units.ts';
import { onAccount } from '../client.ts';
import { orNull } from '../failures.ts';

export type MeterSums = Pick<Stripe, 'billing'>;

const PAGE_MAX = 100;
const SECOND_MS = 1_000;

/** Meters by their event name, read when one is missing. */
export class Meters {
  readonly #stripe: MeterSums;
  /** By account. */
  readonly #ids = new Map<string | null, Map<string, string>>();

  constructor(stripe: MeterSums) {
    this.#stripe = stripe;
  }

  /** Null where Stripe has none of this name. */
  async idOf(stripeAccount: string | null, eventName: string): Promise<string | null> {
    const known = this.#ids.get(stripeAccount)?.get(eventName);
    if (known !== undefined) return known;
    const ids = new Map<string, string>();
    const params = { limit: PAGE_MAX, status: 'active' } as const;
    for await (const meter of this.#stripe.billing.meters.list(params, onAccount(stripeAccount)))
      ids.set(meter.event_name, meter.id);
    this.#ids.set(stripeAccount, ids);
    return ids.get(eventName) ?? null;
  }

  /**
   * Whole units that Stripe has counted for a customer.
   *
   * @param span Begins and ends with a minute.
   * @returns null where Stripe has no such customer any more.
   */
  async sumOf(
    of: { readonly stripeAccount: string | null; readonly meterId: string; readonly stripeCustomerId: string },
    span: { readonly startMs: number; readonly endMs: number },
  ): Promise<Units | null> {
    const params = {
      customer: of.stripeCustomerId,
      start_time: span.startMs / SECOND_MS,
      end_time: span.endMs / SECOND_MS,
      limit: PAGE_MAX,
    };
    const list = this.#stripe.billing.meters.listEventSummaries(of.meterId, params, onAccount(of.stripeAccount));
    return orNull(sumUp(list));
  }
}

async function sumUp(summaries: AsyncIterable<Stripe.Billing.MeterEventSummary>): Promise<Units> {
  let sum = 0n;
  for await (const { aggregated_value } of summaries) sum += BigInt(Math.round(aggregated_value)) * ONE; // whole: we send no others
  return sum;
}
