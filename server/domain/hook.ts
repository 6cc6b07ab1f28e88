/**
 * hook — the app's own word on a call: what it is told inside the decision, and how a refusal from outside joins it.
 *
 * `NOT_AUTHORIZED` comes before everything that `decide` looks at, `REFUSED_BY_HOOK` after it: see `DENIAL_REASONS`.
 */
import type { Allowed, Hook } from './decision.ts';
import type { Denial } from './denial.ts';
import type { UsageRequest } from './meter-state.ts';
import type { Usage } from './usage.ts';

/** What a hook inside the decision is told. */
export type HookContext = {
  /** The meter as the decision finds it: exact, without this call. */
  readonly usage: Usage;
  /** What the decision is about to do. */
  readonly proposal: Allowed;
  readonly request: HookRequest;
};

/** The call, as a hook may see it. */
export type HookRequest = Pick<UsageRequest, 'purpose' | 'amount'> & {
  readonly entityId: string | null;
  /** As JSON text, or null. */
  readonly properties: string | null;
  readonly idempotencyKey: string | null;
};

/** Refuses a proposal with a sentence, or lets it pass with null. Never throws. */
export type BeforeDecision = (context: HookContext) => string | null;

/** A refusal that was known before the call joined its batch; it travels with the request, so that replays come first. */
export type Refusal = {
  readonly reason: 'NOT_AUTHORIZED' | 'REFUSED_BY_HOOK';
  readonly message: string;
};

/** The denial that is to be answered in place of any decision. */
export const refusedOutright = (refusal: Refusal | null): Denial | null =>
  refusal?.reason === 'NOT_AUTHORIZED' ? { ...refusal, retryAtMs: null } : null;

/** The hook to hand to `decide`: a refusal that was brought along has the last word, else what is asked now. */
export function lastWord(refusal: Refusal | null, hook: Hook | null): Hook | null {
  return refusal?.reason === 'REFUSED_BY_HOOK' ? () => refusal.message : hook;
}
