/** wallet-rule — how wallets of a plan's customers behave. */
import { DEFAULT_CURRENCY } from '../domain/money.ts';
import type { ParsedUnits } from '../domain/units.ts';
import { type AutoTopUp, COOL_OFF_MS, TOP_UPS_PER_MONTH, type WalletRule } from '../domain/wallet.ts';
import * as bounds from './bounds.ts';
import { builder } from './builder.ts';

const AutoTopUpType = builder.objectRef<AutoTopUp>('AutoTopUp').implement({
  description: 'Asks the biller for money when a wallet runs low.',
  fields: (t) => ({
    threshold: t.expose('threshold', { type: 'Decimal', description: 'Asked for below this balance, in minor units.' }),
    amount: t.expose('amount', { type: 'Decimal', description: 'How much, in minor units (cents).' }),
    maxPerMonth: t.exposeInt('maxPerMonth', { description: 'How often in a calendar month at most.' }),
    coolOffSeconds: t.float({
      description: 'How long nothing is asked for after a top-up that failed.',
      resolve: ({ coolOffMs }) => coolOffMs / 1_000,
    }),
  }),
});

export const WalletRuleType = builder.objectRef<WalletRule>('WalletRule').implement({
  description: "How wallets of a plan's customers behave.",
  fields: (t) => ({
    currency: t.exposeString('currency', { description: 'ISO 4217, in small letters: `usd`.' }),
    floor: t.expose('floor', {
      type: 'Decimal',
      description: 'Use never takes the balance below, in minor units (cents): 0, or below 0, which is credit.',
    }),
    autoTopUp: t.expose('autoTopUp', {
      type: AutoTopUpType,
      nullable: true,
      description: 'Asks for money when the wallet runs low. Null: never.',
    }),
  }),
});

const AutoTopUpInput = builder.inputType('AutoTopUpInput', {
  description: 'Asks the biller for money when a wallet runs low.',
  fields: (t) => ({
    threshold: t.field({
      type: 'Decimal',
      required: true,
      description: 'Asked for below this balance, in minor units; above the floor.',
    }),
    amount: t.field({ type: 'Decimal', required: true, description: 'How much, in minor units (cents); above 0.' }),
    maxPerMonth: t.int({ description: 'How often in a calendar month at most, from 1 to 1,000; 10 by default.' }),
    coolOffSeconds: t.int({
      description: 'How long nothing is asked for after a top-up that failed: up to 31 days, a day by default.',
    }),
  }),
});

export const WalletRuleInput = builder.inputType('WalletRuleInput', {
  description: "How wallets of a plan's customers behave.",
  fields: (t) => ({
    currency: t.string({ description: 'ISO 4217, in small letters. `usd` when left out.' }),
    floor: t.field({
      type: 'Decimal',
      description: 'Use never takes the balance below, in minor units: 0 by default, or below 0, which is credit.',
    }),
    autoTopUp: t.field({ type: AutoTopUpInput, description: 'Asks for money when the wallet runs low.' }),
  }),
});

export type WalletRuleFields = {
  readonly currency?: string | null | undefined;
  readonly floor?: ParsedUnits | null | undefined;
  readonly autoTopUp?: AutoTopUpFields | null | undefined;
};
type AutoTopUpFields = {
  readonly threshold: ParsedUnits;
  readonly amount: ParsedUnits;
  readonly maxPerMonth?: number | null | undefined;
  readonly coolOffSeconds?: number | null | undefined;
};

/** @throws {MeterError} `INVALID_INPUT` for text that is no decimal. */
export const walletRuleFrom = ({ currency, floor, autoTopUp }: WalletRuleFields, path: bounds.Path): WalletRule => ({
  currency: currency ?? DEFAULT_CURRENCY,
  floor: floor ? bounds.decimal(floor, [...path, 'floor']) : 0n,
  autoTopUp: autoTopUp ? autoTopUpFrom(autoTopUp, [...path, 'autoTopUp']) : null,
});

const autoTopUpFrom = (fields: AutoTopUpFields, path: bounds.Path): AutoTopUp => ({
  threshold: bounds.decimal(fields.threshold, [...path, 'threshold']),
  amount: bounds.decimal(fields.amount, [...path, 'amount']),
  maxPerMonth: fields.maxPerMonth ?? TOP_UPS_PER_MONTH,
  coolOffMs: bounds.isGiven(fields.coolOffSeconds) ? fields.coolOffSeconds * 1_000 : COOL_OFF_MS,
});
