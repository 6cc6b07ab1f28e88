/** authorize — whether an API key may act for a reference, as the app says. Only `true` lets it. */
import type { Refusal } from '../domain/hook.ts';
import { type AuthorizeCall, HOOK_DEADLINE_MS, type Hooks } from '../hooks.ts';
import type { Complain } from './complaints.ts';
import { DeadlineError, inTime, type Schedule } from './in-time.ts';

export type AuthorizeDeps = { readonly complain: Complain; readonly schedule?: Schedule };

/** @returns null when the key may; never rejects. */
export type Authorize = (call: AuthorizeCall) => Promise<Refusal | null>;

/** @returns null where the config doesn't ask: a key then may act for every customer of its tenant. */
export function authorizer(
  { authorizeReference }: Pick<Hooks, 'authorizeReference'>,
  { complain, schedule }: AuthorizeDeps,
): Authorize | null {
  if (authorizeReference === null) return null;
  return async (call) => {
    const refusal: Refusal = { reason: 'NOT_AUTHORIZED', message: notAuthorized(call) };
    try {
      const answer: unknown = await inTime(() => authorizeReference(call), HOOK_DEADLINE_MS, schedule);
      if (answer === true) return null;
      if (answer !== false) complain('authorize-answer', NO_ANSWER, { answered: typeof answer });
      return refusal;
    } catch (error) {
      if (error instanceof DeadlineError) complain('authorize-late', LATE);
      else complain('authorize-threw', THREW, { err: error });
      return refusal;
    }
  };
}

const notAuthorized = ({ apiKey, referenceId }: AuthorizeCall): string =>
  `API key ${apiKey.id} may not act for "${referenceId}"; use a key that may, or allow it in the config's authorizeReference.`;

const NO_ANSWER =
  'authorizeReference answered neither true nor false, and the call was refused; return true to let the key act for the reference.';
const LATE = `authorizeReference did not answer within ${HOOK_DEADLINE_MS} ms, and the call was refused; make it faster, for instance by remembering its answers.`;
const THREW = 'authorizeReference threw an error, and the call was refused; return false to refuse.';
