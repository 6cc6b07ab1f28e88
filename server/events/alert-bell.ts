/**
 * alert-bell — wakes those who wait for alerts. It carries no alert: a woken reader reads what is stored after its
 * cursor, so none is ever merged, lost or told twice, however slow the reader.
 */
export class AlertBell {
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #tenants = new Map<string, number>();
  #closed = false;

  get isClosed(): boolean {
    return this.#closed;
  }

  /** Tenants whose alerts somebody waits for. */
  get tenantIds(): readonly string[] {
    return [...this.#tenants.keys()];
  }

  /** @param customerId Null to hear of all the tenant's customers. */
  listen(tenantId: string, customerId: string | null): AlertListener {
    const topic = topicOf(tenantId, customerId);
    this.#tenants.set(tenantId, (this.#tenants.get(tenantId) ?? 0) + 1);
    let rung = false;
    let wake: (() => void) | null = null;
    const ring = () => {
      rung = true;
      wake?.();
    };
    const waiting = this.#waiting.get(topic) ?? new Set();
    this.#waiting.set(topic, waiting.add(ring));
    return {
      /** Returns at the next ring, or at once when it has rung since the last time. */
      next: async () => {
        if (!rung && !this.#closed) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        rung = false;
        wake = null;
      },
      leave: () => {
        if (!waiting.delete(ring)) return; // it has left already
        if (waiting.size === 0) this.#waiting.delete(topic);
        const others = (this.#tenants.get(tenantId) ?? 1) - 1;
        if (others === 0) this.#tenants.delete(tenantId);
        else this.#tenants.set(tenantId, others);
        ring();
      },
    };
  }

  /** Alerts of this customer have been stored. */
  ring(tenantId: string, customerId: string): void {
    for (const ring of this.#waiting.get(topicOf(tenantId, customerId)) ?? []) ring();
    for (const ring of this.#waiting.get(topicOf(tenantId, null)) ?? []) ring();
  }

  /** There may be alerts of anybody in these tenants. */
  ringTenants(tenantIds: ReadonlySet<string>): void {
    for (const [topic, rings] of this.#waiting) {
      if (tenantIds.has(topic.slice(0, topic.indexOf(' ')))) for (const ring of rings) ring();
    }
  }

  close(): void {
    this.#closed = true;
    for (const rings of this.#waiting.values()) for (const ring of rings) ring();
  }
}

export type AlertListener = {
  next(): Promise<void>;
  /** Once is enough; wakes whoever waits. */
  leave(): void;
};

const topicOf = (tenantId: string, customerId: string | null): string => `${tenantId} ${customerId ?? '*'}`;
