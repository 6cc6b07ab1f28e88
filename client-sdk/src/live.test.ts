import { once } from 'node:events';
import { expect, it } from 'vitest';
import { calling } from './live.ts';

it('what a handler throws reaches the platform, and not who called it', async () => {
  const listeners = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException'); // the test runner's
  try {
    const uncaught = once(process, 'uncaughtException');
    calling(() => {
      throw new Error("the app's own");
    });
    await expect(uncaught).resolves.toMatchObject([{ message: "the app's own" }, 'uncaughtException']);
  } finally {
    for (const listener of listeners) process.on('uncaughtException', listener);
  }
});
