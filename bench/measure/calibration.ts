/** calibration — how long the same work takes now: the measure of the machine itself, and of who else is using it. */
import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

const REPEATS = 3;

/** Plain arithmetic that fits the first cache; about 60 ms on a current server core. */
const WORK = `
  const { parentPort } = require('node:worker_threads');
  const run = () => {
    const startedAt = performance.now();
    let x = 1;
    for (let i = 0; i < 60_000_000; i += 1) x = (Math.imul(x, 1_664_525) + 1_013_904_223) | 0;
    return [performance.now() - startedAt, x];
  };
  run();
  parentPort.postMessage(run()[0]);
`;

/** Milliseconds on every core at once, averaged; the median of a few goes. */
export async function calibrate(): Promise<number> {
  const goes: number[] = [];
  for (let i = 0; i < REPEATS; i += 1) {
    const perCore = await Promise.all(Array.from({ length: availableParallelism() }, workOnce));
    goes.push(perCore.reduce((sum, ms) => sum + ms, 0) / perCore.length);
  }
  return goes.sort((a, b) => a - b)[Math.floor(REPEATS / 2)] ?? Number.NaN;
}

function workOnce(): Promise<number> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(WORK, { eval: true });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}
