/** customers — rows of customers in, domain values out. */
import { and, eq, gt, inArray, lte, sql } from 'drizzle-orm';
import type { Customer, PendingPlan } from '../../domain/customer.ts';
import type { Mute } from '../../domain/mute.ts';
import { type Page, type PageRequest, pageOf, rowsFor } from '../../domain/page.ts';
import type { Db } from '../client.ts';
import { type LimitFieldsJson, limitFieldsMapFromJson, limitFieldsMapToJson } from '../limit-fields-json.ts';
import { newRevision } from '../revision.ts';
import { customers } from '../tables/index.ts';
import { savePlanSpan } from './plan-spans.ts';

export async function customersById(db: Db, tenantId: string, ids: readonly string[]): Promise<readonly Customer[]> {
  const rows = await db
    .select()
    .from(customers)
    .where(and(eq(customers.tenantId, tenantId), inArray(customers.id, [...ids])));
  return rows.map(customerFromRow);
}

/** The tenant's customers in order of their references. */
export async function customersPage(db: Db, tenantId: string, request: PageRequest<string>): Promise<Page<Customer>> {
  const after = request.after === null ? undefined : gt(customers.referenceId, request.after);
  const rows = await db
    .select()
    .from(customers)
    .where(and(eq(customers.tenantId, tenantId), after))
    .orderBy(customers.referenceId)
    .limit(rowsFor(request));
  return pageOf(rows.map(customerFromRow), request);
}

/** Holds the customer until the transaction ends: whatever changes one does. */
export async function lockCustomer(tx: Db, tenantId: string, id: string): Promise<Customer | null> {
  const [row] = await tx
    .select()
    .from(customers)
    .where(and(eq(customers.tenantId, tenantId), eq(customers.id, id)))
    .for('update');
  return row ? customerFromRow(row) : null;
}

/** Whether anything of a customer is due at an instant. */
export async function isDue(
  tx: Db,
  { tenantId, id }: Pick<Customer, 'tenantId' | 'id'>,
  atMs: number,
): Promise<boolean> {
  const due = await tx
    .select({ id: customers.id })
    .from(customers)
    .where(and(eq(customers.tenantId, tenantId), eq(customers.id, id), lte(customers.dueAt, new Date(atMs))));
  return due.length > 0;
}

/**
 * @param isDue Whether something begins for the customer at once, like the credits of its plan.
 * @returns false when there is one by this id already, which is left as it is.
 */
export async function insertCustomer(tx: Db, customer: Customer, isDue: boolean): Promise<boolean> {
  const { id, tenantId, referenceId, createdAtMs } = customer;
  const createdAt = new Date(createdAtMs);
  const row = {
    id,
    tenantId,
    referenceId,
    createdAt,
    dueAt: isDue ? createdAt : null,
    revision: newRevision(),
    ...changeableColumns(customer),
  };
  const inserted = await tx.insert(customers).values(row).onConflictDoNothing().returning({ id: customers.id });
  if (inserted.length === 0) return false;
  const { planKey, planVersion } = customer;
  await savePlanSpan(tx, { tenantId, customerId: id }, { planKey, planVersion, sinceMs: createdAtMs });
  return true;
}

/**
 * Writes what may change of a customer whom the transaction has locked.
 *
 * @param movedAtMs When this sequence changed every meter at once; null when it didn't.
 */
export async function updateCustomer(tx: Db, customer: Customer, movedAtMs: number | null): Promise<void> {
  await tx
    .update(customers)
    .set({
      ...changeableColumns(customer),
      ...dueColumn(customer, movedAtMs),
      revision: newRevision(),
      ...(movedAtMs !== null && { limitsSequence: customer.sequence }),
    })
    .where(and(eq(customers.tenantId, customer.tenantId), eq(customers.id, customer.id)));
}

/**
 * A change of limits makes the customer due at once, so that credits of the plan begin with it; one that is pending, at
 * its time. What is due before that stays so.
 */
function dueColumn({ pendingPlan }: Customer, movedAtMs: number | null) {
  const dueMs = [movedAtMs, pendingPlan?.atMs ?? null].filter((atMs) => atMs !== null);
  if (dueMs.length === 0) return {};
  return { dueAt: sql`least(${customers.dueAt}, ${new Date(Math.min(...dueMs)).toISOString()}::timestamptz)` };
}

const changeableColumns = (customer: Customer) => ({
  referenceType: customer.referenceType,
  name: customer.name,
  email: customer.email,
  planKey: customer.planKey,
  planVersion: customer.planVersion,
  pendingPlan: customer.pendingPlan,
  timeZone: customer.timeZone,
  anchorAt: new Date(customer.anchorAtMs),
  anchorTimeZone: customer.anchorTimeZone,
  metadata: customer.metadata,
  overrides: limitFieldsMapToJson(customer.overrides),
  mutes: customer.mutes,
  sequence: customer.sequence,
});

const customerFromRow = (row: typeof customers.$inferSelect): Customer => ({
  id: row.id,
  tenantId: row.tenantId,
  referenceId: row.referenceId,
  referenceType: row.referenceType,
  name: row.name,
  email: row.email,
  planKey: row.planKey,
  planVersion: row.planVersion,
  pendingPlan: row.pendingPlan as PendingPlan | null, // as changeableColumns wrote it, like the other JSON below
  timeZone: row.timeZone,
  anchorAtMs: row.anchorAt.getTime(),
  anchorTimeZone: row.anchorTimeZone,
  metadata: row.metadata,
  overrides: limitFieldsMapFromJson(row.overrides as Readonly<Record<string, LimitFieldsJson>>),
  mutes: row.mutes as readonly Mute[],
  sequence: row.sequence,
  createdAtMs: row.createdAt.getTime(),
});
