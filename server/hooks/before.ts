/**
 * before — asks the app about a call: inside the decision where the hook is synchronous, else before the call joins a
 * batch. A hook that fails never fails the call by itself: the policy `onFailure` says what becomes of it.
 */
import type { BeforeDecision, HookContext, HookRequest, Refusal } from '../domain/hook.ts';
import type { Usage } from '../domain/usage.ts';
import type { Before, Hooks } from '../hooks.ts';
import type { Complain } from './complaints.ts';
import { DeadlineError, inTime, type Schedule } from './in-time.ts';
import { beforeCallOf } from './told.ts';
import { FAILED_REFUSAL, refusalOf } from './verdict.ts';

/** Everybody waits for a hook inside the decision: longer than this is told. */
const SLOW_MS = 5;

export type BeforeDeps = {
  readonly complain: Complain;
  /** A monotonic clock, to measure by. */
  readonly stopwatch?: () => number;
  readonly schedule?: Schedule;
};

/** @returns what a ledger asks inside each decision; null where the config has no synchronous `before`. */
export function syncBefore({ before }: Pick<Hooks, 'before'>, deps: BeforeDeps): BeforeDecision | null {
  if (before?.mode !== 'sync') return null;
  const { complain, stopwatch = () => performance.now() } = deps;
  return (context) => {
    const startedMs = stopwatch();
    const refusal = askNow(before, context, complain);
    const tookMs = stopwatch() - startedMs;
    if (tookMs > SLOW_MS) complain('slow', slow(tookMs), { tookMs });
    return refusal;
  };
}

function askNow(before: Before, context: HookContext, complain: Complain): string | null {
  try {
    const verdict = before.run(beforeCallOf(context));
    if (!isPromise(verdict)) return refusalOf(verdict);
    Promise.resolve(verdict).catch(() => {}); // nobody waits for it: its error is not the process's
    return failed(before, complain, 'promise', PROMISED);
  } catch (error) {
    return failed(before, complain, 'threw', threw(before), { err: error });
  }
}

/** A call that is to join a batch, and the meter as last committed; null where there is no such meter. */
export type Asked = { readonly request: HookRequest; readonly usage: Usage | null };

/** Asks about one call, for so long as the config says. Never rejects. */
export type AskBefore = (asked: Asked) => Promise<Refusal | null>;

/** @returns what to ask before a call joins a batch; null where the config has no asynchronous `before`. */
export function asyncBefore({ before }: Pick<Hooks, 'before'>, deps: BeforeDeps): AskBefore | null {
  if (before?.mode !== 'async') return null;
  return async ({ request, usage }) => {
    if (usage === null) return null; // the engine says what is missing
    const message = await askInTime(before, { request, usage }, deps);
    return message === null ? null : { reason: 'REFUSED_BY_HOOK', message };
  };
}

async function askInTime(before: Before, asked: Omit<HookContext, 'proposal'>, deps: BeforeDeps) {
  const { complain, schedule } = deps;
  try {
    const call = beforeCallOf({ ...asked, proposal: null });
    return refusalOf(await inTime(() => before.run(call), before.deadlineMs, schedule));
  } catch (error) {
    if (error instanceof DeadlineError) return failed(before, complain, 'late', late(before));
    return failed(before, complain, 'threw', threw(before), { err: error });
  }
}

function failed(before: Before, complain: Complain, what: string, sentence: string, details = {}): string | null {
  complain(what, sentence, details);
  return before.onFailure === 'deny' ? FAILED_REFUSAL : null;
}

const isPromise = (value: unknown): value is PromiseLike<unknown> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

const becomes = ({ onFailure }: Before): string =>
  onFailure === 'deny' ? 'the call was refused' : 'the call went on unasked';

const threw = (before: Before): string =>
  `The before hook threw an error, and ${becomes(before)} (onFailure: "${before.onFailure}"); to refuse a call, return a sentence.`;

const late = (before: Before): string =>
  `The before hook did not answer within ${before.deadlineMs} ms, and ${becomes(before)} (onFailure: "${before.onFailure}"); make it faster, or set its deadline, like deadline: "PT1S".`;

const PROMISED =
  'The before hook runs inside the decision and returned a promise, which is not awaited there; declare it async, or write { run, mode: "async", onFailure: "deny" }.';

const slow = (tookMs: number): string =>
  `The before hook took ${tookMs.toFixed(1)} ms inside the decision, where every other call waits for it; keep it below ${SLOW_MS} ms, or write { run, mode: "async", onFailure: "deny" }.`;
