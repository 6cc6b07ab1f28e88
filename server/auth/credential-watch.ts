/** credential-watch — ends what a credential has opened once it is no longer good: expired, or revoked. */
import type { Clock } from '../domain/clock.ts';
import { MeterError } from '../domain/errors.ts';
import type { Viewer } from '../domain/viewer.ts';
import type { Authenticate } from './authenticate.ts';

/** How often everything that is open is looked at. */
const TICK_MS = 1_000;
/** An API key is verified again after this, so that, with what is remembered of it, a revocation ends all within 10 s. */
const RECHECK_MS = 4_000;

/** @param sentence Why, for people. */
export type End = (sentence: string) => void;

type Credential = {
  readonly viewer: Viewer;
  readonly ends: Set<End>;
  checkedAtMs: number;
  isChecking: boolean;
};

export class CredentialWatch {
  readonly #authenticate: Authenticate;
  readonly #clock: Clock;
  /** By what was presented: a thousand sockets of one key are one question. */
  readonly #open = new Map<string, Credential>();
  readonly #ticker: NodeJS.Timeout;

  constructor(authenticate: Authenticate, clock: Clock) {
    this.#authenticate = authenticate;
    this.#clock = clock;
    this.#ticker = setInterval(() => this.#tick(), TICK_MS).unref();
  }

  /**
   * @param authorization As it was presented by `viewer`.
   * @param end Called once, when the credential is no longer good.
   * @returns what stops watching: call it when the thing has ended by itself.
   */
  add(viewer: Viewer, authorization: string, end: End): () => void {
    const checkedAtMs = this.#clock.now();
    const credential = this.#open.get(authorization) ?? { viewer, ends: new Set(), checkedAtMs, isChecking: false };
    this.#open.set(authorization, credential);
    credential.ends.add(end);
    return () => {
      credential.ends.delete(end);
      if (credential.ends.size === 0 && this.#open.get(authorization) === credential) this.#open.delete(authorization);
    };
  }

  close(): void {
    clearInterval(this.#ticker);
  }

  #tick(): void {
    const nowMs = this.#clock.now();
    for (const [authorization, credential] of this.#open) {
      const { viewer, checkedAtMs, isChecking } = credential;
      const isDue = Math.abs(nowMs - checkedAtMs) >= RECHECK_MS; // a clock may be set back
      if (viewer.expiresAtMs !== null && viewer.expiresAtMs <= nowMs) {
        this.#end(authorization, credential, viewer.kind === 'customer' ? 'Token expired' : 'API key expired');
      } else if (viewer.kind === 'api-key' && isDue && !isChecking) void this.#recheck(authorization, credential);
    }
  }

  async #recheck(authorization: string, credential: Credential): Promise<void> {
    credential.isChecking = true;
    try {
      await this.#authenticate(authorization);
    } catch (error) {
      // Without an answer all stays: a database that is away for a moment must not end every stream.
      const isRefused = error instanceof MeterError && error.code === 'UNAUTHENTICATED';
      if (isRefused) this.#end(authorization, credential, 'API key revoked');
    } finally {
      credential.isChecking = false;
      credential.checkedAtMs = this.#clock.now();
    }
  }

  #end(authorization: string, credential: Credential, sentence: string): void {
    if (this.#open.get(authorization) === credential) this.#open.delete(authorization);
    for (const end of credential.ends) end(sentence);
  }
}
