// @ts-check
/**
 * in-checkout — run by the Node of this run inside another checkout, with that checkout's own loader: fills a database,
 * or reads its books, with the code that also serves it. So neither side has to know the other's tables.
 *
 *     node --import <its tsx> in-checkout.mjs seed  <database URL> <customers>
 *     node --import <its tsx> in-checkout.mjs books <database URL> <accepted calls>
 *
 * The last line on stdout is what came of it, as JSON.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** @param {string} path In the checkout, which is the present folder. */
const load = (path) => import(pathToFileURL(resolve(path)).href);

const [, , verb, url, count] = process.argv;
const { openPostgres } = await load('server/db/postgres.ts');
const database = openPostgres({ url, poolSize: 1, statementTimeoutMs: 60_000 });
try {
  if (verb === 'seed') {
    const { seed } = await load('bench/seed.ts');
    await seed(database, Number(count));
    console.log('{}');
  } else {
    const { readBooks } = await load('bench/books.ts');
    console.log(JSON.stringify(await readBooks(database, Number(count))));
  }
} finally {
  await database.close();
}
