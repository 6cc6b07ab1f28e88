/** price-json — a price as it is kept in JSON columns: decimals as text. */
import type { Price, Tier } from '../domain/price.ts';
import { formatUnits, type Units, unitsOf } from '../domain/units.ts';

type TierJson = { readonly upTo: string | null; readonly unitAmount: string; readonly flatAmount: string };

type RatesJson =
  /** Earlier versions knew no other model, and no bounds. */
  | { readonly model?: 'per_unit'; readonly unitAmount: string }
  | { readonly model: 'package'; readonly packageAmount: string; readonly packageSize: string }
  | { readonly model: 'percentage'; readonly percent: string }
  | { readonly model: 'graduated' | 'volume' | 'stairstep'; readonly tiers: readonly TierJson[] };

export type PriceJson = RatesJson & {
  readonly currency: string;
  readonly minimumSpend?: string | null;
  readonly maximumSpend?: string | null;
};

export function priceToJson(price: Price): PriceJson {
  const bounds = {
    currency: price.currency,
    minimumSpend: textOrNull(price.minimumSpend),
    maximumSpend: textOrNull(price.maximumSpend),
  };
  switch (price.model) {
    case 'per_unit':
      return { model: price.model, unitAmount: formatUnits(price.unitAmount), ...bounds };
    case 'package': {
      const [packageAmount, packageSize] = [formatUnits(price.packageAmount), formatUnits(price.packageSize)];
      return { model: price.model, packageAmount, packageSize, ...bounds };
    }
    case 'percentage':
      return { model: price.model, percent: formatUnits(price.percent), ...bounds };
    default:
      return { model: price.model, tiers: price.tiers.map(tierToJson), ...bounds };
  }
}

export function priceFromJson(json: PriceJson): Price {
  const bounds = {
    currency: json.currency,
    minimumSpend: unitsOrNull(json.minimumSpend),
    maximumSpend: unitsOrNull(json.maximumSpend),
  };
  switch (json.model) {
    case undefined:
    case 'per_unit':
      return { model: 'per_unit', unitAmount: unitsOf(json.unitAmount), ...bounds };
    case 'package': {
      const [packageAmount, packageSize] = [unitsOf(json.packageAmount), unitsOf(json.packageSize)];
      return { model: json.model, packageAmount, packageSize, ...bounds };
    }
    case 'percentage':
      return { model: json.model, percent: unitsOf(json.percent), ...bounds };
    default:
      return { model: json.model, tiers: json.tiers.map(tierFromJson), ...bounds };
  }
}

const tierToJson = ({ upTo, unitAmount, flatAmount }: Tier): TierJson => ({
  upTo: textOrNull(upTo),
  unitAmount: formatUnits(unitAmount),
  flatAmount: formatUnits(flatAmount),
});

const tierFromJson = ({ upTo, unitAmount, flatAmount }: TierJson): Tier => ({
  upTo: unitsOrNull(upTo),
  unitAmount: unitsOf(unitAmount),
  flatAmount: unitsOf(flatAmount),
});

const textOrNull = (units: Units | null): string | null => (units === null ? null : formatUnits(units));

const unitsOrNull = (text: string | null | undefined): Units | null =>
  text === null || text === undefined ? null : unitsOf(text);
