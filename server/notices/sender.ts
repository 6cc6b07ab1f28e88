/**
 * sender — sends what is due, many endpoints at once and few things at a time to each: whoever hangs keeps nobody else
 * waiting. What fails comes due again; at least once is promised, in no order.
 */
import type { Query } from '../db/client.ts';
import type { Clock } from '../domain/clock.ts';
import { CLOUD_EVENT_TYPE, cloudEventOf } from '../domain/cloud-event.ts';
import { isGivenUp, nextTryMs } from '../domain/retry.ts';
import { mailAddressOf } from '../domain/webhook-endpoint.ts';
import { secretsAt } from '../domain/webhook-secret.ts';
import { type Attempt, type FailedAttempt, failed } from './attempt.ts';
import { disable, type Lease, markDelivered, markFailed, release, takeDue } from './leases.ts';
import type { Mail } from './mail.ts';
import type { Post } from './post.ts';
import { signedHeaders } from './signature.ts';

/** `retried`: it failed and is tried again; `failed`: that was the last try; `aborted`: we stopped, which costs no try. */
export type DeliveryOutcome = 'delivered' | 'retried' | 'failed' | 'aborted';

export type Disabled = { readonly tenantId: string; readonly endpointId: string; readonly reason: string };

export type SenderDeps = {
  readonly query: Query;
  readonly clock: Clock;
  readonly post: Post;
  /** Null where no mail server is set. */
  readonly mail: Mail | null;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** How long whoever stops waits for answers. */
  readonly stopGraceMs?: number;
  readonly onOutcome: (outcome: DeliveryOutcome) => void;
  /** Told of an endpoint that is sent nothing more. */
  readonly onDisabled: (disabled: Disabled) => void;
  /** Told why something could not be written down; its lease ends, and it is sent again. */
  readonly onError: (error: unknown) => void;
};

/** Tries under way at once, of all endpoints. */
const TRIES_MAX = 256;
const STOP_GRACE_MS = 2_000;

export class Sender {
  readonly #deps: SenderDeps;
  /** By endpoint: how many tries are under way. */
  readonly #busy = new Map<string, number>();
  readonly #tries = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  #isStopped = false;
  #sending: Promise<void> | null = null;
  #isWanted = false;

  constructor(deps: SenderDeps) {
    this.#deps = deps;
  }

  /** Takes what is due, and begins to send it. Asked meanwhile, it looks once more. */
  send(): Promise<void> {
    this.#isWanted = true;
    this.#sending ??= this.#sendWanted().finally(() => {
      this.#sending = null;
    });
    return this.#sending;
  }

  /** Until nothing is under way any more. */
  async idle(): Promise<void> {
    while (this.#sending !== null || this.#tries.size > 0) await Promise.all([this.#sending, ...this.#tries]);
  }

  /** Begins nothing more. Who does not answer soon is tried again by another gateway, or by the next start. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const grace = setTimeout(() => this.#stopping.abort(), this.#deps.stopGraceMs ?? STOP_GRACE_MS);
    await this.idle();
    clearTimeout(grace);
  }

  async #sendWanted(): Promise<void> {
    while (this.#isWanted && !this.#isStopped) {
      this.#isWanted = false;
      const free = TRIES_MAX - this.#tries.size;
      if (free <= 0) return; // the next that ends asks again
      try {
        const leases = await takeDue(this.#deps.query, this.#busy, free, this.#deps.clock.now());
        for (const lease of leases) this.#begin(lease);
      } catch (error) {
        this.#deps.onError(error);
      }
    }
  }

  #begin(lease: Lease): void {
    const { endpointId } = lease;
    this.#busy.set(endpointId, (this.#busy.get(endpointId) ?? 0) + 1);
    const trying = this.#try(lease)
      .catch(this.#deps.onError)
      .finally(() => {
        const left = (this.#busy.get(endpointId) ?? 1) - 1;
        if (left > 0) this.#busy.set(endpointId, left);
        else this.#busy.delete(endpointId);
        this.#tries.delete(trying);
        void this.send(); // its place is free
      });
    this.#tries.add(trying);
  }

  async #try(lease: Lease): Promise<void> {
    const { clock, query, onOutcome } = this.#deps;
    const startedMs = performance.now();
    const attempt = await this.#attempt(lease);
    const durationMs = Math.round(performance.now() - startedMs);
    const nowMs = clock.now();
    if (!attempt.ok && this.#stopping.signal.aborted) {
      onOutcome('aborted');
      return release(query, lease, nowMs);
    }
    if (!attempt.ok) return this.#fail(lease, attempt, { durationMs, nowMs });
    onOutcome('delivered');
    await markDelivered(query, lease, { status: attempt.status, durationMs, nowMs });
  }

  #attempt(lease: Lease): Promise<Attempt> {
    const { post, mail, clock } = this.#deps;
    const event = cloudEventOf(lease.event);
    if (lease.kind === 'email') {
      if (mail === null) return Promise.resolve(failed('Not sent: no SMTP_URL is set.'));
      return mail.send(mailAddressOf(lease.url), event, this.#stopping.signal);
    }
    const nowMs = clock.now();
    const body = JSON.stringify(event);
    const secrets = secretsAt(lease.secrets, nowMs).map(({ secret }) => secret);
    const headers = { 'content-type': CLOUD_EVENT_TYPE, ...signedHeaders({ id: event.id, body }, secrets, nowMs) };
    return post(lease.url, { headers, body }, this.#stopping.signal, nowMs);
  }

  async #fail(
    lease: Lease,
    { status, error, retryAfterMs, isGone }: FailedAttempt,
    { durationMs, nowMs }: { readonly durationMs: number; readonly nowMs: number },
  ): Promise<void> {
    const { query, random, onOutcome } = this.#deps;
    const { attempts, retryUntilMs } = lease;
    const nextMs = isGone ? null : nextTryMs({ attempts, retryUntilMs, retryAfterMs }, nowMs, random());
    onOutcome(nextMs === null ? 'failed' : 'retried');
    const failingSinceMs = await markFailed(query, lease, { status, durationMs, nowMs, error, nextMs });
    if (failingSinceMs === null) return; // somebody else has taken it since
    if (isGone) return this.#disable(lease, GONE, nowMs);
    if (isGivenUp(failingSinceMs, nowMs)) return this.#disable(lease, GIVEN_UP, nowMs);
  }

  async #disable({ endpointId, event }: Lease, reason: string, nowMs: number): Promise<void> {
    const isNews = await disable(this.#deps.query, endpointId, reason, nowMs);
    if (isNews) this.#deps.onDisabled({ tenantId: event.tenantId, endpointId, reason });
  }
}

const GONE = 'It said that it is gone for good: by a 410, or for mail, that there is no such address.';
const GIVEN_UP = 'Every try has failed for 5 days.';
