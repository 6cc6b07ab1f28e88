/**
 * Goal: as of lives-new.test.ts. Method: the same lives each time, so that a change of the engine is told from a new seed.
 */
import { expect, it } from 'vitest';
import { openPglite } from '../../server/db/pglite.ts';
import { afterUse } from '../support/after-use.ts';
import { migratedFolder } from '../support/engines.ts';
import { liveManyTimes } from './runs.ts';

it('answers as the model does, in 100 lives of about 100 steps', { timeout: 300_000 }, async () => {
  const database = await openPglite(await migratedFolder());
  afterUse(() => database.close());
  const { failure, lives } = await liveManyTimes(database, { runs: 100, commands: 100, seed: 20_260_328 });
  expect(failure ?? 'they agree').toBe('they agree');
  expect(lives).toBe(100);
});
