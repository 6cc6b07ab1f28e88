/** billing-rules — what the app sells beside plans, where customers may be sent back to, and how long it waits for money. */
import { problemOfCurrency } from './currency.ts';
import { problemOfKey } from './definition-bounds.ts';
import { DEFAULT_CURRENCY } from './money.ts';
import { type Problem, problemAt, under } from './problem.ts';
import { DUNNING_GRACE_MS } from './subscription.ts';
import { formatUnits, ONE, type Units } from './units.ts';

/** Prepaid units of a feature that can be bought. */
export type CreditPack = {
  readonly key: string;
  readonly displayName: string;
  readonly featureKey: string;
  /** How many units it gives. */
  readonly units: Units;
  /** In minor units, whole. */
  readonly price: Units;
  readonly currency: string;
};

export type BillingRules = {
  readonly creditPacks: readonly CreditPack[];
  /** Scheme, host and port of pages that customers may be sent back to. */
  readonly redirectOrigins: readonly string[];
  /** How long a customer whose invoice is open keeps its plan. */
  readonly dunningGraceMs: number;
  readonly defaultCurrency: string;
};

export const DEFAULT_BILLING: BillingRules = {
  creditPacks: [],
  redirectOrigins: [],
  dunningGraceMs: DUNNING_GRACE_MS,
  defaultCurrency: DEFAULT_CURRENCY,
};

/** What is wrong with a page to send customers back to, to be read after its name; null when nothing is. */
export function problemOfRedirect(
  url: string,
  { redirectOrigins }: Pick<BillingRules, 'redirectOrigins'>,
): string | null {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '') {
    return 'is no address of a page; write one like "https://app.example.com/done"';
  }
  if (redirectOrigins.includes(parsed.origin)) return null;
  const allowed = redirectOrigins.length === 0 ? 'none is listed yet' : `listed are ${redirectOrigins.join(', ')}`;
  return `is at ${parsed.origin}, where customers may not be sent; ${allowed}. List it in \`billing.redirectOrigins\` of the config`;
}

/** All that is wrong with the rules, where it stands in them. */
export const problemsOfBilling = (rules: BillingRules): readonly Problem[] => [
  ...rules.creditPacks.flatMap((pack) => under(['creditPacks', pack.key], problemsOfPack(pack))),
  ...under(
    ['billing'],
    [
      ...rules.redirectOrigins.flatMap((origin, i) => problemAt(['redirectOrigins', `${i}`], problemOfOrigin(origin))),
      ...problemAt(['dunningGraceDays'], problemOfGrace(rules.dunningGraceMs)),
      ...problemAt(['defaultCurrency'], problemOfCurrency(rules.defaultCurrency)),
    ],
  ),
];

const problemsOfPack = ({ key, units, price, currency }: CreditPack): readonly Problem[] => [
  ...problemAt(['key'], problemOfKey(key)),
  ...problemAt(['amount'], units > 0n ? null : `is ${formatUnits(units)}; a pack gives more than 0`),
  ...problemAt(['price', 'amount'], problemOfPackPrice(price)),
  ...problemAt(['price', 'currency'], problemOfCurrency(currency)),
];

const problemOfPackPrice = (price: Units): string | null =>
  price > 0n && price % ONE === 0n
    ? null
    : `is ${formatUnits(price)}; a payment is of whole minor units (cents), above 0`;

const problemOfOrigin = (text: string): string | null =>
  URL.canParse(text) && new URL(text).origin === text && /^https?:\/\/[^*]+$/.test(text)
    ? null
    : `is "${text}"; write scheme, host and port like "https://app.example.com", each site by itself`;

const GRACE_DAYS_MAX = 90;
const DAY_MS = 24 * 3_600_000;

const problemOfGrace = (graceMs: number): string | null =>
  graceMs >= 0 && graceMs <= GRACE_DAYS_MAX * DAY_MS
    ? null
    : `is ${graceMs / DAY_MS}; write a number of days from 0 to ${GRACE_DAYS_MAX}`;
