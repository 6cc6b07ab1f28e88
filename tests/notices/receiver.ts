/** receiver — a server on loopback that webhooks are sent to: what it heard, and how it answers. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { vi } from 'vitest';
import { afterUse } from '../support/after-use.ts';

export type Heard = { readonly headers: IncomingHttpHeaders; readonly body: string; readonly path: string };

export type Receiver = {
  readonly url: string;
  readonly heard: Heard[];
  /** How it answers from now on: a status, or by hand. */
  answer(how: number | ((response: ServerResponse) => void)): void;
  /** When it has heard so many in all. */
  hears(count: number): Promise<void>;
  /** How many have connected in all, whatever they said. */
  connected(): number;
};

export async function openReceiver(): Promise<Receiver> {
  const heard: Heard[] = [];
  const waiting = new Set<() => void>();
  let connected = 0;
  let how: number | ((response: ServerResponse) => void) = 204;
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += String(chunk);
    heard.push({ headers: request.headers, body, path: request.url ?? '' });
    if (typeof how === 'number') response.writeHead(how).end();
    else how(response);
    for (const look of waiting) look();
  });
  server.on('connection', () => {
    connected += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterUse(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    heard,
    answer: (next) => {
      how = next;
    },
    hears: (count) =>
      new Promise((resolve) => {
        const look = () => {
          if (heard.length < count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    connected: () => connected,
  };
}

/**
 * What a message says, if the official verifier takes it by this secret. It asks the real clock how old the message is; the
 * clocks of tests are moved, so it is told the time at which the message was sent.
 */
export function verified(secret: string, headers: IncomingHttpHeaders, body: string): unknown {
  const now = vi.spyOn(Date, 'now').mockReturnValue(Number(headers['webhook-timestamp']) * 1_000);
  try {
    return new Webhook(secret).verify(body, headers as Record<string, string>);
  } finally {
    now.mockRestore();
  }
}
