/**
 * exceeded — limits that refused a call, or that use has gone beyond since they were lowered.
 *
 * A denied call changes nothing, and a limit that is lowered below what is used crosses nothing, so there is no transaction
 * to tell it in: what is heard here is written down a moment later, by the key that makes it one. If the process ends in
 * between, the next call of the period tells it.
 */
import { LRUCache } from 'lru-cache';
import type { Denial } from '../domain/denial.ts';
import type { Notice } from '../domain/notice.ts';
import { limitExceeded, limitKeyOf } from '../domain/notices-of-use.ts';
import type { Usage } from '../domain/usage.ts';

/** An answer that may be a denial. */
export type Answer = { readonly denial?: Denial | null; readonly usage?: Usage; readonly replayed?: boolean };

/** Meters of which something is known; beyond it the longest unheard are told again, which their key makes nothing of. */
const KNOWN_MAX = 20_000;
/** Heard and not written down yet; beyond it they are left to the next call. */
const WAITING_MAX = 10_000;
/** For so long nobody is looked for where nobody listened. */
const UNHEARD_MS = 60_000;

export class Exceeded {
  /** Until when a key needs no telling: always, once it is told. */
  readonly #known = new LRUCache<string, number>({ max: KNOWN_MAX });
  readonly #waiting = new Map<string, Notice>();

  heard({ denial, usage, replayed }: Answer): void {
    const how = usage && howExceeded(denial, usage);
    if (!how || replayed) return;
    const { tenantId, customerId, referenceId, feature, period, used, policy, atMs } = usage;
    const meter = { tenantId, customerId, referenceId, featureKey: feature.key, period };
    const key = limitKeyOf(meter, policy.limit);
    if (atMs < (this.#known.get(key) ?? 0) || this.#waiting.has(key) || this.#waiting.size >= WAITING_MAX) return;
    this.#waiting.set(key, limitExceeded(meter, { how, used, limit: policy.limit }, atMs));
  }

  /** Hands over what was heard. @param write Says which are kept, for somebody listens. If it throws, all are tried again. */
  async flush(write: (notices: readonly Notice[]) => Promise<readonly Notice[]>): Promise<void> {
    if (this.#waiting.size === 0) return;
    const heard = [...this.#waiting];
    const kept = new Set(await write(heard.map(([, notice]) => notice)));
    for (const [key, notice] of heard) {
      this.#waiting.delete(key);
      this.#known.set(key, kept.has(notice) ? Number.POSITIVE_INFINITY : notice.atMs + UNHEARD_MS);
    }
  }
}

/** Null for nearly all calls. The one that goes beyond a limit is told with its use, and by its key not again. */
function howExceeded(denial: Denial | null | undefined, { used, policy }: Usage): 'denied' | 'passed' | null {
  if (denial) return denial.reason === 'LIMIT_REACHED' ? 'denied' : null;
  return policy.limit !== null && used > policy.limit ? 'passed' : null;
}
