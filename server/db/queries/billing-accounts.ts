/** billing-accounts — who pays for customers: rows in, domain values out. */
import { and, eq, inArray, sql } from 'drizzle-orm';
import type { BillingAccount, TopUpStanding } from '../../domain/billing-account.ts';
import type { BillingInterval } from '../../domain/plan.ts';
import type { Subscription, SubscriptionStatus } from '../../domain/subscription.ts';
import type { Db } from '../client.ts';
import { billingAccounts, plans, usageMessages } from '../tables/index.ts';

type OfCustomer = Pick<BillingAccount, 'tenantId' | 'customerId'>;

export async function billingAccountOf(db: Db, { tenantId, customerId }: OfCustomer): Promise<BillingAccount | null> {
  const [row] = await db
    .select()
    .from(billingAccounts)
    .where(and(eq(billingAccounts.tenantId, tenantId), eq(billingAccounts.customerId, customerId)));
  return row ? accountFromRow(row) : null;
}

/** How many of a tenant's customers somebody pays for. */
export const billingAccountsIn = (db: Db, tenantId: string): Promise<number> =>
  db.$count(billingAccounts, eq(billingAccounts.tenantId, tenantId));

export type OwnedSubscription = { readonly customerId: string; readonly subscription: Subscription };

/** By customer; who has none is missing. */
export async function subscriptionsOf(
  db: Db,
  tenantId: string,
  customerIds: readonly string[],
): Promise<readonly OwnedSubscription[]> {
  const rows = await db
    .select()
    .from(billingAccounts)
    .where(and(eq(billingAccounts.tenantId, tenantId), inArray(billingAccounts.customerId, [...customerIds])));
  return rows
    .map(accountFromRow)
    .flatMap(({ customerId, subscription }) => (subscription ? [{ customerId, subscription }] : []));
}

/** The account as it is; nobody changes it before the transaction ends. */
export async function lockBillingAccount(tx: Db, { tenantId, customerId }: OfCustomer): Promise<BillingAccount | null> {
  const [row] = await tx
    .select()
    .from(billingAccounts)
    .where(and(eq(billingAccounts.tenantId, tenantId), eq(billingAccounts.customerId, customerId)))
    .for('update');
  return row ? accountFromRow(row) : null;
}

export async function billingAccountPaidBy(db: Db, stripeCustomerId: string): Promise<BillingAccount | null> {
  const [row] = await db.select().from(billingAccounts).where(eq(billingAccounts.stripeCustomerId, stripeCustomerId));
  return row ? accountFromRow(row) : null;
}

/** @returns the account as it is now: that of whoever was first, where two make it at once. */
export async function makeBillingAccount(
  db: Db,
  of: OfCustomer & Pick<BillingAccount, 'stripeCustomerId'>,
  nowMs: number,
): Promise<BillingAccount> {
  await db
    .insert(billingAccounts)
    .values({ ...of, updatedAt: new Date(nowMs) })
    .onConflictDoNothing();
  const account = await billingAccountOf(db, of);
  if (account) return account;
  throw new Error(`${of.stripeCustomerId} pays for another customer than ${of.customerId}`);
}

/** Another customer of the processor's pays from now on; of that one nothing is known yet. Nothing happens where the former pays no more. */
export async function replacePayer(
  db: Db,
  { tenantId, customerId, stripeCustomerId: formerId }: BillingAccount,
  stripeCustomerId: string,
  nowMs: number,
): Promise<void> {
  await db
    .update(billingAccounts)
    .set({ stripeCustomerId, revision: sql`${billingAccounts.revision} + 1`, updatedAt: new Date(nowMs) })
    .where(
      and(
        eq(billingAccounts.tenantId, tenantId),
        eq(billingAccounts.customerId, customerId),
        eq(billingAccounts.stripeCustomerId, formerId),
      ),
    );
}

/** @returns false where the account has another revision by now; nothing was written then. */
export async function saveSubscription(
  tx: Db,
  account: Pick<BillingAccount, 'tenantId' | 'customerId' | 'revision'>,
  subscription: Subscription | null,
  nowMs: number,
): Promise<boolean> {
  const saved = await tx
    .update(billingAccounts)
    .set({
      ...columnsOf(subscription),
      revision: sql`${billingAccounts.revision} + 1`,
      updatedAt: new Date(nowMs),
    })
    .where(
      and(
        eq(billingAccounts.tenantId, account.tenantId),
        eq(billingAccounts.customerId, account.customerId),
        eq(billingAccounts.revision, account.revision),
      ),
    )
    .returning({ customerId: billingAccounts.customerId });
  return saved.length > 0;
}

