/**
 * idempotency — what was answered under a key. Version 1 of the API keeps whatever an operation that had begun came to,
 * a failure too; version 2 keeps what succeeded, and does again what failed.
 */
import { keyInUse, keyReused } from './refusal.ts';
import { DAY, type Seconds } from './wire.ts';

export type Answer = { readonly status: number; readonly body: unknown; readonly headers: Record<string, string> };

type Kept = { readonly fingerprint: string; readonly since: Seconds; answer?: Answer };

/** The least that Stripe keeps a key. */
const KEY_SPAN: Seconds = DAY;
const CHARACTERS_MAX = 255;

export class IdempotencyKeys {
  readonly #kept = new Map<string, Kept>();

  /**
   * Takes the key, until `keep` or `forgetUnlessKept`.
   *
   * @returns What was answered before, where it was.
   * @throws Refusal where the key was used for something else, or its request is still in progress.
   */
  begin(key: string, fingerprint: string, now: Seconds): Answer | undefined {
    if (key.length > CHARACTERS_MAX) throw keyReused(`${key.slice(0, CHARACTERS_MAX)}…`);
    const earlier = this.#kept.get(key);
    if (earlier && now - earlier.since < KEY_SPAN) {
      if (earlier.fingerprint !== fingerprint) throw keyReused(key);
      if (!earlier.answer) throw keyInUse(key);
      return earlier.answer;
    }
    this.#kept.set(key, { fingerprint, since: now });
    return undefined;
  }

  keep(key: string, answer: Answer): void {
    const kept = this.#kept.get(key);
    if (kept) kept.answer = answer;
  }

  /** Where nothing was kept, nothing has been done. */
  forgetUnlessKept(key: string): void {
    if (!this.#kept.get(key)?.answer) this.#kept.delete(key);
  }
}
