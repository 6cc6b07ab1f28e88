/**
 * lending — the migrated databases of one worker. Its files have them one after the other, for making a database takes
 * longer than most files run: given back, it is emptied, and whoever asks next has it.
 */
import type { Database } from '../../server/db/client.ts';
import { emptied, shapeOf } from './emptied.ts';

/** One database that was made to be lent. */
export type Home = {
  open(): Promise<Database>;
  /** Of what `open` gave: leaves the database, and ends whatever its user left going on there. */
  leave(database: Database): Promise<unknown>;
  /** Does the work while nobody else uses the database. */
  alone<T>(work: (database: Database) => Promise<T>): Promise<T>;
  /** For good. */
  remove(): Promise<unknown>;
};

/** Empty and migrated, nobody else's until it is given back. Its `close` is the lender's to call. */
export type Lent = { readonly database: Database; readonly giveBack: () => Promise<void> };

/** @param make A new database, migrated; asked for where none is idle. */
export function lender(make: () => Promise<Home>): () => Promise<Lent> {
  const idle: { readonly home: Home; readonly shape: string }[] = [];
  return async () => {
    const { home, shape } = idle.pop() ?? (await newHome(make));
    const database = await home.open();
    const giveBack = async () => {
      await home.leave(database);
      const isSound = await home.alone(async (own) => (await shapeOf(own)) === shape && Boolean(await emptied(own)));
      if (isSound) idle.push({ home, shape });
      else await home.remove(); // somebody changed its tables
    };
    return { database: { ...database, close: refuseToClose }, giveBack };
  };
}

async function newHome(make: () => Promise<Home>) {
  const home = await make();
  return { home, shape: await home.alone(shapeOf) };
}

const refuseToClose = () => Promise.reject(new Error('a database that is lent is closed by who lends it'));
