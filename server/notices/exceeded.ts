/**
 * exceeded — limits that refused a call.
 *
 * A denied call changes nothing, so there is no transaction to tell it in: what is heard here is written down a moment
 * later, by the key that makes it one. If the process ends in between, the next denial of the period tells it.
 */
import { LRUCache } from 'lru-cache';
import type { Denial } from '../domain/denial.ts';
import type { Notice } from '../domain/notice.ts';
import { limitExceeded, limitKeyOf } from '../domain/notices-of-use.ts';
import type { Usage } from '../domain/usage.ts';

/** An answer that may be a denial. */
export type Answer = { readonly denial?: Denial | null; readonly usage?: Usage; readonly replayed?: boolean };

/** Meters that are known to be told; beyond it the longest unheard are told again, which their key makes nothing of. */
const KNOWN_MAX = 20_000;
/** Heard and not written down yet; beyond it they are left to the next denial. */
const WAITING_MAX = 10_000;

export class Exceeded {
  readonly #known = new LRUCache<string, true>({ max: KNOWN_MAX });
  readonly #waiting = new Map<string, Notice>();

  heard({ denial, usage, replayed }: Answer): void {
    if (denial?.reason !== 'LIMIT_REACHED' || !usage || replayed) return;
    const { tenantId, customerId, referenceId, feature, period, used, policy, atMs } = usage;
    const meter = { tenantId, customerId, referenceId, featureKey: feature.key, period };
    const key = limitKeyOf(meter);
    if (this.#known.get(key) || this.#waiting.has(key) || this.#waiting.size >= WAITING_MAX) return;
    this.#waiting.set(key, limitExceeded(meter, { how: 'denied', used, limit: policy.limit }, atMs));
  }

  /** Hands over what was heard. @param write If it throws, all of it is kept. */
  async flush(write: (notices: readonly Notice[]) => Promise<void>): Promise<void> {
    if (this.#waiting.size === 0) return;
    const heard = [...this.#waiting];
    await write(heard.map(([, notice]) => notice));
    for (const [key] of heard) {
      this.#waiting.delete(key);
      this.#known.set(key, true);
    }
  }
}
