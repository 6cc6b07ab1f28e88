/** faults — what goes wrong with the next requests, when a test says so. */
import { lockTimeout, Refusal, rateLimited, serverFailure } from './refusal.ts';

export type Fault =
  /** 429, before anything has happened. */
  | { readonly kind: 'rate_limited'; readonly retryAfterSeconds?: number }
  /** The key is not taken, or may not do it; before anything has happened. */
  | { readonly kind: 'refused'; readonly status: number }
  /** Another request has the object; before anything has happened. */
  | { readonly kind: 'lock_timeout'; readonly status?: 409 | 429 }
  /** 500 or a cut connection, before anything has happened; nothing is remembered under the key. */
  | { readonly kind: 'fails_before' | 'cut_before' }
  /** 500 of an operation that had begun and came to nothing: whoever asks again with the key hears it again. */
  | { readonly kind: 'fails_for_good' }
  /** It has happened and is remembered, but 500 or a cut connection is what the client gets. */
  | { readonly kind: 'fails_after' | 'cut_after' }
  /** Waits until it is let go, before or after it has happened. */
  | { readonly kind: 'held_before' | 'held_after'; readonly hold: Hold };

export type Asked = { readonly operation: string; readonly params: unknown; readonly idempotencyKey: string | null };

type Planned = { readonly fits: (asked: Asked) => boolean; readonly fault: Fault; left: number };

/** An operation, `POST /v1/prices/{}`; a pattern of operations; or any test. */
export type Which = string | RegExp | ((asked: Asked) => boolean);

export class Faults {
  #planned: Planned[] = [];
  #choose: (asked: Asked) => Fault | undefined = () => undefined;

  /**
   * The next request that fits, or the next `times`.
   *
   * The SDK sends a request again, once, when its connection was cut, also where it was told never to retry: cut it twice.
   */
  next(which: Which, fault: Fault, times = 1): void {
    this.#planned.push({ fits: fitting(which), fault, left: times });
  }

  /** Asked of every request for which nothing is planned: for storms. */
  choose(choose: (asked: Asked) => Fault | undefined): void {
    this.#choose = choose;
  }

  /** Holds the next request that fits. */
  hold(which: Which, when: 'before' | 'after' = 'before'): Hold {
    const hold = new Hold();
    this.next(which, { kind: `held_${when}`, hold });
    return hold;
  }

  /** From now on all goes well. */
  clear(): void {
    this.#planned = [];
    this.#choose = () => undefined;
  }

  take(asked: Asked): Fault | undefined {
    const planned = this.#planned.find(({ fits }) => fits(asked));
    if (!planned) return this.#choose(asked);
    planned.left -= 1;
    if (planned.left === 0) this.#planned = this.#planned.filter((each) => each !== planned);
    return planned.fault;
  }
}

function fitting(which: Which): (asked: Asked) => boolean {
  if (typeof which === 'function') return which;
  return ({ operation }) => (typeof which === 'string' ? operation === which : which.test(operation));
}

/** A request that waits. */
export class Hold {
  /** When it has come. */
  readonly arrived: Promise<void>;
  readonly released: Promise<void>;
  #arrive: () => void = () => {};
  #release: () => void = () => {};

  constructor() {
    this.arrived = new Promise((resolve) => {
      this.#arrive = resolve;
    });
    this.released = new Promise((resolve) => {
      this.#release = resolve;
    });
  }

  arrive(): void {
    this.#arrive();
  }

  release(): void {
    this.#release();
  }
}

/** Of those that are refused before anything happens. */
export function refusalOf(fault: Fault | undefined): Refusal | undefined {
  switch (fault?.kind) {
    case 'rate_limited':
      return rateLimited(fault.retryAfterSeconds);
    case 'lock_timeout':
      return lockTimeout(fault.status);
    case 'refused':
      return new Refusal(fault.status, { type: 'invalid_request_error', message: 'The key does not allow it.' });
    case 'fails_before':
      return serverFailure();
    default:
      return undefined;
  }
}
