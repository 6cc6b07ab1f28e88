/** measure — how much of its feature a report takes, by the feature's aggregation, from the list of what was reported. */
import type { LimitPolicy } from '../../server/domain/policy.ts';
import { ONE, type Units } from '../../server/domain/units.ts';
import type { Ask } from './ask.ts';
import type { Book, Entry } from './book.ts';
import { definitionOf } from './catalog.ts';
import { roundHalfEven } from './cost.ts';
import { periodOf, sumOf, usedIn } from './questions.ts';

/** Whether the call makes no sense for this feature, whoever calls. */
export function isInvalid({ featureKey, amount, purpose, entityId }: Ask, { minLimit }: LimitPolicy): boolean {
  const aggregation = definitionOf(featureKey).aggregation ?? 'sum';
  if (!isAdditive(featureKey) && (entityId !== null || purpose === 'hold')) return true;
  if (purpose === 'hold' && amount < 0n) return true;
  if (amount === 0n) return aggregation !== 'latest';
  const isEach = aggregation === 'unique' || aggregation === 'count';
  if (isEach && amount !== ONE && amount !== -ONE) return true; // each counts as one
  if (amount > 0n) return false;
  return aggregation !== 'weighted_sum' && minLimit === null;
}

/** Whether the call names an entity of what none has a part of: what is wrong with it is the entity, not the amount. */
export const namesNobody = ({ featureKey, entityId }: Ask): boolean => entityId !== null && !isAdditive(featureKey);

/** Whether use is a sum of amounts: only such can be held, taken back, and told apart by entity. */
export const isAdditive = (featureKey: string): boolean =>
  ['count', 'sum', 'duration'].includes(definitionOf(featureKey).aggregation ?? 'sum');

/** Units that the report adds to what is used; below 0 gives back. */
export function takenBy(book: Book, ask: Ask, entries: readonly Entry[]): Units {
  switch (definitionOf(ask.featureKey).aggregation ?? 'sum') {
    case 'count':
    case 'sum':
    case 'duration':
      return ask.amount;
    case 'max': {
      const beyond = ask.amount - usedIn(entries);
      return beyond > 0n ? beyond : 0n;
    }
    case 'unique': {
      const isKnown = entries.some(({ value, taken, reversed }) => value === ask.value && taken > 0n && !reversed);
      return isKnown ? 0n : ONE;
    }
    case 'latest':
      return ask.atMs < lastReportMs(book, ask.featureKey) ? 0n : ask.amount - levelOf(book, ask.featureKey);
    case 'weighted_sum': {
      const period = periodOf(book, ask.featureKey, ask.atMs);
      const endMs = period.endMs ?? Number.NaN;
      const lengthMs = BigInt(endMs - period.startMs);
      const area = sumOf(entries.map((entry) => entry.reported * BigInt(endMs - entry.atMs)));
      const more = ask.amount * BigInt(endMs - ask.atMs);
      return roundHalfEven({ over: area + more, under: lengthMs }) - roundHalfEven({ over: area, under: lengthMs });
    }
  }
}

/** Of a gauge, or of a quantity that is held over time: where it stands. */
export function levelOf(book: Book, featureKey: string): Units {
  const own = book.entries.filter((entry) => entry.featureKey === featureKey && entry.state !== 'undone');
  if (definitionOf(featureKey).aggregation === 'latest') return sumOf(own.map(({ taken }) => taken));
  return sumOf(own.filter(({ isCarry }) => !isCarry).map(({ reported }) => reported));
}

const lastReportMs = (book: Book, featureKey: string): number =>
  Math.max(...book.entries.filter((entry) => entry.featureKey === featureKey).map(({ atMs }) => atMs));
