/** signature — the headers by which receivers know a message for ours, as Standard Webhooks has them. */
import { Webhook } from 'standardwebhooks';

/** While a secret is replaced there are several, and the receiver needs to know one. */
export function signedHeaders(
  { id, body }: { readonly id: string; readonly body: string },
  secrets: readonly string[],
  nowMs: number,
): Record<string, string> {
  const at = new Date(nowMs);
  return {
    'webhook-id': id,
    'webhook-timestamp': Math.floor(nowMs / 1_000).toString(),
    'webhook-signature': secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(' '),
  };
}