/** How many are looked at again at once; the others next time. */
const FOLLOWING_MAX = 100;

/** Those who do not follow their subscription, though its plan is there by now. */
export async function accountsToFollow(db: Db): Promise<readonly BillingAccount[]> {
  const plan = sql`SELECT FROM ${plans} WHERE ${plans.tenantId} = ${billingAccounts.tenantId} AND ${plans.key} = ${billingAccounts.planKey}`;
  const rows = await db
    .select()
    .from(billingAccounts)
    .where(and(eq(billingAccounts.followed, false), sql`EXISTS (${plan})`))
    .limit(FOLLOWING_MAX);
  return rows.map(accountFromRow);
}

/** How many are looked at at once; the others next time. */
const WAITED_FOR_MAX = 100;

/** Those whose usage waits for what is known of their billing period to be renewed. */
export async function accountsWaitedFor(db: Db): Promise<readonly BillingAccount[]> {
  const waiting = sql`SELECT FROM ${usageMessages} WHERE ${usageMessages.customerId} = ${billingAccounts.customerId}
    AND ${usageMessages.state} = 'waiting' AND ${usageMessages.reasonCode} = 'stale_period'`;
  const rows = await db
    .select()
    .from(billingAccounts)
    .where(sql`EXISTS (${waiting})`)
    .orderBy(billingAccounts.updatedAt) // each that is followed goes to the end
    .limit(WAITED_FOR_MAX);
  return rows.map(accountFromRow);
}

/** Of an account that is locked. */
export async function saveTopUpStanding(tx: Db, { tenantId, customerId }: OfCustomer, standing: TopUpStanding) {
  const { softDeclines, stopped, paymentMethodId } = standing;
  await tx
    .update(billingAccounts)
    .set({ softDeclines, topUpsStopped: stopped, paymentMethodId })
    .where(and(eq(billingAccounts.tenantId, tenantId), eq(billingAccounts.customerId, customerId)));
}

const dateOf = (atMs: number | null | undefined): Date | null =>
  atMs === null || atMs === undefined ? null : new Date(atMs);

const columnsOf = (subscription: Subscription | null) => ({
  stripeSubscriptionId: subscription?.id ?? null,
  status: subscription?.status ?? null,
  planKey: subscription?.planKey ?? null,
  followed: subscription?.isFollowed ?? true,
  interval: subscription?.interval ?? null,
  currency: subscription?.currency ?? null,
  anchorAt: dateOf(subscription?.anchorAtMs),
  periodStart: dateOf(subscription?.periodStartMs),
  periodEnd: dateOf(subscription?.periodEndMs),
  cancelsAt: dateOf(subscription?.cancelsAtMs),
  endedAt: dateOf(subscription?.endedAtMs),
  pastDueSince: dateOf(subscription?.pastDueSinceMs),
  graceEndsAt: dateOf(subscription?.graceEndsAtMs),
});

type Row = typeof billingAccounts.$inferSelect;

const accountFromRow = (row: Row): BillingAccount => ({
  customerId: row.customerId,
  tenantId: row.tenantId,
  stripeCustomerId: row.stripeCustomerId,
  subscription: subscriptionFromRow(row),
  topUps: { softDeclines: row.softDeclines, stopped: row.topUpsStopped, paymentMethodId: row.paymentMethodId },
  revision: row.revision,
});

function subscriptionFromRow(row: Row): Subscription | null {
  const { stripeSubscriptionId: id, status, planKey, anchorAt, periodStart, periodEnd } = row;
  if (id === null || status === null || planKey === null || !anchorAt || !periodStart || !periodEnd) return null;
  return {
    id,
    status: status as SubscriptionStatus, // as columnsOf wrote it
    planKey,
    isFollowed: row.followed,
    interval: row.interval as BillingInterval | null,
    currency: row.currency,
    anchorAtMs: anchorAt.getTime(),
    periodStartMs: periodStart.getTime(),
    periodEndMs: periodEnd.getTime(),
    cancelsAtMs: row.cancelsAt?.getTime() ?? null,
    endedAtMs: row.endedAt?.getTime() ?? null,
    pastDueSinceMs: row.pastDueSince?.getTime() ?? null,
    graceEndsAtMs: row.graceEndsAt?.getTime() ?? null,
  };
}
