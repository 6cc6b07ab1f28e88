/** money — an exact decimal of minor units (cents) in one currency. */
import type { Units } from './units.ts';

export type Money = { readonly amount: Units; readonly currency: string };

/** ISO 4217, lower case as Stripe writes it. Used where neither feature nor plan names a currency. */
export const DEFAULT_CURRENCY = 'usd';
