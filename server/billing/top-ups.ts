/** top-ups — has the biller charge what wallets asked for, and tells the wallets what became of it. */

import type { Database } from '../db/client.ts';
import { billingAccountOf } from '../db/queries/billing-accounts.ts';
import { type AskedTopUp, askedTopUps } from '../db/queries/top-up-requests.ts';
import type { Clock } from '../domain/clock.ts';
import type { Biller } from './biller.ts';
import type { BillingEffects } from './effects.ts';
import { countCharge } from './top-up-standing.ts';

export type TopUpsDeps = {
  readonly biller: Pick<Biller, 'chargeTopUp'>;
  readonly database: Database;
  readonly effects: Pick<BillingEffects, 'settleTopUp'>;
  readonly onNews: (sentence: string, about: Readonly<Record<string, unknown>>) => void;
  readonly clock: Clock;
  /** When those that are neither paid nor failed were looked at, from run to run. */
  readonly pending: PendingTopUps;
  /** One that could not be charged; the next run tries again. */
  readonly onError: (error: unknown) => void;
};

/** By `nameOf`. */
export type PendingTopUps = Map<string, number>;

const PAGE = 100;
/** A bank takes days for a debit, and a notice tells of it: to look is for those that never come. */
const LOOK_EVERY_MS = 5 * 60_000;

const nameOf = ({ customerId, currency, sequence }: AskedTopUp): string => `${customerId} ${currency} ${sequence}`;

/** Several gateways may do so at once: each charge is made once, whoever makes it. */
export async function chargeTopUps(deps: TopUpsDeps, isStopped: () => boolean = () => false): Promise<void> {
  const seen = new Set<string>();
  let after: AskedTopUp | null = null;
  for (let count = PAGE; count === PAGE; ) {
    const page: readonly AskedTopUp[] = await askedTopUps(deps.database.query, after, PAGE);
    for (const asked of page) {
      if (isStopped()) return;
      seen.add(nameOf(asked));
      await chargeOne(deps, asked).catch(deps.onError);
    }
    count = page.length;
    after = page.at(-1) ?? null;
  }
  for (const name of deps.pending.keys()) if (!seen.has(name)) deps.pending.delete(name);
}

async function chargeOne(deps: TopUpsDeps, asked: AskedTopUp): Promise<void> {
  const { biller, database, clock, pending, effects, onNews } = deps;
  const lookedAtMs = pending.get(nameOf(asked));
  if (lookedAtMs !== undefined && Math.abs(clock.now() - lookedAtMs) < LOOK_EVERY_MS) return;
  const charged = await biller.chargeTopUp(asked);
  if (charged.outcome === 'pending') pending.set(nameOf(asked), clock.now());
  if (charged.outcome === 'pending' || charged.outcome === 'left') return;
  if (charged.paymentId !== null) await countCharge(database, asked, charged.paymentId, charged);
  const { currency, sequence, tenantId, customerId } = asked;
  const isFirst = await effects.settleTopUp(asked, { currency, sequence, outcome: charged.outcome });
  if (!isFirst || charged.outcome === 'paid') return; // another gateway has told of it
  const stopped = (await billingAccountOf(database.db, asked))?.topUps.stopped ?? null;
  const sentence =
    stopped === null
      ? 'a top-up was refused; the wallet asks again after its cool-off'
      : 'a top-up was refused for good: none is charged until there is another payment method';
  onNews(sentence, { tenantId, customerId, currency, reason: charged.reason, stopped });
}
