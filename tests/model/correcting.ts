/** correcting — what the model says to an event that is taken back, and to a period that is ended by hand. */
import type { Units } from '../../server/domain/units.ts';
import type { Book } from './book.ts';
import { addEntry } from './entries.ts';
import { givenBack, payersOfEntry } from './giving-back.ts';
import { isAdditive } from './measure.ts';
import { entriesIn, entriesOf, periodFrom, policyAt, usedIn } from './questions.ts';
import { refusedWith, type Told } from './told.ts';
import { reading, tookTold } from './using.ts';

export function reverse(book: Book, sequence: bigint, nowMs: number): Told {
  const entry = book.entries.find((one) => one.sequence === sequence);
  if (!entry) return refusedWith('EVENT_NOT_FOUND');
  if (entry.reversed) return refusedWith('EVENT_ALREADY_REVERSED');
  const { featureKey, entityId, atMs, periodStartMs } = entry;
  if (!isAdditive(featureKey) || entry.taken <= 0n) return refusedWith('INVALID_AMOUNT');
  const before = entriesIn(book, featureKey, { startMs: entry.periodStartMs, endMs: null });
  const policy = policyAt(book, featureKey, nowMs);
  const taken = least(entry.taken, usedIn(before)); // what was given back meanwhile is not given back twice
  const paid = givenBack(before, taken, policy.price, payersOfEntry(before, entriesOf(book, featureKey), entry, taken));
  entry.reversed = true;
  addEntry(book, {
    featureKey,
    entityId,
    atMs,
    periodStartMs,
    toldAtMs: nowMs,
    reported: -taken,
    taken: -taken,
    paid,
    isReversal: true,
  });
  return tookTold(book, featureKey, periodFrom(book, featureKey, periodStartMs), before, -taken, paid, nowMs);
}

const least = (a: Units, b: Units): Units => (a < b ? a : b);

export function restart(book: Book, featureKey: string, nowMs: number): Told {
  book.restarts.push({ featureKey, atMs: nowMs });
  return reading(book, featureKey, nowMs, nowMs);
}
