/** closed-loop — each connection sends its next request when the last one is answered: how much a server can do. */
import type { NextBody } from './bodies.ts';
import type { Connection } from './connection.ts';
import type { Tally } from './tally.ts';

/** @returns once the tally has ended and every request is answered. */
export async function callInTurn(connections: readonly Connection[], nextBody: NextBody, tally: Tally): Promise<void> {
  await Promise.all(connections.map((connection) => keepCalling(connection, nextBody, tally)));
}

function keepCalling(connection: Connection, nextBody: NextBody, tally: Tally): Promise<void> {
  return new Promise((resolve) => {
    const callNext = () => {
      const body = nextBody();
      const sentAtMs = performance.now();
      connection.send(body, (reply) => {
        tally.count(reply, sentAtMs);
        if (tally.hasEnded) resolve();
        else callNext();
      });
    };
    callNext();
  });
}
