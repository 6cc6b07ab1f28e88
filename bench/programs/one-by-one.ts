/**
 * one-by-one — the same decision with one transaction per request, as most servers would do it: the gateway's engine
 * with batches of one, once for each connection of a pool. A request takes an idle connection, or waits for one.
 */
import './leash.ts';
import type { HookedEngine } from '../../server/hooks/hooked-engine.ts';
import type { Request, ResultOf } from '../../server/metering/requests.ts';
import { createGateway, listen, openDatabase } from './parts.ts';

/** What pools of Postgres connections commonly have. */
const CONNECTIONS = Number(process.env.BENCH_CONNECTIONS ?? 10);

const engines = await Promise.all(
  Array.from({ length: CONNECTIONS }, async () => {
    const { services } = await createGateway(openDatabase(), { batchSizeMax: 1 });
    return services.engine;
  }),
);
const idle = [...engines];
const waiting: ((engine: HookedEngine) => void)[] = [];

const takeIdle = (): Promise<HookedEngine> => {
  const engine = idle.pop();
  return engine ? Promise.resolve(engine) : new Promise((resolve) => waiting.push(resolve));
};

function giveBack(engine: HookedEngine): void {
  const next = waiting.shift();
  if (next) next(engine);
  else idle.push(engine);
}

// Each transaction notifies other gateways, as a batch does; this one need not hear what it has said itself.
const door = await createGateway({ ...openDatabase(), listen: null });
door.services.engine.execute = async <R extends Request>(request: R): Promise<ResultOf<R>> => {
  const engine = await takeIdle();
  try {
    return await engine.execute(request);
  } finally {
    giveBack(engine);
  }
};

await listen(door);
