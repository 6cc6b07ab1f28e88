/** showcase — which meters the page shows: few, of different customers, features and kinds. Pure. */
import { isZero } from './decimal.ts';
import type { ShownCustomer, ShownUsage } from './overview.ts';

export type Showcase = { readonly customer: ShownCustomer; readonly usage: ShownUsage };

/** In the order in which they are worth showing. By policy and not by use: a reload shows the same meters again. */
const KINDS = ['hard', 'soft', 'unlimited', 'none'] as const;
type Kind = (typeof KINDS)[number];

const SHOWN_MAX = 4;
/** What a new feature, a new customer and a new kind are worth beside each other. */
const WORTH = { feature: 8, customer: 6, kind: 4 };

/** At most four, and none that the customer may not use at all: each time the one that adds most to those already chosen, the first of equals. */
export function chooseShowcases(customers: readonly ShownCustomer[]): Showcase[] {
  const candidates = customers.flatMap((customer) =>
    customer.usages.filter(({ entitled }) => entitled).map((usage) => ({ customer, usage })),
  );
  candidates.sort((a, b) => KINDS.indexOf(kindOf(a)) - KINDS.indexOf(kindOf(b)));
  const chosen: Showcase[] = [];
  while (chosen.length < SHOWN_MAX && candidates.length > 0) {
    const news = candidates.map((candidate) => newsOf(candidate, chosen));
    chosen.push(...candidates.splice(news.indexOf(Math.max(...news)), 1));
  }
  return chosen;
}

/** How much a meter shows that the chosen ones do not. What has a limit of nothing comes last. */
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

function kindOf({ usage: { limit, enforcement } }: Showcase): Kind {
  if (limit === null) return 'unlimited';
  if (isZero(limit)) return 'none';
  return enforcement === 'SOFT' ? 'soft' : 'hard';
}
