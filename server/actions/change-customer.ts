/** change-customer — changes one customer under its lock, and wakes those who watch it when its limits move, now or later. */
import { isDeepStrictEqual } from 'node:util';
import type { Db } from '../db/client.ts';
import { isDue, lockCustomer, updateCustomer } from '../db/queries/customers.ts';
import { emit } from '../db/queries/outgoing-events.ts';
import { savePlanSpan } from '../db/queries/plan-spans.ts';
import { type Customer, customerIdOf } from '../domain/customer.ts';
import { customerNotFound, MeterError } from '../domain/errors.ts';
import { planChanged } from '../domain/notices-of-money.ts';
import { spansOfChange } from '../domain/plan-span.ts';
import type { Deps } from './deps.ts';

/** A customer after a change, and whether its plan, limits, time zone or anchor are others now, or will be by themselves. */
export type ChangedCustomer = { readonly customer: Customer; readonly isNews: boolean };

/** Nothing was changed, because something is due of the customer: that comes first, under the limits of until now. */
export type StillDue = { readonly due: Customer };

/**
 * Locks the customer, changes it, saves it, announces it.
 *
 * @param change Given the customer as it is; pure. Throws to refuse.
 * @throws {MeterError} `CUSTOMER_NOT_FOUND`
 */
export async function changeCustomer(
  deps: Deps,
  tenantId: string,
  referenceId: string,
  change: (customer: Customer) => Customer,
): Promise<Customer> {
  return whenSettled(deps, async (tx, nowMs) => {
    const before = await lockCustomer(tx, tenantId, customerIdOf(tenantId, referenceId));
    if (!before) throw customerNotFound(referenceId);
    return saveChange(tx, before, change(before), nowMs);
  });
}

/**
 * One settling is enough for whatever was due, and another for what came due meanwhile. More are needed only where it does
 * not help: by a clock behind the one that looks, or while something can't be settled. A caller should not wait for that.
 */
export const SETTLING_ROUNDS_MAX = 8;

/**
 * Tries a change, in a transaction of its own, until nothing is due of the customer any more, and announces it.
 *
 * @throws {MeterError} `UNAVAILABLE` when there still is something after `SETTLING_ROUNDS_MAX`; nothing was written.
 */
export async function whenSettled(
  { database, clock, announce, settle }: Deps,
  tryTo: (tx: Db, nowMs: number) => Promise<ChangedCustomer | StillDue>,
): Promise<Customer> {
  for (let rounds = 0; ; rounds += 1) {
    const tried = await database.db.transaction((tx) => tryTo(tx, clock.now()));
    if (!('due' in tried)) {
      const { customer, isNews } = tried;
      if (isNews) announce({ kind: 'customer', tenantId: customer.tenantId, customerId: customer.id });
      return customer;
    }
    if (rounds === SETTLING_ROUNDS_MAX) throw stillDue(tried.due);
    await settle(tried.due);
  }
}

const stillDue = ({ referenceId }: Customer): MeterError =>
  new MeterError(
    'UNAVAILABLE',
    `What is due of customer "${referenceId}" could not be settled in ${SETTLING_ROUNDS_MAX} rounds; nothing was written, send the call again.`,
  );

/**
 * Saves what is different; a change of limits takes the customer's next sequence, so that resumed streams hear it, and
 * another plan begins a span of its history.
 *
 * @param planSinceMs Since when it has the plan, where that was paid for before anybody has heard of it.
 */
export async function saveChange(
  tx: Db,
  before: Customer,
  after: Customer,
  nowMs: number,
  planSinceMs = nowMs,
): Promise<ChangedCustomer | StillDue> {
  if (isDeepStrictEqual(before, after)) return { customer: before, isNews: false };
  const limitsMoved = !isDeepStrictEqual(limitsOf(before), limitsOf(after));
  const pendingMoved = !isDeepStrictEqual(before.pendingPlan, after.pendingPlan); // one whose time has come must not be lost
  if ((limitsMoved || pendingMoved) && (await isDue(tx, before, nowMs))) return { due: before };
  const customer = limitsMoved ? { ...after, sequence: before.sequence + 1n } : after;
  await updateCustomer(tx, customer, limitsMoved ? nowMs : null);
  const of = { tenantId: customer.tenantId, customerId: customer.id };
  for (const span of spansOfChange(before, customer, nowMs, planSinceMs)) await savePlanSpan(tx, of, span);
  if (isOtherPlan(before, customer)) await tellPlan(tx, before, customer, nowMs);
  // Of a change that is to come nobody is told yet; but who watches must know when it comes.
  return { customer, isNews: limitsMoved || pendingMoved };
}

const isOtherPlan = (before: Customer, after: Customer): boolean =>
  before.planKey !== after.planKey || before.planVersion !== after.planVersion;

async function tellPlan(tx: Db, before: Customer, after: Customer, nowMs: number): Promise<void> {
  const { tenantId, id: customerId, referenceId, sequence, planKey } = after;
  const moment = { tenantId, customerId, referenceId, sequence, atMs: nowMs };
  await emit(tx, planChanged(moment, { planKey, previousPlanKey: before.planKey, effectiveAtMs: nowMs }));
}

/** Everything of a customer that its limits depend on. */
const limitsOf = ({ planKey, planVersion, timeZone, anchorAtMs, anchorTimeZone, overrides }: Customer) => ({
  planKey,
  planVersion,
  timeZone,
  anchorAtMs,
  anchorTimeZone,
  overrides,
});
