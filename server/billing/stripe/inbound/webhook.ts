/** webhook — what Stripe sends, from a signed body to an answer. It is answered well only when all is committed. */
import { handleEvent, handleThinNotice, type InboxDeps } from './inbox.ts';
import { noticeOf } from './signature.ts';

export type WebhookAnswer = {
  readonly status: 200 | 400 | 503;
  readonly body: Readonly<Record<string, unknown>>;
};

export type WebhookDeps = InboxDeps & {
  /** Of the endpoint; two while they are rotated. */
  readonly secrets: readonly string[];
  readonly onError: (error: unknown) => void;
};

/** Bigger than any notice. */
export const WEBHOOK_BYTES_MAX = 1_048_576;

/** @param body As it was sent: the signature is of its bytes. */
export async function receiveWebhook(
  deps: WebhookDeps,
  body: Buffer,
  header: string | undefined,
): Promise<WebhookAnswer> {
  const notice = noticeOf(deps.stripe, { body, header }, deps.secrets, deps.clock.now());
  if ('code' in notice) return { status: 400, body: errorOf(notice.code, notice.message) };
  try {
    const result =
      notice.kind === 'snapshot'
        ? await handleEvent(deps, notice.event, notice.event.account ?? null)
        : await handleThinNotice(deps, notice.event);
    return { status: 200, body: { received: true, result } };
  } catch (error) {
    deps.onError(error);
    const sentence = 'The notice could not be handled now; send it again.';
    return { status: 503, body: errorOf('UNAVAILABLE', sentence) };
  }
}

export const errorOf = (code: string, message: string) => ({ errors: [{ message, extensions: { code } }] });
