/** credentials — the one to send now, and a new one when it was refused. */
import { MetergraphError } from './errors.ts';
import type { Clock, Credentials } from './option-types.ts';

export interface CredentialSource {
  /** False for an API key: asking again would give the same. */
  readonly renewable: boolean;
  /** The last token that was not refused; asks for the first one. */
  current(): Promise<string>;
  /**
   * A new token. Those who ask at the same time share one call of `getToken`, and who was refused with a token that has
   * been replaced meanwhile gets its successor.
   *
   * @throws {MetergraphError} UNAUTHENTICATED when `getToken` failed, or gave nothing for 8 s; retryable, for its network
   *   may come back.
   */
  renew(refused?: string): Promise<string>;
}

/** For one answer of `getToken`. Less than what a call or a connection is given, so that these can tell the cause. */
const TOKEN_TIMEOUT_MS = 8_000;

export function credentialSource({ apiKey, getToken }: Credentials, clock: Clock): CredentialSource {
  if (getToken) return tokenSource(getToken, clock);
  const key = Promise.resolve(apiKey);
  return { renewable: false, current: () => key, renew: () => key };
}

function tokenSource(getToken: () => string | Promise<string>, clock: Clock): CredentialSource {
  let token: string | undefined;
  let asking: Promise<string> | undefined;

  const ask = async () => {
    const answered = new AbortController();
    try {
      token = checked(await Promise.race([getToken(), tooLate(clock, answered.signal)]));
      return token;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new MetergraphError('UNAUTHENTICATED', `getToken() failed: ${why}`, { retryable: true, cause });
    } finally {
      answered.abort();
    }
  };
  const renew = async (refused?: string) => {
    if (refused !== undefined && token !== undefined && token !== refused) return token;
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
  return { renewable: true, current: async () => token ?? renew(), renew };
}

async function tooLate(clock: Clock, answered: AbortSignal): Promise<never> {
  await clock.sleep(TOKEN_TIMEOUT_MS, answered);
  throw new Error(`no answer within ${TOKEN_TIMEOUT_MS / 1_000} s`);
}

function checked(token: unknown): string {
  if (typeof token === 'string' && token !== '') return token;
  throw new TypeError('it gave no token');
}
