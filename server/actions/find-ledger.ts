/** find-ledger — reads what moved between the accounts of customers, under row level security. */
import {
  type Entry,
  entriesPage,
  grantLinesPage,
  type LinePosition,
  linesByEntry,
  type PostedLine,
} from '../db/queries/postings.ts';
import type { Page, PageRequest } from '../domain/page.ts';
import type { Deps } from './deps.ts';

export type { Entry, PostedLine } from '../db/queries/postings.ts';

type Reader = Pick<Deps, 'database'>;

/** A customer's entries, the newest first. */
export const listEntries = (
  { database }: Reader,
  tenantId: string,
  filter: { readonly customerId: string; readonly featureKeys: readonly string[] | null },
  request: PageRequest<bigint>,
): Promise<Page<Entry>> => database.readAs(tenantId, (db) => entriesPage(db, { tenantId, ...filter }, request));

/** The lines of several entries, in order. */
export const findLines = (
  { database }: Reader,
  tenantId: string,
  entries: readonly Pick<Entry, 'customerId' | 'sequence'>[],
): Promise<readonly PostedLine[]> => database.readAs(tenantId, (db) => linesByEntry(db, tenantId, entries));

/** All that came to a grant and left it, the newest first. */
export const listGrantLines = (
  { database }: Reader,
  tenantId: string,
  grant: { readonly customerId: string; readonly grantId: string },
  request: PageRequest<LinePosition>,
): Promise<Page<PostedLine>> => database.readAs(tenantId, (db) => grantLinesPage(db, { tenantId, ...grant }, request));
