/** entity-usage — counters of the entities under a customer: rows in, domain values out. */
import { and, eq, gt, sql } from 'drizzle-orm';
import type { EntityTotals } from '../../domain/entity-usage.ts';
import { type Page, type PageRequest, pageOf, rowsFor } from '../../domain/page.ts';
import { unitsOf } from '../../domain/units.ts';
import type { Db } from '../client.ts';
import { counters } from '../tables/index.ts';

/** A period of a customer's meter. */
export type MeterPeriod = {
  readonly tenantId: string;
  readonly customerId: string;
  readonly featureKey: string;
  readonly periodStartMs: number;
};

/**
 * The entities that have a counter in this period, by id.
 *
 * A page is one range of `counters_of_entities`: earlier periods, however many, are not walked through.
 */
export async function entityTotalsPage(
  db: Db,
  of: MeterPeriod,
  request: PageRequest<string>,
): Promise<Page<EntityTotals>> {
  const rows = await selectTotals(db)
    .where(
      and(
        inPeriod(of),
        sql`${counters.entityId} <> ''`, // written out: of a parameter the planner does not know that the index has all
        request.after === null ? undefined : gt(counters.entityId, request.after),
      ),
    )
    .orderBy(counters.entityId)
    .limit(rowsFor(request));
  return pageOf(rows.map(totalsFromRow), request);
}

/** One of them; null for an entity without a counter in this period. */
export async function entityTotals(db: Db, of: MeterPeriod, entityId: string): Promise<EntityTotals | null> {
  const [row] = await selectTotals(db).where(and(inPeriod(of), eq(counters.entityId, entityId)));
  return row ? totalsFromRow(row) : null;
}

const selectTotals = (db: Db) =>
  db.select({ entityId: counters.entityId, used: counters.used, held: counters.held }).from(counters);

const inPeriod = ({ tenantId, customerId, featureKey, periodStartMs }: MeterPeriod) =>
  and(
    eq(counters.tenantId, tenantId),
    eq(counters.customerId, customerId),
    eq(counters.featureKey, featureKey),
    eq(counters.periodStart, new Date(periodStartMs)),
  );

type TotalsRow = Pick<typeof counters.$inferSelect, 'entityId' | 'used' | 'held'>;

const totalsFromRow = ({ entityId, used, held }: TotalsRow): EntityTotals => ({
  entityId,
  used: unitsOf(used),
  held: unitsOf(held),
});
