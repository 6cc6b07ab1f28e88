/** credentials — the one to send now, and a new one when it was refused. */
import { MetergraphError } from './errors.ts';
import type { Credentials } from './types.ts';

export interface CredentialSource {
  /** False for an API key: asking again would give the same. */
  readonly renewable: boolean;
  /** The last token that was not refused; asks for the first one. */
  current(): Promise<string>;
  /**
   * A new token. Those who ask at the same time share one call of `getToken`, and who was refused with a token that has
   * been replaced meanwhile gets its successor.
   *
   * @throws {MetergraphError} UNAUTHENTICATED when `getToken` failed; retryable, for its network may come back.
   */
  renew(refused?: string): Promise<string>;
}

export function credentialSource({ apiKey, getToken }: Credentials): CredentialSource {
  if (getToken) return tokenSource(getToken);
  const key = Promise.resolve(apiKey);
  return { renewable: false, current: () => key, renew: () => key };
}

function tokenSource(getToken: () => string | Promise<string>): CredentialSource {
  let token: string | undefined;
  let asking: Promise<string> | undefined;

  const ask = async () => {
    try {
      token = checked(await getToken());
      return token;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new MetergraphError('UNAUTHENTICATED', `getToken() failed: ${why}`, { retryable: true, cause });
    } finally {
      asking = undefined;
    }
  };
  const renew = async (refused?: string) => {
    if (refused !== undefined && token !== undefined && token !== refused) return token;
    asking ??= ask();
    return asking;
  };
  return { renewable: true, current: async () => token ?? renew(), renew };
}

function checked(token: unknown): string {
  if (typeof token === 'string' && token !== '') return token;
  throw new TypeError('it gave no token');
}
