/** money — an exact amount in one currency. */
import { DEFAULT_CURRENCY, type Money } from '../domain/money.ts';
import type { ParsedUnits } from '../domain/units.ts';
import * as bounds from './bounds.ts';
import { builder } from './builder.ts';

export const MoneyType = builder.objectRef<Money>('Money').implement({
  description: 'An exact amount of money.',
  fields: (t) => ({
    amount: t.expose('amount', {
      type: 'Decimal',
      description: 'In minor units (cents); may be a fraction of one, rounding happens once, on the invoice.',
    }),
    currency: t.exposeString('currency', { description: 'ISO 4217, in small letters: `usd`.' }),
  }),
});

export const MoneyInput = builder.inputType('MoneyInput', {
  description: 'An exact amount of money.',
  fields: (t) => ({
    amount: t.field({ type: 'Decimal', required: true, description: 'In minor units (cents).' }),
    currency: t.string({ description: 'ISO 4217, in small letters. `usd` when left out.' }),
  }),
});

type MoneyFields = { readonly amount: ParsedUnits; readonly currency?: string | null | undefined };

/** @throws {MeterError} `INVALID_INPUT` for text that is no decimal. */
export const moneyFrom = ({ amount, currency }: MoneyFields, path: bounds.Path): Money => ({
  amount: bounds.decimal(amount, [...path, 'amount']),
  currency: currency ?? DEFAULT_CURRENCY,
});
