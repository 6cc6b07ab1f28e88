/** loopback — a server that is no gateway, on a free port, told to the process that measures. */
import type { Server } from 'node:http';

export function listenOnLoopback(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (typeof address === 'object' && address) process.send?.({ url: `http://127.0.0.1:${address.port}` });
  });
}
