/** showcase — which meters the page shows: few, of different customers, features and kinds. Pure. */
import { isZero, percent } from './decimal.ts';
import type { ShownCustomer, ShownUsage } from './overview.ts';

export type Showcase = { readonly customer: ShownCustomer; readonly usage: ShownUsage };

/**
 * In the order in which they are worth showing. Mostly by policy and hardly by use, so that a reload shows the same
 * meters again.
 */
const KINDS = ['open', 'near', 'soft', 'unlimited', 'none'] as const;
type Kind = (typeof KINDS)[number];

const SHOWN_MAX = 4;
const NEAR_PERCENT = 80;
/** What a new feature, a new customer and a new kind are worth beside each other. */
const WORTH = { feature: 8, customer: 6, kind: 4 };

/** At most four: each time the one that adds most to those already chosen, the first of equals. */
export function chooseShowcases(customers: readonly ShownCustomer[]): Showcase[] {
  const candidates = customers.flatMap((customer) => customer.usages.map((usage) => ({ customer, usage })));
  candidates.sort((a, b) => KINDS.indexOf(kindOf(a)) - KINDS.indexOf(kindOf(b)));
  const chosen: Showcase[] = [];
  while (chosen.length < SHOWN_MAX && candidates.length > 0) {
    const news = candidates.map((candidate) => newsOf(candidate, chosen));
    chosen.push(...candidates.splice(news.indexOf(Math.max(...news)), 1));
  }
  return chosen;
}

/** How much a meter shows that the chosen ones do not. What is not in the plan comes last. */
function newsOf(candidate: Showcase, chosen: readonly Showcase[]): number {
  const worth = (what: keyof typeof WORTH, of: (one: Showcase) => string): number =>
    chosen.some((other) => of(other) === of(candidate)) ? 0 : WORTH[what];
  if (kindOf(candidate) === 'none') return -1;
  return (
    worth('feature', ({ usage }) => usage.feature.key) +
    worth('customer', ({ customer }) => customer.referenceId) +
    worth('kind', kindOf)
  );
}

function kindOf({ usage: { used, limit, enforcement } }: Showcase): Kind {
  if (limit === null) return 'unlimited';
  if (isZero(limit)) return 'none';
  if (enforcement === 'SOFT') return 'soft';
  return percent(used, limit) >= NEAR_PERCENT ? 'near' : 'open';
}
