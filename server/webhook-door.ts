/** webhook-door — where Stripe sends its notices: the body as bytes, since the signature is of them. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { errorOf, WEBHOOK_BYTES_MAX, type WebhookAnswer } from './billing/stripe/inbound/webhook.ts';
import type { Handler } from './http.ts';

/** @param receive Null where there is no Stripe. */
export const createWebhookDoor =
  (receive: ((body: Buffer, signature: string | undefined) => Promise<WebhookAnswer>) | null): Handler =>
  async (request, response) => {
    if (receive === null) {
      const sentence =
        'This gateway takes no notices of Stripe; start it with STRIPE_SECRET_KEY and STRIPE_WEBHOOK_SECRET.';
      return refuse(request, response, 404, errorOf('BILLING_DISABLED', sentence));
    }
    if (request.method !== 'POST') {
      response.setHeader('Allow', 'POST');
      return refuse(request, response, 405, errorOf('METHOD_NOT_ALLOWED', 'Notices are sent with POST.'));
    }
    const body = await boundedBody(request);
    if (body === null) {
      const sentence = `The body is longer than ${WEBHOOK_BYTES_MAX} bytes, which no notice is.`;
      return refuse(request, response, 413, errorOf('BODY_TOO_LARGE', sentence));
    }
    const header = request.headers['stripe-signature'];
    const answer = await receive(body, Array.isArray(header) ? header.join(',') : header);
    send(response, answer.status, answer.body);
  };

/** @returns null where it is too long; what is left of it is not read. */
async function boundedBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > WEBHOOK_BYTES_MAX) return null;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Nothing more is read of what is not wanted. */
function refuse(request: IncomingMessage, response: ServerResponse, status: number, body: object): void {
  response.setHeader('Connection', 'close');
  send(response, status, body);
  request.resume();
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  const headers = { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': Buffer.byteLength(text) };
  response.writeHead(status, headers).end(text);
}
