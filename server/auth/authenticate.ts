/** authenticate — from what a request carries to who is asking. */
import type { Clock } from '../domain/clock.ts';
import { MeterError } from '../domain/errors.ts';
import type { Viewer } from '../domain/viewer.ts';
import type { ApiKeys } from './api-keys.ts';
import { verifyCustomerToken } from './customer-token.ts';

/**
 * @param authorization `Bearer <API key or customer token>`; absent for nobody.
 * @throws {MeterError} `UNAUTHENTICATED` for a credential that is malformed, unknown, expired or revoked.
 */
export type Authenticate = (authorization: string | null | undefined) => Promise<Viewer | null>;

export function createAuthenticate(keys: ApiKeys, tokenSecret: Uint8Array, clock: Clock): Authenticate {
  return async (authorization) => {
    if (!authorization) return null;
    const credential = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (!credential) throw malformed();
    return credential.startsWith('mg_') ? keys.verify(credential) : verifyCustomerToken(credential, tokenSecret, clock);
  };
}

const malformed = (): MeterError =>
  new MeterError('UNAUTHENTICATED', 'The Authorization header must read "Bearer <API key or customer token>".');
