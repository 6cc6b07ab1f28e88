/** redis — a Redis of the run's own, if there is one on this machine: on loopback, in a folder of its own, keeping nothing. */
import { existsSync, mkdirSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type Child, freePort, startedOrEnded, startProgram } from '../children.ts';

export type RedisServer = Child & { readonly port: number };

/** Null where PATH has none. */
export function redisProgram(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.map((folder) => join(folder, 'redis-server')).find((file) => existsSync(file)) ?? null;
}

/** @param folder Of the run; what Redis writes, if anything, goes into a folder there. */
export async function startRedis(program: string, folder: string): Promise<RedisServer> {
  const port = await freePort();
  const dir = join(folder, 'redis');
  mkdirSync(dir);
  // Neither snapshots nor a log: it is here to be as fast as it can be, and it is said that it forgets.
  const settings = { port, bind: '127.0.0.1', dir, save: '', appendonly: 'no' };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = startProgram('leashed', folder, {}, [program, ...args]);
  await startedOrEnded(child, async (signal) => {
    while (!(await answers(port))) await sleep(50, undefined, { signal });
  });
  return { ...child, port };
}

async function answers(port: number): Promise<boolean> {
  try {
    return await withRedis(port, async (redis) => (await redis.ping()) === 'PONG');
  } catch {
    return false; // it does not listen yet
  }
}

/** The sum of all counters. */
export const countedIn = (port: number): Promise<number> =>
  withRedis(port, async (redis) => {
    const keys = await redis.keys('*');
    const values = keys.length === 0 ? [] : await redis.mget(keys);
    return values.reduce((sum, value) => sum + Number(value), 0);
  });

async function withRedis<T>(port: number, work: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(port, '127.0.0.1', { lazyConnect: true, retryStrategy: () => null });
  redis.on('error', () => {}); // heard by whoever waits for the answer
  try {
    await redis.connect();
    return await work(redis);
  } finally {
    redis.disconnect();
  }
}
