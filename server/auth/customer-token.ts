/** customer-token — the JWT by which a browser is one customer: signed here, verified here, nothing stored. */
import { errors, jwtVerify, SignJWT } from 'jose';
import type { Clock } from '../domain/clock.ts';
import { MeterError } from '../domain/errors.ts';
import type { CustomerViewer } from '../domain/viewer.ts';

const ISSUER = 'metergraph';
const ALGORITHM = 'HS256';
/** No token lives longer, whoever signed it. */
const LIFETIME_MAX_SECONDS = 900;
/** Long enough for every token we sign that a page could carry; refusing more early keeps hostile input cheap. */
const TOKEN_LENGTH_MAX = 16_384;

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

/** @throws {MeterError} `UNAUTHENTICATED` for a token that is malformed, forged or expired; see `isExpiredToken`. */
export async function verifyCustomerToken(token: string, secret: Uint8Array, clock: Clock): Promise<CustomerViewer> {
  const payload = await verifiedPayload(token, secret, clock);
  const { sub, tenantId, customerId, featureKeys = null, exp, iat } = payload;
  const isOurs =
    isText(sub) &&
    isText(tenantId) &&
    isText(customerId) &&
    (featureKeys === null || isTextList(featureKeys)) &&
    exp !== undefined &&
    iat !== undefined &&
    exp - iat <= LIFETIME_MAX_SECONDS;
  if (!isOurs) throw unauthenticated();
  return { kind: 'customer', tenantId, customerId, referenceId: sub, featureKeys, expiresAtMs: exp * 1_000 };
}

async function verifiedPayload(token: string, secret: Uint8Array, clock: Clock) {
  if (token.length > TOKEN_LENGTH_MAX) throw unauthenticated();
  try {
    const { payload } = await jwtVerify(token, secret, {
      issuer: ISSUER,
      algorithms: [ALGORITHM],
      currentDate: new Date(clock.now()),
      requiredClaims: ['sub', 'iat', 'exp', 'tenantId', 'customerId'],
    });
    return payload;
  } catch (error) {
    throw error instanceof errors.JWTExpired ? new ExpiredTokenError() : unauthenticated();
  }
}

/** A token of ours whose time is over: a new one would do. */
class ExpiredTokenError extends MeterError {
  constructor() {
    super('UNAUTHENTICATED', 'The customer token has expired; ask your server for a new one.');
  }
}

export const isExpiredToken = (error: unknown): boolean => error instanceof ExpiredTokenError;

const isText = (value: unknown): value is string => typeof value === 'string';
const isTextList = (value: unknown): value is string[] => Array.isArray(value) && value.every(isText);

const unauthenticated = (): MeterError =>
  new MeterError('UNAUTHENTICATED', 'The customer token is not valid here; ask your server for a new one.');
