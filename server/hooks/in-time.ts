/** in-time — a promise, or nothing of it after a deadline. */

/** Runs something later. @returns what calls it off. */
export type Schedule = (ms: number, run: () => void) => () => void;

export const schedule: Schedule = (ms, run) => {
  const timer = setTimeout(run, ms);
  return () => clearTimeout(timer);
};

export class DeadlineError extends Error {
  override readonly name = 'DeadlineError';
}

/**
 * Calls a function and waits for its answer, so long and no longer. What comes too late is dropped, also an error.
 *
 * @throws what the function throws or rejects with, or `DeadlineError`.
 */
export function inTime<T>(work: () => T | PromiseLike<T>, ms: number, later: Schedule = schedule): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancel = later(ms, () => reject(new DeadlineError(`no answer within ${ms} ms`)));
    new Promise<T>((settle) => settle(work())).then(resolve, reject).finally(cancel);
  });
}
