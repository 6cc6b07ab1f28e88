/**
 * counter-currency — a period costs in one currency, since amounts of two are never added. Pure.
 *
 * Whoever is to pay in another begins a new period: see `keepOneCurrency`. What cannot wait for that, because its period is
 * over, is not priced in a currency that the period does not have.
 */
import type { Counter } from './counter.ts';
import type { Price } from './price.ts';

/** Whether a price is in another currency than what the period has cost until now. */
export const costsInAnother = ({ currency }: Pick<Counter, 'currency'>, price: Price | null): boolean =>
  currency !== null && price !== null && price.currency !== currency;

/** The price that units of the period have; null where it is in another currency. */
export const priceIn = (counter: Pick<Counter, 'currency'>, price: Price | null): Price | null =>
  costsInAnother(counter, price) ? null : price;

/** The currency of a counter's money after some of it moved: its own, or that of the first; null when there is none left. */
export const currencyAfter = (
  before: Pick<Counter, 'currency'>,
  { cost, walletCharge }: Pick<Counter, 'cost' | 'walletCharge'>,
  moved: string | null,
): string | null => (cost === 0n && walletCharge === 0n ? null : (before.currency ?? moved));
