/** recorder — for tests: what handlers were told, and waiting for it without sleeping. */
import type { LiveStatus, UsageState } from '../live-types.ts';
import type { Alert } from '../usage-types.ts';

export interface Recorder {
  readonly entries: string[];
  push(entry: string): void;
  /** For a state rather than a history: forgets what was told before. */
  replace(entry: string): void;
  /** Resolves when an entry has been told `times` times. */
  told(entry: string, times?: number): Promise<void>;
}

export function recorder(): Recorder {
  const entries: string[] = [];
  const waiting = new Set<() => void>();
  const count = (entry: string) => entries.filter((told) => told === entry).length;
  const push = (entry: string) => {
    entries.push(entry);
    for (const check of waiting) check();
  };
  return {
    entries,
    push,
    replace: (entry) => {
      entries.length = 0;
      push(entry);
    },
    told: (entry, times = 1) =>
      new Promise((resolve) => {
        const check = () => {
          if (count(entry) < times) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
  };
}

/** Spells a state as `api_calls=3 storage=1`. */
const spell = ({ usages }: UsageState) =>
  [...usages.values()].map(({ feature, used }) => `${feature.key}=${used}`).join(' ');

/** Handlers of every kind, writing into one list. */
export function recording() {
  const to = recorder();
  return {
    ...to,
    handlers: {
      onChange: (state: UsageState) => to.push(spell(state)),
      onAlert: (alert: Alert) => to.push(alert.id),
      onGap: (message: string) => to.push(`gap: ${message}`),
      onStatus: (status: LiveStatus) => to.push(status),
      onError: ({ code, retryable }: { code: string; retryable: boolean }) =>
        to.push(`error ${code}${retryable ? ' (goes on)' : ''}`),
    },
  };
}
