/** config-price — the price of a feature's units, as a config file writes each of the models. */
import type { z } from 'zod';
import { chosen, currency, decimal, fields, isGroup, list, oneOf, orNull } from './config-parts.ts';
import { shown } from './config-problems.ts';
import { DEFAULT_CURRENCY } from './domain/money.ts';
import type { Price } from './domain/price.ts';

const MODES = ['graduated', 'volume', 'stairstep'] as const;

/** What every model has. */
const common = {
  currency: currency.default(DEFAULT_CURRENCY),
  minimumSpend: orNull(decimal).default(null),
  maximumSpend: orNull(decimal).default(null),
};

const perUnit = fields('a price per unit', { unitAmount: decimal, ...common }).transform(
  (said): Price => ({ model: 'per_unit', ...said }),
);

const perPackage = fields('a price per package', { unitAmount: decimal, per: decimal, ...common }).transform(
  ({ unitAmount, per, ...rest }): Price => ({
    model: 'package',
    packageAmount: unitAmount,
    packageSize: per,
    ...rest,
  }),
);

const percentage = fields('a price in percent', { percent: decimal, ...common }).transform(
  (said): Price => ({ model: 'percentage', ...said }),
);

const tierFields = fields('a tier', {
  upTo: orNull(decimal),
  unitAmount: decimal.exactOptional(),
  flatAmount: decimal.exactOptional(),
});

const tier = tierFields.transform(({ upTo, unitAmount, flatAmount }, context) => {
  if (unitAmount === undefined && flatAmount === undefined) {
    const message = 'has no amount; give unitAmount (a unit) or flatAmount (for reaching the tier), 0 where it is free';
    context.addIssue({ code: 'custom', message });
  }
  return { upTo, unitAmount: unitAmount ?? 0n, flatAmount: flatAmount ?? 0n };
});

const step = fields('a tier of a stairstep price', { upTo: orNull(decimal), flatAmount: decimal }).transform(
  (said) => ({ ...said, unitAmount: 0n }),
);

const TIERS = 'a list like [{ upTo: 1_000, unitAmount: 10 }, { upTo: null, unitAmount: 8 }]';

const inTiers = fields('a price in tiers', {
  tiers: list(tier, TIERS),
  mode: oneOf(MODES).default('graduated'),
  ...common,
}).transform(({ mode, ...rest }): Price => ({ model: mode, ...rest }));

const inSteps = fields('a stairstep price', {
  tiers: list(step, 'a list like [{ upTo: 1_000, flatAmount: 500 }, { upTo: null, flatAmount: 900 }]'),
  mode: oneOf(MODES),
  ...common,
}).transform(({ mode, ...rest }): Price => ({ model: mode, ...rest }));

const SPELLINGS =
  '{ unitAmount: 10 } for each unit, { unitAmount: 10, per: 100 } for each 100 begun, { percent: 2.9 }, or { tiers: [ … ] }';

/** Which model is meant, by the fields that only it has. */
function modelOf(found: unknown): z.ZodType<Price> | string {
  if (typeof found === 'number' || typeof found === 'string') {
    return `is ${shown(found)}; write { unitAmount: ${found} } for a price of so many minor units (cents) each`;
  }
  if (found === false || found === null)
    return `is ${found}; leave it out where use costs nothing, or write { unitAmount: 0 }`;
  if (!isGroup(found)) return `is ${shown(found)}; write ${SPELLINGS}`;
  if ('tiers' in found || 'mode' in found) return found.mode === 'stairstep' ? inSteps : inTiers;
  if ('percent' in found) return percentage;
  if ('per' in found) return perPackage;
  return 'unitAmount' in found ? perUnit : `says no amount; write ${SPELLINGS}`;
}

export const price = chosen(modelOf);
