/** postings — what moved between accounts: by customer, by event, by grant. */
import { and, asc, desc, eq, inArray, isNotNull, lt, or, type SQL, sql } from 'drizzle-orm';
import { type Page, type PageRequest, pageOf, rowsFor } from '../../domain/page.ts';
import type { Account, EntryKind, Posting } from '../../domain/posting.ts';
import { unitsOf } from '../../domain/units.ts';
import type { Db } from '../client.ts';
import { postings } from '../tables/index.ts';

/** A posting as it is stored: one line of an entry. */
export type PostedLine = Posting & {
  readonly customerId: string;
  /** The customer's sequence of the entry, and of the event if there is one. */
  readonly sequence: bigint;
  readonly line: number;
  readonly kind: EntryKind;
  readonly recordedAtMs: number;
};

/** All that moved at one sequence of a customer. */
export type Entry = {
  readonly customerId: string;
  readonly sequence: bigint;
  /** What happened; where several things did, the first of them. */
  readonly kind: EntryKind;
  readonly recordedAtMs: number;
  /** In order of posting; they sum to zero in each commodity. */
  readonly lines: readonly PostedLine[];
};

type OfCustomer = {
  readonly tenantId: string;
  readonly customerId: string;
  /** Only what is about these; null for all, and money put in or paid out. */
  readonly featureKeys: readonly string[] | null;
};

/** A customer's entries, the newest first. */
export async function entriesPage(db: Db, filter: OfCustomer, request: PageRequest<bigint>): Promise<Page<Entry>> {
  const found = await db
    .selectDistinct({ sequence: postings.sequence })
    .from(postings)
    .where(and(isOf(filter), request.after === null ? undefined : lt(postings.sequence, request.after)))
    .orderBy(desc(postings.sequence))
    .limit(rowsFor(request));
  const { nodes, hasNextPage } = pageOf(found, request);
  const sequences = nodes.map(({ sequence }) => sequence);
  const lines = sequences.length === 0 ? [] : await linesWhere(db, isOf(filter), inArray(postings.sequence, sequences));
  return { nodes: entriesOf(lines), hasNextPage };
}

/** The lines of several entries, in order; of those that are not the tenant's, or not there, none. */
export async function linesByEntry(
  db: Db,
  tenantId: string,
  entries: readonly Pick<Entry, 'customerId' | 'sequence'>[],
): Promise<readonly PostedLine[]> {
  const wanted = entries.map(({ customerId, sequence }) =>
    and(eq(postings.customerId, customerId), eq(postings.sequence, sequence)),
  );
  return linesWhere(db, eq(postings.tenantId, tenantId), or(...wanted));
}

export type LinePosition = { readonly sequence: bigint; readonly line: number };

/** All that came to a grant and left it, the newest first. */
export async function grantLinesPage(
  db: Db,
  {
    tenantId,
    customerId,
    grantId,
  }: { readonly tenantId: string; readonly customerId: string; readonly grantId: string },
  request: PageRequest<LinePosition>,
): Promise<Page<PostedLine>> {
  const rows = await db
    .select()
    .from(postings)
    .where(
      and(
        eq(postings.tenantId, tenantId),
        eq(postings.customerId, customerId),
        eq(postings.grantId, grantId),
        isNotNull(postings.grantId), // as the index says
        request.after === null ? undefined : isBefore(request.after),
      ),
    )
    .orderBy(desc(postings.sequence), desc(postings.line))
    .limit(rowsFor(request));
  return pageOf(rows.map(lineFromRow), request);
}

const isOf = ({ tenantId, customerId, featureKeys }: OfCustomer): SQL | undefined =>
  and(
    eq(postings.tenantId, tenantId),
    eq(postings.customerId, customerId),
    featureKeys === null ? undefined : inArray(postings.featureKey, [...featureKeys]),
  );

const isBefore = ({ sequence, line }: LinePosition): SQL =>
  sql`(${postings.sequence}, ${postings.line}) < (${String(sequence)}::bigint, ${line}::integer)`;

async function linesWhere(db: Db, ...conditions: readonly (SQL | undefined)[]): Promise<readonly PostedLine[]> {
  const rows = await db
    .select()
    .from(postings)
    .where(and(...conditions))
    .orderBy(desc(postings.sequence), asc(postings.line));
  return rows.map(lineFromRow);
}

/** @param lines Those of one entry side by side, in order. */
function entriesOf(lines: readonly PostedLine[]): readonly Entry[] {
  const bySequence = new Map<bigint, PostedLine[]>();
  for (const line of lines) {
    const ofEntry = bySequence.get(line.sequence);
    if (ofEntry) ofEntry.push(line);
    else bySequence.set(line.sequence, [line]);
  }
  return [...bySequence.values()].flatMap((ofEntry) => {
    const [first] = ofEntry;
    if (!first) return [];
    const { customerId, sequence, kind, recordedAtMs } = first;
    return [{ customerId, sequence, kind, recordedAtMs, lines: ofEntry }];
  });
}

const lineFromRow = (row: typeof postings.$inferSelect): PostedLine => ({
  customerId: row.customerId,
  sequence: row.sequence,
  line: row.line,
  kind: row.kind as EntryKind, // the batch writes no other, nor another account
  account: row.account as Account,
  grantId: row.grantId,
  commodity: row.commodity,
  featureKey: row.featureKey,
  amount: unitsOf(row.amount),
  recordedAtMs: row.recordedAt.getTime(),
});
