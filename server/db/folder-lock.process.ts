/** folder-lock.process — a process of its own that takes a folder's lock when told to; for the tests of the lock. */
import { acquireFolderLock, type FolderLock } from './folder-lock.ts';

const dataDir = process.argv[2] ?? '';
let lock: FolderLock | undefined;

const orders: Record<string, (argument: string) => unknown> = {
  acquire: async () => {
    try {
      lock = await acquireFolderLock(dataDir);
      return { acquired: true, pid: process.pid };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      return { acquired: false, code, message: String(error) };
    }
  },
  publish: (url) => lock?.publishUrl(url),
  release: () => lock?.release(),
  block: () => {
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)); // until it is killed
  },
};

process.on('message', async (message) => {
  const [order = '', argument = ''] = String(message).split(' ');
  process.send?.((await orders[order]?.(argument)) ?? 'done');
});
process.send?.('ready');
