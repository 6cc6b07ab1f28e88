/** authenticate — from what a request carries to who is asking. */
import { MeterError } from '../domain/errors.ts';
import type { Viewer } from '../domain/viewer.ts';
import type { ApiKeys } from './api-keys.ts';
import type { CustomerTokens } from './customer-token.ts';

export type Authenticator = {
  /**
   * @param authorization `Bearer <API key or customer token>`; absent for nobody.
   * @throws {MeterError} `UNAUTHENTICATED` for a credential that is malformed, unknown, expired or revoked.
   */
  (authorization: string | null | undefined): Promise<Viewer | null>;
};

export function createAuthenticator(keys: ApiKeys, tokens: CustomerTokens): Authenticator {
  return async (authorization) => {
    if (!authorization) return null;
    const credential = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (!credential) throw unauthenticated('The Authorization header must read "Bearer <API key or customer token>".');
    return credential.startsWith('mg_') ? keys.verify(credential) : tokens.verify(credential);
  };
}

export const unauthenticated = (sentence: string): MeterError => new MeterError('UNAUTHENTICATED', sentence);
