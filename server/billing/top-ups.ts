/** top-ups — has the biller charge what wallets asked for, and tells the wallets what became of it. */

import type { Database } from '../db/client.ts';
import { billingAccountOf, saveTopUpStanding } from '../db/queries/billing-accounts.ts';
import { type AskedTopUp, askedTopUps } from '../db/queries/top-up-requests.ts';
import { afterCharge } from '../domain/billing-account.ts';
import type { Biller } from './biller.ts';
import type { BillingEffects } from './effects.ts';

export type TopUpsDeps = {
  readonly biller: Pick<Biller, 'chargeTopUp'>;
  readonly database: Database;
  readonly effects: Pick<BillingEffects, 'settleTopUp'>;
  readonly onNews: (sentence: string, about: Readonly<Record<string, unknown>>) => void;
  /** One that could not be charged; the next run tries again. */
  readonly onError: (error: unknown) => void;
};

const PAGE = 100;

/** Several gateways may do so at once: each charge is made once, whoever makes it. */
export async function chargeTopUps(deps: TopUpsDeps, isStopped: () => boolean = () => false): Promise<void> {
  let after: AskedTopUp | null = null;
  for (let count = PAGE; count === PAGE; ) {
    const page: readonly AskedTopUp[] = await askedTopUps(deps.database.query, after, PAGE);
    for (const asked of page) {
      if (isStopped()) return;
      await chargeOne(deps, asked).catch(deps.onError);
    }
    count = page.length;
    after = page.at(-1) ?? null;
  }
}

async function chargeOne({ biller, database, effects, onNews }: TopUpsDeps, asked: AskedTopUp): Promise<void> {
  const charged = await biller.chargeTopUp(asked);
  if (charged.outcome === 'pending' || charged.outcome === 'left') return;
  const { currency, sequence, tenantId, customerId } = asked;
  const isFirst = await effects.settleTopUp(asked, { currency, sequence, outcome: charged.outcome });
  if (!isFirst) return; // another gateway has told of it, and counted it
  const account = charged.wasCharged ? await billingAccountOf(database.db, asked) : null;
  const standing = account && afterCharge(account.topUps, charged);
  if (standing) await saveTopUpStanding(database.db, asked, standing);
  if (charged.outcome === 'paid') return;
  const stopped = standing?.stopped ?? null;
  const sentence =
    stopped === null
      ? 'a top-up was refused; the wallet asks again after its cool-off'
      : 'a top-up was refused for good: none is charged until there is another payment method';
  onNews(sentence, { tenantId, customerId, currency, reason: charged.reason, stopped });
}
