/** quiet — waits for other processes to leave the machine alone, as long as there is patience. */
import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { cpuMsOfMachine } from './cpu.ts';

const LOOK_MS = 250;
/** The servers of a run are idle while it waits; what little they do is within this. */
const BUSY_SHARE_MAX = 0.1;

/** @param patienceMs To be spent in all, over every call of the function that is returned. */
export function quietAwaiter(patienceMs: number): () => Promise<void> {
  let leftMs = patienceMs;
  return async () => {
    while (leftMs > 0) {
      const busy = await busyShare();
      leftMs -= LOOK_MS;
      if (busy <= BUSY_SHARE_MAX) return;
    }
  };
}

/** Of the whole machine, over a moment from now; 0 where the system does not tell. */
async function busyShare(): Promise<number> {
  const [before, startedAtMs] = [cpuMsOfMachine(), performance.now()];
  await sleep(LOOK_MS);
  const after = cpuMsOfMachine();
  if (before === null || after === null) return 0;
  return (after - before) / ((performance.now() - startedAtMs) * availableParallelism());
}
