/** top-up-requests — money that wallets asked for: rows in, domain values out. */
import { and, eq, isNull, type SQL, sql } from 'drizzle-orm';
import { type Page, type PageRequest, pageOf, rowsFor } from '../../domain/page.ts';
import { type Units, unitsOf } from '../../domain/units.ts';
import type { Db, Query } from '../client.ts';
import { customers, topUpRequests } from '../tables/index.ts';

export type TopUpState = 'asked' | 'paid' | 'failed';

/** Money that a wallet asked the biller for, by the rule of its plan. */
export type TopUpRequest = {
  readonly customerId: string;
  readonly referenceId: string;
  /** The customer's sequence at which the wallet ran low. */
  readonly sequence: bigint;
  readonly currency: string;
  /** In minor units. */
  readonly amount: Units;
  readonly state: TopUpState;
  readonly askedAtMs: number;
  /** Null while it is neither paid nor failed. */
  readonly settledAtMs: number | null;
};

/** One wallet, of one currency, asks at a sequence: so this names a request. */
export type TopUpPosition = Pick<TopUpRequest, 'askedAtMs' | 'customerId' | 'sequence'>;

/**
 * The tenant's, the oldest first.
 *
 * A page is read off `top_up_requests_tenant`, and of those that are still asked for off `top_up_requests_asked`, which
 * holds no others.
 *
 * @param state Null for all.
 */
export async function topUpRequestsPage(
  db: Db,
  tenantId: string,
  state: TopUpState | null,
  request: PageRequest<TopUpPosition>,
): Promise<Page<TopUpRequest>> {
  const page = db
    .select()
    .from(topUpRequests)
    .where(
      and(
        eq(topUpRequests.tenantId, tenantId),
        state === null ? undefined : isIn(state),
        request.after === null ? undefined : isAfter(request.after),
      ),
    )
    .orderBy(topUpRequests.askedAt, topUpRequests.customerId, topUpRequests.sequence)
    .limit(rowsFor(request))
    .as('page'); // first the page, then whose they are: never the other way round
  const rows = await db
    .select({ topUp: page._.selectedFields, referenceId: customers.referenceId })
    .from(page)
    .innerJoin(customers, eq(customers.id, page.customerId))
    .orderBy(page.askedAt, page.customerId, page.sequence);
  return pageOf(rows.map(topUpFromRow), request);
}

/** Written out where it decides between indexes: of a parameter the planner does not know what it will be. */
const isIn = (state: TopUpState): SQL =>
  state === 'asked' ? sql`${topUpRequests.state} = 'asked'` : eq(topUpRequests.state, state);

/** A comparison of rows, which an index serves as one range. */
function isAfter({ askedAtMs, customerId, sequence }: TopUpPosition): SQL {
  const position = sql`(${new Date(askedAtMs).toISOString()}::timestamptz, ${customerId}::uuid, ${String(sequence)}::bigint)`;
  return sql`(${topUpRequests.askedAt}, ${topUpRequests.customerId}, ${topUpRequests.sequence}) > ${position}`;
}

type TopUpRow = { readonly topUp: typeof topUpRequests.$inferSelect; readonly referenceId: string };

const topUpFromRow = ({ topUp, referenceId }: TopUpRow): TopUpRequest => ({
  customerId: topUp.customerId,
  referenceId,
  sequence: topUp.sequence,
  currency: topUp.currency,
  amount: unitsOf(topUp.amount),
  state: topUp.state as TopUpState, // the batch writes no other
  askedAtMs: topUp.askedAt.getTime(),
  settledAtMs: topUp.settledAt?.getTime() ?? null,
});

/** Names a request. */
export type RequestedTopUp = Pick<TopUpRequest, 'customerId' | 'sequence' | 'currency'> & { readonly tenantId: string };

const isRequest = ({ tenantId, customerId, sequence, currency }: RequestedTopUp) =>
  and(
    eq(topUpRequests.tenantId, tenantId),
    eq(topUpRequests.customerId, customerId),
    eq(topUpRequests.sequence, sequence),
    eq(topUpRequests.currency, currency),
  );

/** Notes the charge that counts for a request. @returns false where one was noted before. */
export async function noteCharge(db: Db, of: RequestedTopUp, paymentId: string): Promise<boolean> {
  const noted = await db
    .update(topUpRequests)
    .set({ paymentId })
    .where(and(isRequest(of), isNull(topUpRequests.paymentId)))
    .returning({ sequence: topUpRequests.sequence });
  return noted.length > 0;
}

/** @returns null where the wallet never asked. */
export async function topUpStateOf(db: Db, of: RequestedTopUp): Promise<TopUpState | null> {
  const [row] = await db.select({ state: topUpRequests.state }).from(topUpRequests).where(isRequest(of));
  return row ? (row.state as TopUpState) : null; // the batch writes no other
}

/** A request that nobody has settled, of whichever tenant. */
export type AskedTopUp = Omit<TopUpRequest, 'referenceId' | 'state' | 'settledAtMs'> & { readonly tenantId: string };

const READ_ASKED = `
  SELECT tenant_id, customer_id, sequence, currency, amount, asked_at FROM top_up_requests
  WHERE state = 'asked' AND (tenant_id, asked_at, customer_id, sequence, currency) >
    ($1::uuid, $2::timestamptz, $3::uuid, $4::bigint, $5::text)
  ORDER BY tenant_id, asked_at, customer_id, sequence, currency LIMIT $6::integer`;

const NIL = '00000000-0000-0000-0000-000000000000';
const BEFORE_ALL = { tenantId: NIL, askedAtMs: 0, customerId: NIL, sequence: -1n, currency: '' };

/** Of all tenants, those of each the oldest first. */
export async function askedTopUps(
  query: Query,
  after: AskedTopUp | null,
  limit: number,
): Promise<readonly AskedTopUp[]> {
  const { tenantId, askedAtMs, customerId, sequence, currency } = after ?? BEFORE_ALL;
  const params = [tenantId, new Date(askedAtMs).toISOString(), customerId, String(sequence), currency, limit];
  const rows = await query<AskedRow>({ text: READ_ASKED, params });
  return rows.map((row) => ({
    tenantId: row.tenant_id,
    customerId: row.customer_id,
    sequence: BigInt(row.sequence),
    currency: row.currency,
    amount: unitsOf(row.amount),
    askedAtMs: new Date(row.asked_at).getTime(),
  }));
}

type AskedRow = {
  readonly tenant_id: string;
  readonly customer_id: string;
  readonly sequence: string;
  readonly currency: string;
  readonly amount: string;
  /** One driver reads instants, the other their text. */
  readonly asked_at: Date | string;
};
