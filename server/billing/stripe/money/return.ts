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
import { formatUnits, maxUnits, minUnits, ONE, type Units } from '../../../domain/units.ts';
import type { StripeDeps } from '../deps.ts';

type Deps = Pick<StripeDeps, 'database' | 'effects' | 'onNews'>;

/** What is left that changes between looking and taking, or somebody else who takes: each is another round. */
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
  const { left, shareOf } = await holdingOf(effects, payment);
  const more = shareOf(returned) - shareOf(payment.returned);
  const amount =
    returned > payment.returned ? minUnits(more, left) : -maxUnits(payment.takenBack - shareOf(returned), 0n);
  await saveReturn(database.db, payment, { ...payment, pendingReturn: { returned, amount } });
  return false;
}

type Holding = {
  /** What is there to be taken, of money or of units. */
  readonly left: Units;
  /** What of the purchase so much of its money is. */
  readonly shareOf: (money: Units) => Units;
};

async function holdingOf(effects: Deps['effects'], payment: BillingPayment): Promise<Holding> {
  const { grantId, currency, amount: paid } = payment;
  if (grantId === null) {
    return { left: maxUnits(await effects.balanceOf(payment, currency), 0n), shareOf: (money) => money };
  }
  const { amount: units, remaining } = await effects.unitsLeft(payment, grantId);
  return { left: remaining, shareOf: (money) => shareOfPack(units, money, paid) };
}

/** Rounded down, to whole units where the pack is of whole ones: who is given back a cent has lost no unit. */
function shareOfPack(units: Units, money: Units, paid: Units): Units {
  if (money >= paid) return units;
  const step = units % ONE === 0n ? ONE : 1n;
  return ((units * money) / paid / step) * step;
}

/** Takes it, and writes that down; or begins anew, where what is left has changed. */
async function finish(deps: Deps, payment: BillingPayment, pending: PendingReturn): Promise<void> {
  const { database, onNews } = deps;
  const { returned, amount } = pending;
  try {
    await take(deps, payment, pending);
  } catch (error) {
    if (!(error instanceof MeterError) || error.code !== 'INSUFFICIENT_BALANCE') throw error;
    await saveReturn(database.db, payment, { ...payment, pendingReturn: null }); // nothing was taken
    return;
  }
  const takenBack = payment.takenBack + amount;
  const done = await saveReturn(database.db, payment, { returned, takenBack, pendingReturn: null });
  if (done) onNews(sentenceOf(payment, pending), aboutOf(payment, pending));
}

/** A pack that went back whole is void: what is given back of its use later is nobody's any more. */
async function take({ effects }: Deps, payment: BillingPayment, { returned, amount }: PendingReturn): Promise<void> {
  const { paymentId, currency, grantId, amount: paid } = payment;
  const idempotencyKey = `stripe return ${paymentId} ${formatUnits(returned)} ${formatUnits(amount)} ${payment.revision}`;
  if (amount !== 0n) {
    await (grantId === null
      ? effects.moveMoney(payment, { currency, amount: -amount, idempotencyKey })
      : effects.takeUnits(payment, { grantId, units: amount, idempotencyKey }));
  }
  if (grantId !== null && returned === paid) await effects.voidGrant(payment, grantId);
}

function sentenceOf({ grantId, returned: before }: BillingPayment, { returned, amount }: PendingReturn): string {
  const [what, where] = grantId === null ? ['a top-up', 'the wallet'] : ['a credit pack', 'its grant'];
  if (returned < before) return `a dispute was won: what had been taken back of ${what} is in ${where} again`;
  const isAll = grantId === null && amount === returned - before;
  return isAll
    ? `${what} went back: all of it is taken out of ${where}`
    : `${what} went back: what was left of it is taken out of ${where}`;
}

const aboutOf = (
  { tenantId, customerId, paymentId, currency, featureKey, returned: before }: BillingPayment,
  now: PendingReturn,
) => ({
  tenantId,
  customerId,
  paymentId,
  currency,
  featureKey,
  returned: formatUnits(now.returned - before),
  takenBack: formatUnits(now.amount),
});
