/** account-pauses — accounts of which Stripe wants to hear nothing for a while: what concerns one holds for all of its messages. */
import type { Clock } from '../../../domain/clock.ts';
import type { Tried } from './outcome.ts';

export type Pause = {
  /** The connected account; null for the platform's own. */
  readonly stripeAccount: string | null;
  readonly code: string;
  readonly sentence: string;
  readonly untilMs: number;
};

/** Without permission nothing can be sent, and everything may once it is given. */
const NOT_ALLOWED = 'not_allowed';
const NOT_ALLOWED_MS = 60_000;

export class AccountPauses {
  readonly #clock: Clock;
  readonly #onRefused: (pause: Pause) => void;
  readonly #untilMs = new Map<string | null, number>();

  /** @param onRefused Told once a pause of what somebody has to mend; where Stripe only takes no more just now it is not. */
  constructor(clock: Clock, onRefused: (pause: Pause) => void) {
    this.#clock = clock;
    this.#onRefused = onRefused;
  }

  /** How long nothing is sent; 0 or less: Stripe listens. */
  leftMs(stripeAccount: string | null): number {
    return (this.#untilMs.get(stripeAccount) ?? 0) - this.#clock.now();
  }

  /** Begins a pause where what was said asks for one. Whoever is refused without a time waits longer each time. */
  heed(stripeAccount: string | null, tried: Tried): void {
    if (tried.kind !== 'refused' || tried.whom !== 'account') return;
    const { code, sentence } = tried;
    const afterMs = tried.retryAfterMs ?? (code === NOT_ALLOWED ? NOT_ALLOWED_MS : null);
    if (afterMs === null) return;
    const isNew = this.leftMs(stripeAccount) <= 0;
    const untilMs = Math.max(this.#clock.now() + afterMs, this.#untilMs.get(stripeAccount) ?? 0);
    this.#untilMs.set(stripeAccount, untilMs);
    if (isNew && code === NOT_ALLOWED) this.#onRefused({ stripeAccount, code, sentence, untilMs });
  }
}
