/**
 * return — takes back what is still there of a payment that went back.
 *
 * What the customer has used is gone, and said to be: nobody is pursued, and no balance goes below 0. What comes back of
 * a dispute that is won is put in again.
 */
import {
  type BillingPayment,
  type PendingReturn,
  paymentById,
  saveReturn,
} from '../../../db/queries/billing-payments.ts';
import { MeterError } from '../../../domain/errors.ts';
import { formatUnits, maxUnits, minUnits, type Units } from '../../../domain/units.ts';
import type { StripeDeps } from '../deps.ts';

type Deps = Pick<StripeDeps, 'database' | 'effects' | 'onNews'>;

/** A balance that changes between looking and taking, or somebody else who takes: each is another round. */
const ROUNDS_MAX = 16;

/**
 * @param returnedNow Asks how much went back, in minor units, of all refunds and disputes together. It is asked for after
 *   the payment was read, and applied only where nobody has changed that meanwhile: so an old answer never undoes a newer.
 */
export async function settleReturn(deps: Deps, paymentId: string, returnedNow: () => Promise<Units>): Promise<void> {
  for (let rounds = 0; rounds < ROUNDS_MAX; rounds += 1) {
    const payment = await paymentById(deps.database.db, paymentId);
    if (payment === null) return;
    if (payment.pendingReturn) await finish(deps, payment, payment.pendingReturn);
    else if (await isSettled(deps, payment, await returnedNow())) return;
  }
  throw new MeterError('UNAVAILABLE', `What went back of ${paymentId} could not be taken back; send the notice again.`);
}

/**
 * Writes down what is to be taken, before it is: whoever takes up after an interruption takes the same under the same
 * key.
 *
 * @returns whether there is nothing to take, or to put in again.
 */
async function isSettled({ database, effects }: Deps, payment: BillingPayment, returned: Units): Promise<boolean> {
  if (returned === payment.returned) return true;
  const more = returned - payment.returned;
  const balance = payment.grantId === null ? maxUnits(await effects.balanceOf(payment, payment.currency), 0n) : 0n;
  const amount = more > 0n ? minUnits(more, balance) : -maxUnits(payment.takenBack - returned, 0n);
  await saveReturn(database.db, payment, { ...payment, pendingReturn: { returned, amount } });
  return false;
}

/** Takes it, and writes that down; or begins anew, where the balance has changed. */
async function finish(
  { database, effects, onNews }: Deps,
  payment: BillingPayment,
  pending: PendingReturn,
): Promise<void> {
  const { paymentId, currency, grantId, amount: paid } = payment;
  const { returned, amount } = pending;
  try {
    if (grantId !== null && returned === paid) await effects.voidGrant(payment, grantId);
    if (amount !== 0n) {
      const idempotencyKey = `stripe return ${paymentId} ${formatUnits(returned)} ${formatUnits(amount)} ${payment.revision}`;
      await effects.moveMoney(payment, { currency, amount: -amount, idempotencyKey });
    }
  } catch (error) {
    if (!(error instanceof MeterError) || error.code !== 'INSUFFICIENT_BALANCE') throw error;
    await saveReturn(database.db, payment, { ...payment, pendingReturn: null }); // nothing was taken
    return;
  }
  const takenBack = payment.takenBack + amount;
  const done = await saveReturn(database.db, payment, { returned, takenBack, pendingReturn: null });
  if (done) onNews(sentenceOf(payment, pending), aboutOf(payment, pending));
}

function sentenceOf(
  { grantId, amount: paid, returned: before }: BillingPayment,
  { returned, amount }: PendingReturn,
): string {
  if (grantId !== null) {
    return returned === paid
      ? 'a credit pack was refunded: what was left of it is taken back'
      : 'a part of a credit pack was refunded: its units stay, void the grant to take them back';
  }
  if (returned < before) return 'a dispute was won: what had been taken back is in the wallet again';
  return amount === returned - before
    ? 'a top-up went back: all of it is taken out of the wallet'
    : 'a top-up went back and was used in part: only what was left is taken out of the wallet';
}

const aboutOf = (
  { tenantId, customerId, paymentId, currency, returned: before }: BillingPayment,
  now: PendingReturn,
) => ({
  tenantId,
  customerId,
  paymentId,
  currency,
  returned: formatUnits(now.returned - before),
  takenBack: formatUnits(now.amount),
});
