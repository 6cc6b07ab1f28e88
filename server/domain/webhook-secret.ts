/**
 * webhook-secret — by what receivers know that a webhook is ours: `whsec_` and base64, as Standard Webhooks has it. Pure.
 *
 * While one is replaced, both sign, so that the receiver may change over whenever it likes within the overlap.
 */

/** A secret, and when it ends; null for the one that stays. */
export type WebhookSecret = { readonly secret: string; readonly endsAtMs: number | null };

export const ROTATION_OVERLAP_MS = 24 * 3_600_000;

/** How many sign at once: whoever rotates more often than their receiver follows has lost the oldest. */
export const SECRETS_MAX = 3;

const SECRET_BYTES = 32;

/** @param randomBytes A cryptographic source: `node:crypto`'s. */
export const newWebhookSecret = (randomBytes: (count: number) => Uint8Array): string =>
  `whsec_${Buffer.from(randomBytes(SECRET_BYTES)).toString('base64')}`;

/** The newest first, and no more than may be; the one of until now ends with the overlap, none lives longer than it was to. */
export const rotated = (secrets: readonly WebhookSecret[], secret: string, nowMs: number): readonly WebhookSecret[] => [
  { secret, endsAtMs: null },
  ...secretsAt(secrets, nowMs)
    .slice(0, SECRETS_MAX - 1)
    .map((known) => ({
      ...known,
      endsAtMs: Math.min(known.endsAtMs ?? Number.POSITIVE_INFINITY, nowMs + ROTATION_OVERLAP_MS),
    })),
];

/** Those that sign at an instant. */
export const secretsAt = (secrets: readonly WebhookSecret[], nowMs: number): readonly WebhookSecret[] =>
  secrets.filter(({ endsAtMs }) => endsAtMs === null || nowMs < endsAtMs);
