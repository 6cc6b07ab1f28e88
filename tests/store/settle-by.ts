/** settle-by — what actions are handed to settle customers with, where a test has no engine of its own. */
import type { Deps } from '../../server/actions/deps.ts';
import { Catalogs } from '../../server/db/catalogs.ts';
import type { Database } from '../../server/db/client.ts';
import type { Clock } from '../../server/domain/clock.ts';
import { Ledger } from '../../server/metering/ledger.ts';
import { POSTPONED } from '../../server/metering/replies.ts';
import { settlerOf } from '../../server/metering/settler.ts';

export function settleBy(database: Database, clock: Clock): Deps['settle'] {
  const ledger = new Ledger({ database, clock, catalogs: new Catalogs(), onCommitted: () => {}, hintOf: () => null });
  return settlerOf({
    execute: async (request) => {
      let results = await ledger.record([request]);
      while (results.includes(POSTPONED)) results = await ledger.record([request]); // each round settles some more
    },
  });
}
