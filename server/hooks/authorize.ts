/** authorize — whether an API key may act for a reference, as the app says. Only `true` lets it. */
import type { Refusal } from '../domain/hook.ts';
import type { ApiKeyViewer } from '../domain/viewer.ts';
import { HOOK_DEADLINE_MS, type Hooks } from '../hooks.ts';
import type { Complain } from './complaints.ts';
import { DeadlineError, inTime, type Schedule } from './in-time.ts';

export type AuthorizeDeps = { readonly complain: Complain; readonly schedule?: Schedule };

/** @returns null when the key may; never rejects. */
export type Authorize = (viewer: ApiKeyViewer, referenceId: string) => Promise<Refusal | null>;

/** @returns what to ask; null where the config doesn't: a key then may act for every customer of its tenant. */
export function authorizer(
  { authorizeReference }: Pick<Hooks, 'authorizeReference'>,
  { complain, schedule }: AuthorizeDeps,
): Authorize | null {
  if (authorizeReference === null) return null;
  return async ({ keyId, name, scopes }, referenceId) => {
    const call = { apiKey: { id: keyId, name, scopes: [...scopes] }, referenceId };
    const refusal: Refusal = { reason: 'NOT_AUTHORIZED', message: notAuthorized(keyId, referenceId) };
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

const notAuthorized = (keyId: string, referenceId: string): string =>
  `API key ${keyId} may not act for "${referenceId}"; use a key that may, or allow it in the config's authorizeReference.`;

const NO_ANSWER =
  'authorizeReference answered neither true nor false, and the call was refused; return true to let the key act for the reference.';
const LATE = `authorizeReference did not answer within ${HOOK_DEADLINE_MS} ms, and the call was refused; make it faster, for instance by remembering its answers.`;
const THREW = 'authorizeReference threw an error, and the call was refused; return false to refuse.';
