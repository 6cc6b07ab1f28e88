/** prepaying — what the model says to grants and to money. */
import type { Units } from '../../server/domain/units.ts';
import type { GrantRequest } from '../../server/metering/requests.ts';
import type { Book, ModelGrant } from './book.ts';
import { balanceOf, regularPeriod, remainingOf } from './questions.ts';
import { decimal, instant, refusedWith, type Told } from './told.ts';
import { reading } from './using.ts';

export function grant(book: Book, request: GrantRequest, nowMs: number): Told {
  const { featureKey, amount, recurring, expiresAtMs } = request;
  const effectiveFromMs = request.effectiveFromMs ?? nowMs;
  const renewal = recurring && { ...recurring, amount };
  const renewsAtMs = renewal && regularPeriod(book, featureKey, renewal.reset, effectiveFromMs).endMs;
  const ends = renewal && renewal.onRenewal !== 'add' ? renewsAtMs : expiresAtMs;
  book.grants.push({
    id: request.grantId,
    featureKey,
    isPlan: false,
    amount,
    priority: request.priority ?? 100,
    effectiveFromMs,
    expiresAtMs: ends,
    createdAtMs: nowMs,
    renewal,
    renewsAtMs,
    originId: request.grantId,
    rolledOver: false,
    lost: [],
    isVoided: false,
  });
  return grantTold(book, request.grantId, nowMs);
}

function grantTold(book: Book, id: string, nowMs: number): Told {
  const found = book.grants.find((one) => one.id === id);
  if (!found) return refusedWith('GRANT_NOT_FOUND');
  return {
    granted: decimal(found.amount),
    left: isGone(found, nowMs) ? '0' : decimal(remainingOf(book, found)),
    renewsAt: instant(found.renewsAtMs),
    ...reading(book, found.featureKey, nowMs, nowMs),
  };
}

const isGone = ({ isVoided, expiresAtMs }: ModelGrant, nowMs: number): boolean =>
  isVoided || (expiresAtMs !== null && expiresAtMs <= nowMs);

/** A grant that comes again is voided with all that came of it. */
export function voidGrant(book: Book, id: string, nowMs: number): Told {
  const running = book.grants.filter((one) => (one.id === id || one.originId === id) && !isGone(one, nowMs));
  for (const one of running) {
    one.isVoided = true;
    one.renewsAtMs = null;
  }
  const told = grantTold(book, id, nowMs);
  return running.length === 0 && !('error' in told) ? { ...told, replayed: true } : told;
}

export function topUp(book: Book, amount: Units, nowMs: number): Told {
  if (amount < 0n && (balanceOf(book, nowMs) ?? 0n) + amount < 0n) return refusedWith('INSUFFICIENT_BALANCE');
  book.money.push({ amount });
  return { wallet: decimal(balanceOf(book, nowMs)) };
}
