/** price — what units cost beyond what is included: every model of a price list. */
import { invalidInput } from '../domain/errors.ts';
import { DEFAULT_CURRENCY } from '../domain/money.ts';
import type { Price, PriceModel, Tier } from '../domain/price.ts';
import type { ParsedUnits } from '../domain/units.ts';
import * as bounds from './bounds.ts';
import { builder, wordEnum } from './builder.ts';

const PriceModelEnum = wordEnum<PriceModel>('PriceModel', 'How a price is made of a quantity.', {
  per_unit: '`unitAmount` for each unit.',
  package: '`unitAmount` for each package of `packageSize` units that was begun.',
  percentage: '`percent` of the quantity, which is itself money in minor units.',
  graduated: 'Each unit at the rate of the tier it lies in.',
  volume: 'All units at the rate of the tier that the total reaches.',
  stairstep: 'The flat amount of the tier that the total reaches, and nothing a unit.',
});

const TierType = builder.objectRef<Tier>('PriceTier').implement({
  description: 'A part of a price list. It begins where the tier before it ends.',
  fields: (t) => ({
    upTo: t.expose('upTo', {
      type: 'Decimal',
      nullable: true,
      description: 'The last unit in it. Null in the last tier: all others.',
    }),
    unitAmount: t.expose('unitAmount', { type: 'Decimal', description: 'In minor units (cents) per unit.' }),
    flatAmount: t.expose('flatAmount', { type: 'Decimal', description: 'In minor units, once, for reaching it.' }),
  }),
});

export const PriceType = builder.objectRef<Price>('Price').implement({
  description: 'What units cost beyond what is included. A field that the model does not know is null.',
  fields: (t) => ({
    model: t.expose('model', { type: PriceModelEnum, description: 'How it is made of a quantity.' }),
    unitAmount: t.field({
      type: 'Decimal',
      nullable: true,
      description:
        'In minor units (cents) per unit; where there is a `packageSize`, per package. Null in other models.',
      resolve: (price) => {
        if (price.model === 'package') return price.packageAmount;
        return price.model === 'per_unit' ? price.unitAmount : null;
      },
    }),
    currency: t.exposeString('currency', { description: 'ISO 4217, in small letters: `usd`.' }),
    packageSize: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'Units in a package; one that is begun is paid in full.',
      resolve: (price) => (price.model === 'package' ? price.packageSize : null),
    }),
    percent: t.field({
      type: 'Decimal',
      nullable: true,
      description: '2.9 is 2.9 %.',
      resolve: (price) => (price.model === 'percentage' ? price.percent : null),
    }),
    tiers: t.field({
      type: [TierType],
      nullable: true,
      description: 'In ascending order, the last one open.',
      resolve: (price) => ('tiers' in price ? [...price.tiers] : null),
    }),
    minimumSpend: t.expose('minimumSpend', {
      type: 'Decimal',
      nullable: true,
      description: 'The least that a period with any use costs, in minor units; put on the invoice.',
    }),
    maximumSpend: t.expose('maximumSpend', {
      type: 'Decimal',
      nullable: true,
      description: 'The most that a period costs, in minor units.',
    }),
  }),
});

const TierInput = builder.inputType('PriceTierInput', {
  description: 'A part of a price list. It begins where the tier before it ends.',
  fields: (t) => ({
    upTo: t.field({ type: 'Decimal', description: 'The last unit in it; null or left out in the last tier alone.' }),
    unitAmount: t.field({ type: 'Decimal', description: 'In minor units (cents) per unit; 0 by default.' }),
    flatAmount: t.field({ type: 'Decimal', description: 'In minor units, once, for reaching it; 0 by default.' }),
  }),
});

export const PriceInput = builder.inputType('PriceInput', {
  description:
    'What units cost beyond what is included. The fields say which model it is: `unitAmount` alone, with `packageSize`, `percent`, or `tiers`.',
  fields: (t) => ({
    model: t.field({
      type: PriceModelEnum,
      description: 'Needed for tiers that are not `GRADUATED`; otherwise it may be left out.',
    }),
    unitAmount: t.field({
      type: 'Decimal',
      description: 'In minor units (cents) per unit, or per package of `packageSize`; 0 or more.',
    }),
    currency: t.string({ description: 'ISO 4217, in small letters. `usd` when left out.' }),
    packageSize: t.field({ type: 'Decimal', description: 'Units in a package; above 0.' }),
    percent: t.field({ type: 'Decimal', description: '2.9 is 2.9 %; 0 or more.' }),
    tiers: t.field({ type: [TierInput], description: 'In ascending order, the last one open; at most 100.' }),
    minimumSpend: t.field({ type: 'Decimal', description: 'The least that a period with any use costs.' }),
    maximumSpend: t.field({ type: 'Decimal', description: 'The most that a period costs.' }),
  }),
});

