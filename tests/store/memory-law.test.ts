/**
 * Goal: the memory changes what an answer costs, never the answer. Method: the same happens to two tenants, one of whose
 * gateways remembers and the other's does not; everything that callers are answered and watchers are told is equal, and in the end every row.
 * Between the calls of the gateway that is looked at, another one and the actions change what it may remember.
 */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { MEMORY_DEFAULTS, Memory } from '../../server/metering/memory.ts';
import { describeEngines } from '../support/engines.ts';
import { expectConsistent } from './promises.ts';
import { addModel, Twin } from './twin.ts';
import { type Plot, plot } from './twin-plots.ts';

/** A transaction takes PGlite three times as long. */
const RUNS = { pglite: 6, postgres: 12 };
/** A failure is made shorter for so long at most. */
const ENOUGH_MS = 25_000;

/** The database with an ear at the engine's lane: how many transactions began with nobody being read. */
function listening(database: Database, heard: { guessed: number }): Database {
  const transact: Database['lane']['transact'] = (first, second) => {
    if (first.length === 0) heard.guessed += 1;
    return database.lane.transact(first, second);
  };
  return { ...database, lane: { transact, reset: () => database.lane.reset() } };
}

/** The usual one, or one into which hardly anybody fits. */
const sizes = fc.constantFrom(MEMORY_DEFAULTS.sizeMax, MEMORY_DEFAULTS.sizeMax, 12);

describeEngines('a gateway that remembers', (engine) => {
  it('answers as one that does not, and leaves the same', { timeout: 60_000 }, async () => {
    const heard = { guessed: 0 };
    const databases = [listening(await engine.open(), heard), await engine.open()] as const;
    const models = [await addModel(databases[0]), await addModel(databases[1])] as const;
    const isAlike = async ({ batchSizeMax, scenes }: Plot, sizeMax: number): Promise<void> => {
      const tenantId = randomUUID();
      const twin = (i: 0 | 1, memory: Memory) =>
        Twin.begin(databases[i], models[i], tenantId, { memory, engine: { batchSizeMax } });
      const one = await twin(0, new Memory({ sizeMax, contestedMs: 1 })); // else it would soon remember nobody
      const other = await twin(1, new Memory({ sizeMax: 0 }));
      for (const scene of scenes) {
        expect(await one.live(scene)).toEqual(await other.live(scene));
        expect(one.told()).toEqual(other.told());
      }
      expect(await one.rows()).toEqual(await other.rows());
    };
    await fc.assert(fc.asyncProperty(plot, sizes, isAlike), {
      numRuns: RUNS[engine.name],
      interruptAfterTimeLimit: ENOUGH_MS,
    });
    expect(heard.guessed).toBeGreaterThan(0); // or this would say nothing of guesses
    for (const database of databases) await expectConsistent(database);
  });
});
