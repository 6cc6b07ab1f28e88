/** open-exports — the exports that are running: so many at once, and none for whoever does not read. */

/** All at once: each takes a connection of the pool for its pages, and calls need them, too. */
const OPEN_MAX = 4;
/** Of one tenant, so that nobody keeps all others out. */
const OPEN_OF_TENANT_MAX = 2;
/** A page that nobody took by then is given up, and the download with it. */
const STALL_MS_MAX = 60_000;

/** One that is running. */
export type OpenExport = {
  readonly tenantId: string;
  /** Ends it. */
  readonly abort: AbortController;
  /** Since when what was read waits for its reader; null while the next page is read. */
  waitingSinceMs: number | null;
};

/** Why none more may run, as a sentence; null where one may. */
type Fullness = string | null;

export class OpenExports {
  readonly #open = new Set<OpenExport>();

  /** @returns why none of the tenant may be opened now; null where one may. */
  fullFor(tenantId: string): Fullness {
    const own = [...this.#open].filter((open) => open.tenantId === tenantId).length;
    if (own >= OPEN_OF_TENANT_MAX) {
      return `${OPEN_OF_TENANT_MAX} exports of this tenant are running, which is as many as may; read one to its end, and try again.`;
    }
    if (this.#open.size < OPEN_MAX) return null;
    return `${OPEN_MAX} exports are running, which is as many as may; try again when one has ended.`;
  }

  add(tenantId: string): OpenExport {
    const open = { tenantId, abort: new AbortController(), waitingSinceMs: null };
    this.#open.add(open);
    return open;
  }

  remove(open: OpenExport): void {
    this.#open.delete(open);
  }

  /** Ends those whose readers take nothing: they hold the place of others. */
  cutStalled(nowMs: number): void {
    for (const { waitingSinceMs, abort } of this.#open) {
      if (waitingSinceMs !== null && nowMs - waitingSinceMs >= STALL_MS_MAX) abort.abort();
    }
  }

  cutAll(): void {
    for (const { abort } of this.#open) abort.abort();
  }
}
