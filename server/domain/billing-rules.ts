/** billing-rules — what the app sells beside plans, where customers may be sent back to, and how long it waits for money. */
import { DEFAULT_CURRENCY } from './money.ts';
import { DUNNING_GRACE_MS } from './subscription.ts';
import type { Units } from './units.ts';

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
export function problemOfRedirect(url: string, { redirectOrigins }: Pick<BillingRules, 'redirectOrigins'>): string | null {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^https?:$/.test(parsed.protocol) || parsed.username !== '' || parsed.password !== '') {
    return 'is no address of a page; write one like "https://app.example.com/done"';
  }
  if (redirectOrigins.includes(parsed.origin)) return null;
  const allowed = redirectOrigins.length === 0 ? 'none is listed yet' : `listed are ${redirectOrigins.join(', ')}`;
  return `is at ${parsed.origin}, where customers may not be sent; ${allowed}. List it in \`billing.redirectOrigins\` of the config`;
}
