/** config-hooks — the shape that hooks are written in: see `hooks.ts` for what they are told and may answer. */
import { z } from 'zod';
import { chosen, duration, fields, isGroup, oneOf } from './config-parts.ts';
import { shown } from './config-problems.ts';
import {
  type AfterHook,
  type AuthorizeReference,
  type Before,
  type BeforeHook,
  HOOK_DEADLINE_MS,
  HOOK_FAILURES,
  HOOK_MODES,
  type HookFailure,
  type HookMode,
  isAsyncFunction,
} from './hooks.ts';

/** As the config file writes them. */
export type HooksConfig = {
  /**
   * May refuse a call; nothing is then written. A bare function is of mode `async` if it is declared so, else of mode
   * `sync`, and a failure of it denies.
   */
  readonly before?:
    | BeforeHook
    | {
        readonly run: BeforeHook;
        readonly mode: HookMode;
        /** ISO 8601 duration, for mode `async`: 10 ms to 10 s, `PT0.25S` when unset. */
        readonly deadline?: string;
        readonly onFailure: HookFailure;
      };
  /** Hears of every call that was allowed, after it is committed; delays and fails no one. */
  readonly after?: AfterHook;
};

export const HOOK_DEADLINE_MIN_MS = 10;
export const HOOK_DEADLINE_MAX_MS = 10_000;

const callable = <T>(example: string) =>
  z.custom<T>((found) => typeof found === 'function', {
    error: (issue) => `is ${shown(issue.input)}; write a function, like ${example}`,
  });

const run = callable<BeforeHook>('async ({ customer, feature, amount }) => { … }');

const beforeGroup = fields('a before hook', {
  run,
  mode: oneOf(HOOK_MODES),
  deadline: duration.exactOptional(),
  onFailure: oneOf(HOOK_FAILURES),
}).transform(({ deadline, ...said }, context) => {
  const refuse = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
  if (said.mode === 'sync' && isAsyncFunction(said.run)) {
    refuse('run', 'is an async function, but the mode is "sync", which waits for nothing; write mode: "async"');
  }
  if (said.mode === 'sync' && deadline !== undefined) {
    refuse(
      'deadline',
      'is set, but the mode is "sync", and what runs inside the decision is not interrupted; leave it out',
    );
  } else if (deadline !== undefined && (deadline < HOOK_DEADLINE_MIN_MS || deadline > HOOK_DEADLINE_MAX_MS)) {
    refuse(
      'deadline',
      `is ${deadline} ms; from ${HOOK_DEADLINE_MIN_MS} ms to ${HOOK_DEADLINE_MAX_MS / 1_000} s is allowed`,
    );
  }
  return { ...said, deadlineMs: deadline ?? HOOK_DEADLINE_MS };
});

const before = chosen<Before>((found) =>
  isGroup(found)
    ? beforeGroup
    : run.transform((said) => ({
        run: said,
        mode: isAsyncFunction(said) ? ('async' as const) : ('sync' as const),
        deadlineMs: HOOK_DEADLINE_MS,
        onFailure: 'deny' as const,
      })),
);

/** The fields of a config file that hold functions. */
export const hookShape = {
  hooks: fields('hooks', {
    before: before.exactOptional(),
    after: callable<AfterHook>('async ({ usage }) => { … }').exactOptional(),
  }).exactOptional(),
  authorizeReference: callable<AuthorizeReference>('async ({ apiKey, referenceId }) => true').exactOptional(),
};
