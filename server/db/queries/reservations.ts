/** reservations — rows of reservations in, domain values out. */
import { and, desc, eq, inArray, type SQL, sql } from 'drizzle-orm';
import { type Page, type PageRequest, pageOf, rowsFor } from '../../domain/page.ts';
import type { Reservation, ReservationState } from '../../domain/reservation.ts';
import { unitsOf } from '../../domain/units.ts';
import type { Db } from '../client.ts';
import { reservations } from '../tables/index.ts';

export type ReservationFilter = {
  readonly customerId: string;
  /** Null for all. */
  readonly featureKeys: readonly string[] | null;
  /** Null for all. One that is overdue is `expired`, whether or not it was given back yet. */
  readonly state: ReservationState | null;
};

export type ReservationPosition = { readonly createdAtMs: number; readonly id: string };

/** A customer's reservations, the newest first. */
export async function reservationsPage(
  db: Db,
  tenantId: string,
  { customerId, featureKeys, state }: ReservationFilter,
  nowMs: number,
  request: PageRequest<ReservationPosition>,
): Promise<Page<Reservation>> {
  const rows = await db
    .select()
    .from(reservations)
    .where(
      and(
        eq(reservations.tenantId, tenantId),
        eq(reservations.customerId, customerId),
        featureKeys === null ? undefined : inArray(reservations.featureKey, [...featureKeys]),
        state === null ? undefined : isIn(state, nowMs),
        request.after === null ? undefined : isBefore(request.after),
      ),
    )
    .orderBy(desc(reservations.createdAt), desc(reservations.id))
    .limit(rowsFor(request));
  return pageOf(rows.map(reservationFromRow), request);
}

/** Holds expire at their time; that it was seen to is later. */
function isIn(state: ReservationState, nowMs: number): SQL | undefined {
  const now = sql`${new Date(nowMs).toISOString()}::timestamptz`;
  if (state === 'open') return sql`${reservations.state} = 'open' AND ${reservations.expiresAt} > ${now}`;
  if (state !== 'expired') return eq(reservations.state, state);
  return sql`(${reservations.state} = 'expired' OR (${reservations.state} = 'open' AND ${reservations.expiresAt} <= ${now}))`;
}

const isBefore = ({ createdAtMs, id }: ReservationPosition): SQL =>
  sql`(${reservations.createdAt}, ${reservations.id}) < (${new Date(createdAtMs).toISOString()}::timestamptz, ${id}::uuid)`;

/** As the batch writes them; decimals are text. */
type SplitJson = Readonly<Record<'included' | 'credits' | 'wallet' | 'overage' | 'cost' | 'walletCharge', string>> & {
  readonly currency: string | null;
};
type DrawsJson = readonly (readonly [grantId: string, units: string])[];

function reservationFromRow(row: typeof reservations.$inferSelect): Reservation {
  const split = row.split as SplitJson; // as the batch wrote both: see `stored-json.ts`
  const draws = row.draws as DrawsJson;
  return {
    id: row.id,
    featureKey: row.featureKey,
    entityId: row.entityId === '' ? null : row.entityId,
    periodStartMs: row.periodStart.getTime(),
    overrideKey: row.overrideKey,
    amount: unitsOf(row.amount),
    payment: {
      included: unitsOf(split.included),
      credits: unitsOf(split.credits),
      wallet: unitsOf(split.wallet),
      overage: unitsOf(split.overage),
      cost: unitsOf(split.cost),
      walletCharge: unitsOf(split.walletCharge),
      draws: draws.map(([grantId, units]) => ({ grantId, units: unitsOf(units) })),
    },
    currency: split.currency,
    properties: row.properties === null ? null : JSON.stringify(row.properties),
    state: row.state as ReservationState, // a constraint of the table lets no other in
    committed: row.committed === null ? null : unitsOf(row.committed),
    createdAtMs: row.createdAt.getTime(),
    expiresAtMs: row.expiresAt.getTime(),
    closedAtMs: row.closedAt?.getTime() ?? null,
  };
}
