/** holding — what the model says to a hold, its commit and its release. */
import type { Units } from '../../server/domain/units.ts';
import type { CommitRequest, ReserveRequest } from '../../server/metering/requests.ts';
import type { Ask } from './ask.ts';
import type { Book, Entry, Hold, Paid } from './book.ts';
import { addEntry } from './entries.ts';
import { restOf, together } from './giving-back.ts';
import { namesNobody } from './measure.ts';
import { entriesIn, periodFrom } from './questions.ts';
import { letGo } from './settling.ts';
import { decimal, refusedWith, type Told } from './told.ts';
import { decided, reading, readingOf, splitTold, tookTold, use } from './using.ts';
import { verdictOn, windowsAt } from './verdict.ts';

export function reserve(book: Book, request: ReserveRequest, nowMs: number): Told {
  const { featureKey, amount, mode, entityId, reservationId } = request;
  const ask: Ask = { featureKey, amount, mode, purpose: 'hold', entityId, value: null, atMs: nowMs };
  const verdict = verdictOn(book, ask, nowMs);
  if (verdict.outcome === 'invalid') return refusedWith(namesNobody(ask) ? 'INVALID_INPUT' : 'INVALID_AMOUNT');
  if (verdict.outcome === 'denied') {
    return {
      ...decided(verdict.reason),
      amount: null,
      state: null,
      split: 'nothing',
      ...reading(book, featureKey, nowMs, nowMs),
    };
  }
  book.calls.push({ atMs: nowMs, windows: windowsAt(book, featureKey, nowMs) });
  const { taken, paid } = verdict;
  const entry = addEntry(book, {
    featureKey,
    entityId,
    atMs: nowMs,
    toldAtMs: nowMs,
    reported: taken,
    taken,
    paid,
    state: 'held',
  });
  const hold: Hold = {
    id: reservationId,
    entryId: entry.id,
    expiresAtMs: nowMs + request.ttlMs,
    state: 'open',
    reserved: taken,
    committed: null,
    told: null,
  };
  book.holds.push(hold);
  return holdTold(book, hold, paid, nowMs);
}

function holdTold(book: Book, hold: Hold, paid: Paid, nowMs: number): Told {
  const entry = entryOf(book, hold);
  return {
    ...decided(null),
    amount: decimal(entry.taken),
    state: hold.state,
    split: splitTold(paid),
    ...readingOf(book, entry.featureKey, periodFrom(book, entry.featureKey, entry.periodStartMs), nowMs),
  };
}

const holdNamed = (book: Book, id: string): Hold | undefined => book.holds.find((hold) => hold.id === id);

function entryOf(book: Book, hold: Hold): Entry {
  const entry = book.entries.find(({ id }) => id === hold.entryId);
  if (!entry) throw new RangeError(`hold ${hold.id} holds nothing`);
  return entry;
}

export function release(book: Book, id: string, nowMs: number): Told {
  const hold = holdNamed(book, id);
  if (!hold) return refusedWith('RESERVATION_NOT_FOUND');
  if (hold.state === 'expired') return refusedWith('RESERVATION_EXPIRED');
  if (hold.state === 'committed') return refusedWith('RESERVATION_CLOSED');
  const { paid } = entryOf(book, hold);
  if (hold.state === 'released') return { ...holdTold(book, hold, paid, nowMs), replayed: true };
  letGo(book, id, 'released');
  return holdTold(book, hold, paid, nowMs);
}

export function commit(book: Book, request: CommitRequest, nowMs: number): Told {
  const hold = holdNamed(book, request.reservationId);
  if (!hold) return refusedWith('RESERVATION_NOT_FOUND');
  if (hold.state === 'expired') return refusedWith('RESERVATION_EXPIRED');
  if (hold.state === 'released') return refusedWith('RESERVATION_CLOSED');
  if (hold.told !== null) {
    const isSame = (request.amount ?? hold.reserved) === hold.committed;
    return isSame ? { ...hold.told, replayed: true } : refusedWith('RESERVATION_CLOSED');
  }
  const told = commitOpen(book, request, hold, nowMs);
  if (told.allowed === true) {
    hold.state = 'committed';
    hold.committed = request.amount ?? hold.reserved;
    hold.told = told;
  }
  return told;
}

function commitOpen(book: Book, { amount, mode }: CommitRequest, hold: Hold, nowMs: number): Told {
  const entry = entryOf(book, hold);
  const wanted = amount ?? entry.taken;
  const { featureKey, entityId, atMs } = entry;
  if (wanted < 0n) return commitOtherSign(book, hold, wanted, mode, nowMs);
  const before = entriesIn(book, featureKey, { startMs: entry.periodStartMs, endMs: null });
  const was = structuredClone(before);
  if (wanted <= entry.taken) {
    entry.paid = together(entry.paid, restOf(entry.paid, entry.taken - wanted));
    entry.taken = wanted;
  }
  const extra = wanted - entry.taken;
  if (extra <= 0n) {
    entry.state = 'used';
    return tookTold(
      book,
      featureKey,
      periodFrom(book, featureKey, entry.periodStartMs),
      was,
      entry.taken,
      entry.paid,
      nowMs,
    );
  }
  const draft = structuredClone(book);
  const told = use(
    draft,
    { featureKey, amount: extra, mode, purpose: 'use', entityId, value: null, atMs: nowMs },
    nowMs,
  );
  if (told.allowed !== true) return told;
  entry.state = 'used';
  const first = tookTold(
    book,
    featureKey,
    periodFrom(book, featureKey, entry.periodStartMs),
    was,
    entry.taken,
    entry.paid,
    nowMs,
  );
  const count = book.entries.length;
  const more = use(
    book,
    { featureKey, amount: extra, mode, purpose: 'use', entityId, value: null, atMs: nowMs },
    nowMs,
  );
  const added = book.entries[count];
  if (!added) throw new RangeError('what goes beyond a hold was not used');
  const all = together(entry.paid, added.paid);
  return {
    ...more,
    ...reading(book, featureKey, atMs, nowMs),
    amount: decimal(entry.taken + added.taken),
    split: splitTold(all),
    alerts: [first.alerts, more.alerts].filter(Boolean).join(', '),
  };
}

function commitOtherSign(book: Book, hold: Hold, amount: Units, mode: Ask['mode'], nowMs: number): Told {
  const { featureKey, entityId } = entryOf(book, hold);
  const draft = structuredClone(book);
  letGo(draft, hold.id, 'released');
  const ask: Ask = { featureKey, amount, mode, purpose: 'use', entityId, value: null, atMs: nowMs };
  const told = use(draft, ask, nowMs);
  if (told.allowed !== true) return 'error' in told ? told : { ...told, ...reading(book, featureKey, nowMs, nowMs) }; // it holds on
  letGo(book, hold.id, 'released');
  return use(book, ask, nowMs);
}
