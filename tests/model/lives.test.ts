/**
 * Goal: the real engine says what an independent model says, to everything, whatever happened before. Method: random lives
 * of three customers, each step told to both and every answer compared; after each fourth life the laws of the tables. Where
 * they disagree, the shortest script that shows it is printed. These lives are the same each time; many more, and new ones,
 * are lived by `npm run simulate`.
 */
import { expect, it } from 'vitest';
import { openPglite } from '../../server/db/pglite.ts';
import { afterUse } from '../support/after-use.ts';
import { migratedFolder } from '../support/engines.ts';
import { liveManyTimes } from './runs.ts';

const LIVES = 8;

it(`answers as the model does, in ${LIVES} lives of about 100 steps`, { timeout: 120_000 }, async () => {
  const database = await openPglite(await migratedFolder());
  afterUse(() => database.close());
  const { failure, lives } = await liveManyTimes(database, { runs: LIVES, commands: 100, seed: 1 });
  expect(failure ?? 'they agree').toBe('they agree');
  expect(lives).toBe(LIVES);
});
