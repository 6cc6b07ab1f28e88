/** Goal: an exact port or none, and without one the next that is free. Method: take real ports. */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { DEFAULT_PORT } from './config.ts';
import { findPort } from './port.ts';

const HOST = '127.0.0.1';
const taken: Server[] = [];
afterEach(() => {
  for (const server of taken.splice(0)) server.close();
});

/** @returns the port, or null where somebody else has it. */
async function take(port: number): Promise<number | null> {
  const server = createServer();
  const outcome = Promise.race([once(server, 'listening').then(() => true), once(server, 'error').then(() => false)]);
  server.listen(port, HOST);
  if (!(await outcome)) return null;
  taken.push(server);
  const address = server.address();
  return typeof address === 'object' && address ? address.port : null;
}

it('passes over ports that are taken', async () => {
  await take(DEFAULT_PORT); // by us, or by somebody else
  const port = await findPort(HOST, null);
  expect(port).toBeGreaterThan(DEFAULT_PORT);
  expect(await take(port)).toBe(port);
  expect(await findPort(HOST, null)).toBeGreaterThan(port);
});

it('takes an exact port, or says who has it', async () => {
  expect(await findPort(HOST, 0)).toBe(0);
  const port = (await take(0)) ?? 0;
  await expect(findPort(HOST, port)).rejects.toThrow(
    `Port ${port} of 127.0.0.1 is in use by another process. Choose another with PORT or --port, or set none.`,
  );
});

it('refuses an address of another machine', async () => {
  await expect(findPort('192.0.2.1', null)).rejects.toThrow('192.0.2.1 is no address of this machine; set HOST');
});
