/** price — what a quantity costs, by one of the models that price lists are made of. Pure, exact. */
import type { Units } from './units.ts';

export const PRICE_MODELS = ['per_unit', 'package', 'percentage', 'graduated', 'volume', 'stairstep'] as const;
export type PriceModel = (typeof PRICE_MODELS)[number];

/** Units up to and including `upTo` (null: all others), for so much each and a flat fee for reaching the tier. */
export type Tier = { readonly upTo: Units | null; readonly unitAmount: Units; readonly flatAmount: Units };

type Rates =
  /** So much for each unit. */
  | { readonly model: 'per_unit'; readonly unitAmount: Units }
  /** So much for each package of units that was begun. */
  | { readonly model: 'package'; readonly packageAmount: Units; readonly packageSize: Units }
  /** So many percent of the quantity, which is itself money in minor units. */
  | { readonly model: 'percentage'; readonly percent: Units }
  /** `graduated`: each unit at its own tier's rate. `volume`: all at the rate of the tier that the total reaches.
   *  `stairstep`: the flat fee of the tier that the total reaches, and nothing a unit. */
  | { readonly model: 'graduated' | 'volume' | 'stairstep'; readonly tiers: readonly Tier[] };

/** Money is in minor units of the currency and may be a fraction of a cent. */
export type Price = Rates & {
  /** ISO 4217, lower case. */
  readonly currency: string;
  /** The least that a period with any use costs; applied on the invoice alone. */
  readonly minimumSpend: Units | null;
  /** The most that a period costs. */
  readonly maximumSpend: Units | null;
};
