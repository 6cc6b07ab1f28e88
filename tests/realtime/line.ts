/** line — the network between a client and a gateway: an address of its own, which a test may cut and mend. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { afterUse } from '../support/after-use.ts';

export type Line = {
  /** Where the client finds the gateway. */
  readonly url: string;
  /** Drops every connection without a word, and takes none. */
  cut(): void;
  mend(): void;
  /** From the next connection on it leads to another gateway. */
  lead(target: string): void;
};

/** @param target URL of the gateway. */
export async function openLine(target: string): Promise<Line> {
  let { hostname, port } = new URL(target);
  const sockets = new Set<Socket>();
  let isCut = false;
  const server = createServer((near) => {
    if (isCut) return void near.destroy();
    const far = connect(Number(port), hostname);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => {}); // a reset is told by its close
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  const dropAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  await once(server.listen(0, '127.0.0.1'), 'listening');
  afterUse(async () => {
    dropAll();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the line has no port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    cut: () => {
      isCut = true;
      dropAll();
    },
    mend: () => {
      isCut = false;
    },
    lead: (other) => {
      ({ hostname, port } = new URL(other));
    },
  };
}
