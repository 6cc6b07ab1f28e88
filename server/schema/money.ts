/** money — Money and prices. */
import type { UnitPrice } from '../domain/feature.ts';
import type { Money } from '../domain/money.ts';
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

export const UnitPriceType = builder.objectRef<UnitPrice>('UnitPrice').implement({
  description: 'What one unit costs beyond what is included.',
  fields: (t) => ({
    unitAmount: t.expose('unitAmount', { type: 'Decimal', description: 'In minor units (cents) per unit.' }),
    currency: t.exposeString('currency', { description: 'ISO 4217, in small letters: `usd`.' }),
  }),
});

export const UnitPriceInput = builder.inputType('UnitPriceInput', {
  description: 'What one unit costs beyond what is included.',
  fields: (t) => ({
    unitAmount: t.field({
      type: 'Decimal',
      required: true,
      description: 'In minor units (cents) per unit; 0 or more.',
    }),
    currency: t.string({ description: 'ISO 4217, in small letters. `usd` when left out.' }),
  }),
});
