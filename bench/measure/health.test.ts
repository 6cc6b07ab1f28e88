/** Goal: a server that stands still is said to, by all who would have come meanwhile. Method: a server that holds answers. */
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { askingHealth } from './health.ts';

async function serving(answer: RequestListener): Promise<string> {
  const server = createServer(answer).listen(0, '127.0.0.1');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on a port
  return `http://127.0.0.1:${port}`;
}

/** Work that is done when it is said to be. */
function work() {
  let finish: (result: string) => void = () => {};
  const done = new Promise<string>((resolve) => {
    finish = resolve;
  });
  return { done, finish };
}

it('asks for health, again and again, until the work is done', async () => {
  const { done, finish } = work();
  const paths: (string | undefined)[] = [];
  const url = await serving(({ url: path }, response) => {
    if (paths.push(path) === 5) finish('the result');
    response.end();
  });
  const [result, { p50Ms, p99Ms }] = await askingHealth(url, 0, done);
  expect(result).toBe('the result');
  expect(paths).toEqual(Array.from({ length: 5 }, () => '/healthz'));
  expect(p50Ms).toBeGreaterThan(0);
  expect(p99Ms).toBeGreaterThanOrEqual(p50Ms);
});

it('one answer that took 100 ms is the wait of ten, not of one', async () => {
  const { done, finish } = work();
  let asked = 0;
  const url = await serving((_, response) => {
    asked += 1;
    if (asked === 1) setTimeout(() => response.end(), 100);
    else response.end();
    if (asked === 3) finish('done');
  });
  const [, { p50Ms, p99Ms }] = await askingHealth(url, 0, done);
  expect(p99Ms).toBeGreaterThanOrEqual(99);
  expect(p50Ms).toBeGreaterThanOrEqual(30); // of the first's ten, five have waited for 50 ms and more; two were quick
});

it('nobody has waited where the work was done before the first was due', async () => {
  const url = await serving((_, response) => response.end());
  const [result, waits] = await askingHealth(url, 60_000, Promise.resolve('done'));
  expect([result, waits]).toEqual(['done', { p50Ms: Number.NaN, p99Ms: Number.NaN }]);
});

it('a server that is not well ends the row', async () => {
  const url = await serving((_, response) => response.writeHead(503).end());
  await expect(askingHealth(url, 0, work().done)).rejects.toThrow('/healthz answered 503');
});

it('says why the work failed', async () => {
  const url = await serving((_, response) => response.end());
  await expect(askingHealth(url, 0, Promise.reject(new Error('no reply')))).rejects.toThrow('no reply');
});