type Sent = ParsedUnits | null | undefined;

export type PriceFields = {
  readonly model?: PriceModel | null | undefined;
  readonly unitAmount?: Sent;
  readonly currency?: string | null | undefined;
  readonly packageSize?: Sent;
  readonly percent?: Sent;
  readonly tiers?: readonly TierFields[] | null | undefined;
  readonly minimumSpend?: Sent;
  readonly maximumSpend?: Sent;
};
type TierFields = { readonly upTo?: Sent; readonly unitAmount?: Sent; readonly flatAmount?: Sent };

/** The fields that make a model, each of which needs all of its own and knows no other's. */
const FIELDS = {
  per_unit: ['unitAmount'],
  package: ['unitAmount', 'packageSize'],
  percentage: ['percent'],
  graduated: ['tiers'],
  volume: ['tiers'],
  stairstep: ['tiers'],
} as const satisfies Record<PriceModel, readonly (keyof PriceFields)[]>;

const RATE_FIELDS = ['unitAmount', 'packageSize', 'percent', 'tiers'] as const;

/** @throws {MeterError} `INVALID_INPUT` for fields that are no price together, and for text that is no decimal. */
export function priceFrom(fields: PriceFields, path: bounds.Path): Price {
  const model = fields.model ?? modelOf(fields);
  const owned: readonly (keyof PriceFields)[] = FIELDS[model];
  const missing = owned.find((field) => !bounds.isGiven(fields[field]));
  const strange = RATE_FIELDS.find((field) => bounds.isGiven(fields[field]) && !owned.includes(field));
  if (missing !== undefined) {
    const sentence = `\`${missing}\` is missing; a ${model.toUpperCase()} price has ${owned.join(' and ')}.`;
    throw invalidInput([...path, missing], sentence);
  }
  if (strange !== undefined) {
    const sentence = `\`${strange}\` is no part of a ${model.toUpperCase()} price, which has ${owned.join(' and ')}; send one model.`;
    throw invalidInput([...path, strange], sentence);
  }
  const { unitAmount, packageSize, percent, tiers } = fields;
  const decimal = (sent: Sent, field: string) => bounds.decimal(sent ?? ZERO, [...path, field]);
  const rest = {
    currency: fields.currency ?? DEFAULT_CURRENCY,
    minimumSpend: fields.minimumSpend ? decimal(fields.minimumSpend, 'minimumSpend') : null,
    maximumSpend: fields.maximumSpend ? decimal(fields.maximumSpend, 'maximumSpend') : null,
  };
  switch (model) {
    case 'per_unit':
      return { model, unitAmount: decimal(unitAmount, 'unitAmount'), ...rest };
    case 'package': {
      const packageAmount = decimal(unitAmount, 'unitAmount');
      return { model, packageAmount, packageSize: decimal(packageSize, 'packageSize'), ...rest };
    }
    case 'percentage':
      return { model, percent: decimal(percent, 'percent'), ...rest };
    default:
      return { model, tiers: (tiers ?? []).map((tier, i) => tierFrom(tier, [...path, 'tiers', `${i}`])), ...rest };
  }
}

const ZERO: ParsedUnits = { ok: true, units: 0n };

function modelOf({ tiers, percent, packageSize }: PriceFields): PriceModel {
  if (bounds.isGiven(tiers)) return 'graduated';
  if (bounds.isGiven(percent)) return 'percentage';
  return bounds.isGiven(packageSize) ? 'package' : 'per_unit';
}

const tierFrom = ({ upTo, unitAmount, flatAmount }: TierFields, path: bounds.Path): Tier => ({
  upTo: upTo ? bounds.decimal(upTo, [...path, 'upTo']) : null,
  unitAmount: bounds.decimal(unitAmount ?? ZERO, [...path, 'unitAmount']),
  flatAmount: bounds.decimal(flatAmount ?? ZERO, [...path, 'flatAmount']),
});
