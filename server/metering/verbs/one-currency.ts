/** one-currency — ends a period that costs in one currency where its customer is to pay in another. */
import { costsInAnother } from '../../domain/counter-currency.ts';
import type { Draft } from '../draft.ts';
import type { Meter } from '../meter.ts';
import { beginAnew } from './begin-anew.ts';

/**
 * A price in another currency begins a new period, as a reset by hand does. A level that goes on into it was paid for, and
 * is not priced again before the next.
 */
export function keepOneCurrency(draft: Draft, meter: Meter): void {
  const { customer, feature, policy, entitled } = meter;
  const newest = customer.counters.get(feature.key);
  if (!newest || newest.currency === null || !costsInAnother(newest, policy.price)) return; // nearly all calls
  const { endMs } = newest.period;
  const isOver = endMs !== null && endMs <= draft.nowMs;
  if (entitled && !isOver) beginAnew(draft, meter, newest, { ...policy, price: null }, null);
}
