/** meter-ledger — the meter events that were accepted, and what has become of each. Only what counts is aggregated. */
import type { Seconds } from './wire.ts';

export type MeterEvent = {
  readonly identifier: string;
  readonly eventName: string;
  readonly payload: { readonly [key: string]: string };
  /** When the usage was. */
  readonly timestamp: Seconds;
  readonly receivedAt: Seconds;
  /** The time it was then for the customer, who may go by a test clock: what its timestamp is measured by. */
  readonly acceptedFor: Seconds;
  /** Pending until it is processed, a while after it was accepted. Then counted, or refused for what its error report says. */
  state: 'pending' | 'counted' | 'refused' | 'cancelled';
  /** Once it counts. */
  counts?: { readonly meter: string; readonly customer: string; readonly value: bigint };
};

export class MeterLedger {
  readonly events: MeterEvent[] = [];
  readonly #latest = new Map<string, MeterEvent>();
  readonly #counted = new Map<string, MeterEvent[]>();
  #pending: MeterEvent[] = [];

  accept(event: MeterEvent): void {
    this.events.push(event);
    this.#pending.push(event);
    this.#latest.set(event.identifier, event);
  }

  /** The latest of this identifier: from a day after it was received, the identifier may be used again. */
  latest(identifier: string): MeterEvent | undefined {
    return this.#latest.get(identifier);
  }

  /** Those that were received by then and not yet processed; they are the caller's now. */
  takePending(receivedBy: Seconds): MeterEvent[] {
    const due = this.#pending.filter(({ receivedAt }) => receivedAt <= receivedBy);
    this.#pending = this.#pending.filter(({ receivedAt }) => receivedAt > receivedBy);
    return due;
  }

  count(event: MeterEvent, counts: NonNullable<MeterEvent['counts']>): void {
    event.state = 'counted';
    event.counts = counts;
    const key = keyOf(counts.meter, counts.customer);
    const before = this.#counted.get(key);
    if (before) before.push(event);
    else this.#counted.set(key, [event]);
  }

  /** In the order they were processed. @param from Inclusive. @param to Exclusive. */
  counted(meter: string, customer: string, from: Seconds, to: Seconds): MeterEvent[] {
    return (this.#counted.get(keyOf(meter, customer)) ?? []).filter(
      ({ state, timestamp }) => state === 'counted' && timestamp >= from && timestamp < to,
    );
  }
}

const keyOf = (meter: string, customer: string): string => `${meter} ${customer}`;
