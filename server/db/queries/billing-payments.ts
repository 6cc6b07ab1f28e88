/** billing-payments — money that came in for something prepaid: rows in, domain values out. */
import { and, eq, sql } from 'drizzle-orm';
import { formatUnits, type Units, unitsOf } from '../../domain/units.ts';
import type { Db } from '../client.ts';
import { billingPayments } from '../tables/index.ts';

export type PaymentPurpose = 'credit_pack' | 'top_up' | 'auto_top_up';

/** Takes back so much, of money or units, for what had been returned by then. Begun, and maybe done. */
export type PendingReturn = { readonly returned: Units; readonly amount: Units };

export type BillingPayment = {
  /** The processor's id. */
  readonly paymentId: string;
  readonly tenantId: string;
  readonly customerId: string;
  readonly purpose: PaymentPurpose;
  readonly currency: string;
  /** In minor units, like the others. */
  readonly amount: Units;
  /** What a credit pack gave; null for money. */
  readonly grantId: string | null;
  readonly featureKey: string | null;
  /** Refunded or disputed, as the processor said last. */
  readonly returned: Units;
  /** What was taken back for that: money, or units of a credit pack. */
  readonly takenBack: Units;
  readonly pendingReturn: PendingReturn | null;
  readonly revision: bigint;
};

export type NewPayment = Omit<BillingPayment, 'returned' | 'takenBack' | 'pendingReturn' | 'revision'>;

/** Twice is the same as once. */
export async function savePayment(db: Db, { amount, ...payment }: NewPayment, paidAtMs: number): Promise<void> {
  await db
    .insert(billingPayments)
    .values({ ...payment, amount: formatUnits(amount), paidAt: new Date(paidAtMs) })
    .onConflictDoNothing();
}

export async function paymentById(db: Db, paymentId: string): Promise<BillingPayment | null> {
  const [row] = await db.select().from(billingPayments).where(eq(billingPayments.paymentId, paymentId));
  return row ? paymentFromRow(row) : null;
}

type Return = Pick<BillingPayment, 'returned' | 'takenBack' | 'pendingReturn'>;

/** @returns false where somebody else has changed it meanwhile; nothing was written then. */
export async function saveReturn(db: Db, { paymentId, revision }: BillingPayment, to: Return): Promise<boolean> {
  const { returned, takenBack, pendingReturn } = to;
  const saved = await db
    .update(billingPayments)
    .set({
      returned: formatUnits(returned),
      takenBack: formatUnits(takenBack),
      pendingReturn: pendingReturn && {
        returned: formatUnits(pendingReturn.returned),
        amount: formatUnits(pendingReturn.amount),
      },
      revision: sql`${billingPayments.revision} + 1`,
    })
    .where(and(eq(billingPayments.paymentId, paymentId), eq(billingPayments.revision, revision)))
    .returning({ paymentId: billingPayments.paymentId });
  return saved.length > 0;
}

function paymentFromRow(row: typeof billingPayments.$inferSelect): BillingPayment {
  const pending = row.pendingReturn as { readonly returned: string; readonly amount: string } | null; // as saveReturn wrote it
  return {
    paymentId: row.paymentId,
    tenantId: row.tenantId,
    customerId: row.customerId,
    purpose: row.purpose as PaymentPurpose, // nothing writes another
    currency: row.currency,
    amount: unitsOf(row.amount),
    grantId: row.grantId,
    featureKey: row.featureKey,
    returned: unitsOf(row.returned),
    takenBack: unitsOf(row.takenBack),
    pendingReturn: pending && { returned: unitsOf(pending.returned), amount: unitsOf(pending.amount) },
    revision: row.revision,
  };
}
