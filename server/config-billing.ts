/** config-billing — the shape of what a config file says of money: credit packs, and what holds for payments. */
import { currency, decimal, fields, list, text, whole } from './config-parts.ts';
import { type BillingRules, DEFAULT_BILLING } from './domain/billing-rules.ts';
import { displayNameOf } from './domain/definitions.ts';
import { DEFAULT_CURRENCY } from './domain/money.ts';
import type { Units } from './domain/units.ts';

const packPrice = fields(
  "a credit pack's price",
  { amount: decimal, currency: currency.default(DEFAULT_CURRENCY) },
  (found) => (typeof found === 'number' ? `write { amount: ${found} }: ` : ''),
);

export const creditPack = fields('a credit pack', {
  displayName: text.exactOptional(),
  feature: text,
  amount: decimal,
  price: packPrice,
});

export const billing = fields('billing', {
  redirectOrigins: list(text, 'a list of origins, like ["https://app.example.com"]').exactOptional(),
  dunningGraceDays: whole('a number of days').exactOptional(),
  defaultCurrency: currency.exactOptional(),
});

type Said = {
  readonly creditPacks?: Readonly<Record<string, PackSaid>>;
  readonly billing?: {
    readonly redirectOrigins?: readonly string[];
    readonly dunningGraceDays?: number;
    readonly defaultCurrency?: string;
  };
};

type PackSaid = {
  readonly displayName?: string;
  readonly feature: string;
  readonly amount: Units;
  readonly price: { readonly amount: Units; readonly currency: string };
};

const DAY_MS = 24 * 3_600_000;

export function billingRulesOf({ creditPacks = {}, billing: said = {} }: Said): BillingRules {
  const { redirectOrigins, dunningGraceDays, defaultCurrency } = said;
  return {
    creditPacks: Object.entries(creditPacks).map(([key, { displayName, feature, amount, price }]) => ({
      key,
      displayName: displayName ?? displayNameOf(key),
      featureKey: feature,
      units: amount,
      price: price.amount,
      currency: price.currency,
    })),
    redirectOrigins: redirectOrigins ?? DEFAULT_BILLING.redirectOrigins,
    dunningGraceMs: dunningGraceDays === undefined ? DEFAULT_BILLING.dunningGraceMs : dunningGraceDays * DAY_MS,
    defaultCurrency: defaultCurrency ?? DEFAULT_BILLING.defaultCurrency,
  };
}
