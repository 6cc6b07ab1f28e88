/**
 * hooks — functions of the config file that are asked about calls, or told of them: what each gets, and may answer.
 *
 * Decimals are text, instants ISO 8601. Docs: docs/hooks.md.
 */
import type { Aggregation } from './domain/feature.ts';
import type { ApiKeyScope } from './domain/viewer.ts';

type MaybePromise<T> = T | Promise<T>;

/** The customer of a call. */
export type HookCustomer = {
  readonly referenceId: string;
  /**
   * The plan that limits are told by; null for a customer without one. For a call with an `overrideKey` that is the plan
   * it names, but to a hook of mode `async`, which is told the customer's own.
   */
  readonly planKey: string | null;
};

/** The feature of a call. */
export type HookFeature = {
  readonly key: string;
  readonly displayName: string;
  readonly unit: string | null;
  readonly aggregation: Aggregation;
};

/** An exact decimal of minor units (cents). */
export type HookMoney = { readonly amount: string; readonly currency: string };

/** The state of the customer's meter. */
export type HookUsage = {
  readonly used: string;
  /** Held by open reservations, and not used yet. */
  readonly reserved: string;
  /** Null is unlimited. */
  readonly limit: string | null;
  /** Never below 0; null is unlimited. */
  readonly remaining: string | null;
  /** Prepaid units left. */
  readonly credits: string;
  /** Prepaid money left; null without a wallet. */
  readonly wallet: HookMoney | null;
  readonly overage: string;
  /** Billed for the period so far; null for a feature without a price. */
  readonly estimatedCost: HookMoney | null;
  /** Half-open; `end` is null for a meter that never resets. */
  readonly period: { readonly start: string; readonly end: string | null };
};

/** What the units of a call are paid with; the four parts add up to the amount. */
export type HookSplit = {
  readonly included: string;
  readonly credits: string;
  readonly wallet: string;
  readonly overage: string;
};

export const HOOK_CALLS = ['consume', 'record', 'reserve'] as const;
/** `record` has happened already; `reserve` holds units for later. `check` asks like the call it stands for. */
export type HookCall = (typeof HOOK_CALLS)[number];

/** A call that is about to be allowed. */
export type BeforeCall = {
  readonly call: HookCall;
  readonly customer: HookCustomer;
  readonly feature: HookFeature;
  /** Who under the customer (a seat, a workspace) uses it; null for the customer itself. */
  readonly entityId: string | null;
  /** Asked for. */
  readonly amount: string;
  /** Without this call: exact to a hook of mode `sync`, as last committed to one of mode `async`. */
  readonly usage: HookUsage;
  /** What would be taken, and what pays for it; null to a hook of mode `async`, which is asked before that is known. */
  readonly proposal: { readonly amount: string; readonly split: HookSplit } | null;
  readonly properties: Readonly<Record<string, unknown>> | null;
  readonly idempotencyKey: string | null;
};

/** A sentence, `false` or `allow: false` refuses; everything else lets the call pass. */
export type BeforeVerdict =
  | undefined
  | null
  | boolean
  | string
  | { readonly allow: boolean; readonly message?: string };

/** A call that was allowed, and is committed. */
export type AfterCall = {
  readonly customer: HookCustomer;
  readonly feature: HookFeature;
  readonly entityId: string | null;
  /** Taken by the call; below 0 where units were given back. */
  readonly amount: string;
  readonly split: HookSplit;
  /** With this call. */
  readonly usage: HookUsage;
  readonly properties: Readonly<Record<string, unknown>> | null;
  readonly idempotencyKey: string | null;
};

/** Who wants to act for whom. */
export type AuthorizeCall = {
  readonly apiKey: { readonly id: string; readonly name: string | null; readonly scopes: readonly ApiKeyScope[] };
  readonly referenceId: string;
};

export type BeforeHook = (call: BeforeCall) => MaybePromise<BeforeVerdict>;
export type AfterHook = (call: AfterCall) => unknown;
/** Only `true` authorizes. */
export type AuthorizeReference = (call: AuthorizeCall) => MaybePromise<boolean>;

export const HOOK_MODES = ['async', 'sync'] as const;
/** `async`: awaited before the call joins a batch. `sync`: run inside the decision, so it may not wait for anything. */
export type HookMode = (typeof HOOK_MODES)[number];

export const HOOK_FAILURES = ['deny', 'allow'] as const;
/** What becomes of a call when the hook throws, or is too late. */
export type HookFailure = (typeof HOOK_FAILURES)[number];

/** How long an asynchronous `before`, and `authorizeReference`, may take unless the config says otherwise. */
export const HOOK_DEADLINE_MS = 250;

/** `before` as it is run: nothing is unset any more. */
export type Before = {
  readonly run: BeforeHook;
  readonly mode: HookMode;
  /** How long a call waits for an `async` hook; a `sync` one is not waited for. */
  readonly deadlineMs: number;
  readonly onFailure: HookFailure;
};

/** All hooks of a gateway. */
export type Hooks = {
  readonly before: Before | null;
  readonly after: AfterHook | null;
  /** Whether an API key may act for a reference; null: for every customer of its tenant. */
  readonly authorizeReference: AuthorizeReference | null;
};

export const NO_HOOKS: Hooks = { before: null, after: null, authorizeReference: null };

/** A function that is declared `async`: it can't be run inside a decision. */
export const isAsyncFunction = (found: unknown): boolean =>
  Object.prototype.toString.call(found) === '[object AsyncFunction]';
