/** peer-door — as little HTTP as `hello` has, before somebody else's library: reads the call, asks, answers. */
import { createServer } from 'node:http';
import { listenOnLoopback } from './loopback.ts';

/** @returns whether the customer may. */
export type Ask = (referenceId: string, idempotencyKey: string) => Promise<boolean>;

const ALLOWED = JSON.stringify({ data: { consume: { allowed: true } } });
const DENIED = JSON.stringify({ data: { consume: { allowed: false } } });

type Call = {
  readonly variables: { readonly input: { readonly referenceId: string; readonly idempotencyKey: string } };
};

/** Listens on loopback, and tells the process that measures. */
export function servePeer(ask: Ask): void {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    const answer = (status: number, body: string) =>
      response
        .writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
        .end(body);
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      const { input } = (JSON.parse(Buffer.concat(chunks).toString()) as Call).variables; // the load sends nothing else
      ask(input.referenceId, input.idempotencyKey).then(
        (isAllowed) => answer(200, isAllowed ? ALLOWED : DENIED),
        (error: unknown) => answer(500, JSON.stringify({ errors: [{ message: String(error) }] })),
      );
    });
  });
  listenOnLoopback(server);
}
