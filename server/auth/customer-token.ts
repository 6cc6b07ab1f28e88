/** customer-token — the JWT by which a browser is one customer: signed here, verified here, nothing stored. */
import { errors, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../domain/clock.ts';
import { MeterError } from '../domain/errors.ts';
import type { CustomerViewer } from '../domain/viewer.ts';

const ISSUER = 'metergraph';
const ALGORITHM = 'HS256';
/** No token lives longer, whoever signed it. */
const LIFETIME_MAX_SECONDS = 900;
/** Longer than any that we sign; refusing more early keeps hostile input cheap. */
const TOKEN_LENGTH_MAX = 32_768;

/** @param viewer Whom the token speaks for. `expiresAtMs` is a whole second, at most 15 minutes from now. */
export function signCustomerToken(
  { tenantId, customerId, referenceId, featureKeys, expiresAtMs }: Omit<CustomerViewer, 'kind'>,
  secret: Uint8Array,
  clock: Clock,
): Promise<string> {
  return new SignJWT({ tenantId, customerId, ...(featureKeys && { featureKeys }) })
    .setProtectedHeader({ alg: ALGORITHM, typ: 'JWT' })
    .setIssuer(ISSUER)
    .setSubject(referenceId)
    .setIssuedAt(Math.floor(clock.now() / 1_000))
    .setExpirationTime(Math.floor(expiresAtMs / 1_000))
    .sign(secret);
}

/** @throws {MeterError} `UNAUTHENTICATED` for a token that is malformed, forged or expired. */
export async function verifyCustomerToken(token: string, secret: Uint8Array, clock: Clock): Promise<CustomerViewer> {
  const { sub, iat, exp, tenantId, customerId, featureKeys = null } = await verifiedPayload(token, secret, clock);
  const isOurs =
    isText(sub) &&
    isText(tenantId) &&
    isText(customerId) &&
    (featureKeys === null || isTextList(featureKeys)) &&
    exp !== undefined &&
    iat !== undefined &&
    exp - iat <= LIFETIME_MAX_SECONDS;
  if (!isOurs) throw unknownToken();
  return { kind: 'customer', tenantId, customerId, referenceId: sub, featureKeys, expiresAtMs: exp * 1_000 };
}

async function verifiedPayload(token: string, secret: Uint8Array, clock: Clock) {
  if (token.length > TOKEN_LENGTH_MAX) throw unknownToken();
  try {
    const options = { issuer: ISSUER, algorithms: [ALGORITHM], currentDate: new Date(clock.now()) };
    return (await jwtVerify(token, secret, options)).payload;
  } catch (error) {
    throw error instanceof errors.JWTExpired ? new ExpiredTokenError() : unknownToken();
  }
}

/** A token that was ours, and whose time is over: its owner gets a new one and comes back. */
class ExpiredTokenError extends MeterError {
  constructor() {
    super('UNAUTHENTICATED', 'The customer token has expired; ask your server for a new one.');
  }
}

/** Whether a refusal says no more than that the token's time is over. */
export const isExpiredToken = (error: unknown): boolean => error instanceof ExpiredTokenError;

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextList = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

const unknownToken = (): MeterError =>
  new MeterError('UNAUTHENTICATED', 'The customer token is not known here; ask your server for a new one.');
