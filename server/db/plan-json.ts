/** plan-json — what a version of a plan says, as it is kept in JSON columns: decimals as text. */
import type { Money } from '../domain/money.ts';
import type { BillingInterval, Plan, PlanPrice } from '../domain/plan.ts';
import type { RateLimit } from '../domain/rate-limit.ts';
import { formatUnits, unitsOf } from '../domain/units.ts';
import type { WalletRule } from '../domain/wallet.ts';
import { type LimitFieldsJson, limitFieldsMapFromJson, limitFieldsMapToJson } from './limit-fields-json.ts';

type MoneyJson = { readonly amount: string; readonly currency: string };
type PriceJson = MoneyJson & { readonly interval: BillingInterval };
type WalletJson = {
  readonly currency: string;
  readonly floor: string;
  readonly autoTopUp: {
    readonly threshold: string;
    readonly amount: string;
    readonly maxPerMonth: number;
    readonly coolOffMs: number;
  } | null;
};

export type PlanTermsJson = {
  readonly prices: readonly PriceJson[];
  readonly rateLimits: readonly RateLimit[];
  readonly spendLimit: MoneyJson | null;
  readonly wallet: WalletJson | null;
  readonly features: Readonly<Record<string, LimitFieldsJson>>;
};

/** All that a plan says, and nothing of what it is called. */
export type PlanTerms = Pick<Plan, keyof PlanTermsJson>;

export const planTermsToJson = ({ prices, rateLimits, spendLimit, wallet, features }: PlanTerms): PlanTermsJson => ({
  prices: prices.map(priceToJson),
  rateLimits,
  spendLimit: spendLimit && moneyToJson(spendLimit),
  wallet: wallet && walletToJson(wallet),
  features: limitFieldsMapToJson(features),
});

export const planTermsFromJson = (json: PlanTermsJson): PlanTerms => ({
  prices: json.prices.map(priceFromJson),
  rateLimits: json.rateLimits,
  spendLimit: json.spendLimit && moneyFromJson(json.spendLimit),
  wallet: json.wallet && walletFromJson(json.wallet),
  features: limitFieldsMapFromJson(json.features),
});

const priceToJson = ({ interval, ...money }: PlanPrice): PriceJson => ({ ...moneyToJson(money), interval });

const priceFromJson = ({ interval, ...money }: PriceJson): PlanPrice => ({ ...moneyFromJson(money), interval });

const moneyToJson = ({ amount, currency }: Money): MoneyJson => ({ amount: formatUnits(amount), currency });

const moneyFromJson = ({ amount, currency }: MoneyJson): Money => ({ amount: unitsOf(amount), currency });

const walletToJson = ({ currency, floor, autoTopUp }: WalletRule): WalletJson => ({
  currency,
  floor: formatUnits(floor),
  autoTopUp: autoTopUp && {
    ...autoTopUp,
    threshold: formatUnits(autoTopUp.threshold),
    amount: formatUnits(autoTopUp.amount),
  },
});

const walletFromJson = ({ currency, floor, autoTopUp }: WalletJson): WalletRule => ({
  currency,
  floor: unitsOf(floor),
  autoTopUp: autoTopUp && {
    ...autoTopUp,
    threshold: unitsOf(autoTopUp.threshold),
    amount: unitsOf(autoTopUp.amount),
  },
});
