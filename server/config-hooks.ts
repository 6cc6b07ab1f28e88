/** config-hooks — functions of the config file that are asked, or told, about calls; and the shape they are written in. */
import { z } from 'zod';
import { chosen, duration, fields, isGroup, oneOf } from './config-parts.ts';
import { shown } from './config-problems.ts';

type MaybePromise<T> = T | Promise<T>;

/** The customer of a call, as a hook sees it. */
export type HookCustomer = {
  readonly referenceId: string;
  readonly referenceType: string;
  readonly name: string | null;
  readonly email: string | null;
  readonly planKey: string | null;
  readonly metadata: unknown;
};

/** The feature of a call, as a hook sees it. */
export type HookFeature = { readonly key: string; readonly displayName: string; readonly unit: string | null };

/** A meter, as a hook sees it: decimals are text. */
export type HookUsage = {
  readonly referenceId: string;
  readonly featureKey: string;
  readonly used: string;
  /** Null is unlimited. */
  readonly limit: string | null;
  readonly remaining: string | null;
};

/** A call that is about to be decided. */
export type BeforeCall = {
  readonly customer: HookCustomer;
  readonly feature: HookFeature;
  /** An exact decimal, as text. */
  readonly amount: string;
  readonly properties: Readonly<Record<string, unknown>> | null;
  /** As last committed; to a hook of mode `sync` exactly as the decision finds it. */
  readonly usage: HookUsage;
};

/** Nothing lets the call go on; a refusal is told to the caller with its sentence. */
export type BeforeVerdict = undefined | { readonly refuse: string };

/** A call that was allowed and is committed. */
export type AfterCall = {
  readonly customer: HookCustomer;
  readonly feature: HookFeature;
  readonly amount: string;
  /** With this call in it. */
  readonly usage: HookUsage;
};

/** Who wants to act for whom. */
export type AuthorizeCall = {
  readonly apiKey: { readonly id: string; readonly name: string | null; readonly scopes: readonly string[] };
  readonly referenceId: string;
};

export const HOOK_MODES = ['async', 'sync'] as const;
/** `async`: awaited before the call joins a batch. `sync`: run inside the decision, so it may not wait for anything. */
export type HookMode = (typeof HOOK_MODES)[number];

export const HOOK_FAILURES = ['deny', 'allow'] as const;
/** What becomes of the call when the hook throws or is too late. */
export type HookFailure = (typeof HOOK_FAILURES)[number];

export type BeforeHook = (call: BeforeCall) => MaybePromise<BeforeVerdict>;
export type AfterHook = (call: AfterCall) => MaybePromise<void>;
export type AuthorizeReference = (call: AuthorizeCall) => MaybePromise<boolean>;

/** As the config file writes them. */
export type HooksConfig = {
  /** May refuse a call; nothing is then written. A bare function is of mode `async`, and a failure of it denies. */
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

/** As they are run: nothing is unset any more. */
export type Hooks = {
  readonly before: {
    readonly run: BeforeHook;
    readonly mode: HookMode;
    /** How long a call waits; a `sync` hook is not waited for. */
    readonly deadlineMs: number;
    readonly onFailure: HookFailure;
  } | null;
  readonly after: AfterHook | null;
  /** Whether an API key may act for a reference; null: for every customer of its tenant. */
  readonly authorizeReference: AuthorizeReference | null;
};

export const NO_HOOKS: Hooks = { before: null, after: null, authorizeReference: null };

export const HOOK_DEADLINE_MS = 250;
export const HOOK_DEADLINE_MIN_MS = 10;
export const HOOK_DEADLINE_MAX_MS = 10_000;

const callable = <T>(example: string) =>
  z.custom<T>((found) => typeof found === 'function', {
    error: (issue) => `is ${shown(issue.input)}; write a function, like ${example}`,
  });

const run = callable<BeforeHook>('async ({ customer, feature, amount }) => { … }');

const isAsync = (found: unknown): boolean => Object.prototype.toString.call(found) === '[object AsyncFunction]';

const beforeGroup = fields('a before hook', {
  run,
  mode: oneOf(HOOK_MODES),
  deadline: duration.exactOptional(),
  onFailure: oneOf(HOOK_FAILURES),
}).transform(({ deadline, ...said }, context) => {
  const refuse = (field: string, message: string) => context.addIssue({ code: 'custom', path: [field], message });
  if (said.mode === 'sync' && isAsync(said.run)) {
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

const before = chosen<NonNullable<Hooks['before']>>((found) =>
  isGroup(found)
    ? beforeGroup
    : run.transform((said) => ({
        run: said,
        mode: 'async' as const,
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
