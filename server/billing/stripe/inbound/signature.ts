/** signature — whether a notice comes from Stripe, just now. */
import type Stripe from 'stripe';

/** Older notices are taken for ones that somebody has recorded. */
export const TOLERANCE_SECONDS = 300;

/** Why a notice is not taken; `code` is never renamed. */
export type Refusal = { readonly code: keyof typeof REFUSALS; readonly message: string };

const REFUSALS = {
  SIGNATURE_MISSING: 'There is no Stripe-Signature header; only Stripe may send here.',
  SIGNATURE_INVALID:
    'The signature is of another secret or another body; check that STRIPE_WEBHOOK_SECRET is the one of this endpoint, and that nothing on the way changes the body.',
  SIGNATURE_TOO_OLD: `The signature was made more than ${TOLERANCE_SECONDS} seconds ago, or ahead; check the clock, or send the notice again from Stripe.`,
  NOT_AN_EVENT: 'The body is no notice of Stripe: it has no id and no type.',
} as const;

const refused = (code: Refusal['code']): Refusal => ({ code, message: REFUSALS[code] });

export type Notice =
  /** With an object in it, which may be old by now. */
  | { readonly kind: 'snapshot'; readonly event: Stripe.Event }
  /** That says what it is about. */
  | { readonly kind: 'thin'; readonly event: Stripe.V2.Core.EventNotification };

type Signed = { readonly body: Buffer; readonly header: string | undefined };

/**
 * @param secrets Any of them: while they are rotated, two.
 */
export function noticeOf(
  stripe: Stripe,
  { body, header }: Signed,
  secrets: readonly string[],
  nowMs: number,
): Notice | Refusal {
  if (header === undefined || header === '') return refused('SIGNATURE_MISSING');
  const signedAtMs = Number(/(?:^|,)t=(\d{1,12})(?:,|$)/.exec(header)?.[1] ?? Number.NaN) * 1_000;
  const secret = secrets.find((one) => isSignedBy(stripe, { body, header }, one, signedAtMs));
  if (secret === undefined) return refused('SIGNATURE_INVALID');
  if (Math.abs(nowMs - signedAtMs) > TOLERANCE_SECONDS * 1_000) return refused('SIGNATURE_TOO_OLD');
  const text = body.toString('utf8');
  switch (objectOf(text)) {
    case 'event':
      return { kind: 'snapshot', event: stripe.webhooks.constructEventWithoutVerification(text) };
    case 'v2.core.event':
      return { kind: 'thin', event: stripe.parseEventNotificationWithoutVerification(text) };
    default:
      return refused('NOT_AN_EVENT');
  }
}

/** By the secret, whenever it was. */
function isSignedBy(
  { webhooks }: Stripe,
  { body, header }: { readonly body: Buffer; readonly header: string },
  secret: string,
  signedAtMs: number,
): boolean {
  try {
    return webhooks.signature?.verifyHeader(body, header, secret, TOLERANCE_SECONDS, undefined, signedAtMs) ?? false;
  } catch {
    return false; // malformed, or of another secret: it is the same to whoever asks
  }
}

function objectOf(text: string): unknown {
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed !== 'object' || parsed === null) return null;
    const { id, type, object } = parsed as Readonly<Record<string, unknown>>;
    return typeof id === 'string' && typeof type === 'string' ? object : null;
  } catch {
    return null;
  }
}
