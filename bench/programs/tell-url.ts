/** tell-url — opens a free port on loopback and tells the process that measures. */
import type { Server } from 'node:http';

export function tellUrl(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    if (typeof address === 'object' && address) process.send?.({ url: `http://127.0.0.1:${address.port}` });
  });
}
