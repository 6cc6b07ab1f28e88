/** entries — writing into the list of what was used and held. */
import type { Book, Entry } from './book.ts';
import { periodOf } from './questions.ts';

type New = Pick<Entry, 'featureKey' | 'atMs' | 'toldAtMs' | 'reported' | 'taken' | 'paid'> & Partial<Entry>;

/** Adds an entry; it is used, by the customer itself, in the period of its instant, unless told otherwise. */
export function addEntry(book: Book, entry: New): Entry {
  const added: Entry = {
    id: book.entries.length,
    entityId: null,
    periodStartMs: periodOf(book, entry.featureKey, entry.atMs).startMs,
    value: null,
    state: 'used',
    sequence: null,
    reversed: false,
    isReversal: false,
    isCarry: false,
    ...entry,
  };
  book.entries.push(added);
  book.hasPaid ||= added.paid.walletCharge !== 0n;
  return added;
}
