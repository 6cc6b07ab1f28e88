/** find-wallets — reads wallets, under row level security. */
import { type WalletRecord, walletsOf } from '../db/queries/wallets.ts';
import { queryIn } from '../db/query-in.ts';
import type { Deps } from './deps.ts';

export type { WalletRecord } from '../db/queries/wallets.ts';

/** By customer and currency; customers without any are missing. */
export const findWallets = (
  { database }: Pick<Deps, 'database'>,
  tenantId: string,
  customerIds: readonly string[],
): Promise<readonly WalletRecord[]> => database.readAs(tenantId, (db) => walletsOf(queryIn(db), tenantId, customerIds));
