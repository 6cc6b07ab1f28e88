/** held-clock — for tests: real time, but chosen sleeps last until they are released. */
import { systemClock } from '../clock.ts';
import type { Clock } from '../option-types.ts';
import { recorder } from './recorder.ts';

export interface HeldClock {
  readonly clock: Clock;
  /** Resolves with how to end the nth held sleep, once it has begun. */
  held(nth: number): Promise<() => void>;
}

/** @param isHeld By its length in milliseconds. */
export function heldClock(isHeld: (ms: number) => boolean): HeldClock {
  const releases: (() => void)[] = [];
  const begun = recorder();
  return {
    clock: {
      now: systemClock.now,
      sleep: (ms, signal) => {
        if (!isHeld(ms)) return systemClock.sleep(ms, signal);
        return new Promise((resolve) => {
          releases.push(resolve);
          signal?.addEventListener('abort', () => resolve());
          begun.push('sleep');
        });
      },
    },
    held: async (nth) => {
      await begun.told('sleep', nth);
      return releases[nth - 1] ?? (() => {});
    },
  };
}
