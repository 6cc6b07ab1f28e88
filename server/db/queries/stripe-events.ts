/** stripe-events — which notices were received and handled, and how far those that never came were looked for. */
import { and, eq, inArray, isNotNull, isNull, lt, sql } from 'drizzle-orm';
import type { Db } from '../client.ts';
import { stripeEvents, stripeSweeps } from '../tables/index.ts';

/** @returns whether it was handled before. */
export async function noteStripeEvent(
  db: Db,
  { id, type }: { readonly id: string; readonly type: string },
  nowMs: number,
): Promise<boolean> {
  const [made] = await db
    .insert(stripeEvents)
    .values({ id, type, receivedAt: new Date(nowMs) })
    .onConflictDoNothing()
    .returning({ id: stripeEvents.id });
  return made ? false : (await handledAmong(db, [id])).has(id);
}

export async function handledAmong(db: Db, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await db
    .select({ id: stripeEvents.id })
    .from(stripeEvents)
    .where(and(inArray(stripeEvents.id, [...ids]), isNotNull(stripeEvents.handledAt)));
  return new Set(rows.map(({ id }) => id));
}

export async function markStripeEventHandled(db: Db, id: string, nowMs: number): Promise<void> {
  await db
    .update(stripeEvents)
    .set({ handledAt: new Date(nowMs) })
    .where(and(eq(stripeEvents.id, id), isNull(stripeEvents.handledAt)));
}

/** @param account Empty for the platform's own. */
export async function sweptThrough(db: Db, account: string): Promise<number | null> {
  const [row] = await db.select().from(stripeSweeps).where(eq(stripeSweeps.account, account));
  return row?.sweptThrough.getTime() ?? null;
}

/** Never goes back: another gateway may have come farther. */
export async function saveSweptThrough(db: Db, account: string, throughMs: number): Promise<void> {
  const sweptThrough = new Date(throughMs);
  await db
    .insert(stripeSweeps)
    .values({ account, sweptThrough })
    .onConflictDoUpdate({
      target: stripeSweeps.account,
      set: { sweptThrough: sql`greatest(${stripeSweeps.sweptThrough}, excluded.swept_through)` },
    });
}

/** Stripe sends a notice for three days, and lists it for 30. */
const KEPT_MS = 30 * 24 * 3_600_000;

export async function forgetStripeEvents(db: Db, nowMs: number): Promise<void> {
  await db.delete(stripeEvents).where(lt(stripeEvents.receivedAt, new Date(nowMs - KEPT_MS)));
}
