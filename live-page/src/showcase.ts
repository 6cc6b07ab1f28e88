/** showcase — which meters the page shows: few, of different customers, features and states. Pure. */
import type { Usage } from '@metergraph/client-sdk';
import { compare, isZero, percent } from './decimal.ts';
import type { ShownCustomer } from './overview.ts';

export type Showcase = { readonly customer: ShownCustomer; readonly usage: Usage };

/** How a meter looks: each is another picture. In the order in which they are worth showing. */
const KINDS = ['open', 'near', 'soft', 'unlimited', 'full', 'none'] as const;
type Kind = (typeof KINDS)[number];

const SHOWN_MAX = 4;
/** What a new feature, a new look and a new customer are worth beside each other. */
const WORTH = { feature: 8, kind: 4, customer: 6 };

/** At most four: each time the one that adds most to those already chosen, the fullest of equals. */
export function chooseShowcases(customers: readonly ShownCustomer[], max = SHOWN_MAX): Showcase[] {
  const candidates = customers.flatMap((customer) => customer.usages.map((usage) => ({ customer, usage })));
  candidates.sort((a, b) => byWorth(a.usage, b.usage));
  const chosen: Showcase[] = [];
  while (chosen.length < max && candidates.length > 0) {
    const news = candidates.map((candidate) => newsOf(candidate, chosen));
    chosen.push(...candidates.splice(news.indexOf(Math.max(...news)), 1));
  }
  return chosen;
}

function newsOf({ customer, usage }: Showcase, chosen: readonly Showcase[]): number {
  const isNew = (same: (other: Showcase) => boolean): boolean => !chosen.some(same);
  return (
    (isNew((other) => other.usage.feature.key === usage.feature.key) ? WORTH.feature : 0) +
    (isNew((other) => kindOf(other.usage) === kindOf(usage)) ? WORTH.kind : 0) +
    (isNew((other) => other.customer.referenceId === customer.referenceId) ? WORTH.customer : 0) -
    (kindOf(usage) === 'none' ? WORTH.feature + WORTH.kind : 0)
  );
}

function kindOf({ used, limit, enforcement }: Usage): Kind {
  if (limit === null) return 'unlimited';
  if (isZero(limit)) return 'none';
  if (enforcement === 'SOFT') return 'soft';
  if (compare(used, limit) >= 0) return 'full';
  return percent(used, limit) >= 80 ? 'near' : 'open';
}

function byWorth(a: Usage, b: Usage): number {
  const kinds = KINDS.indexOf(kindOf(a)) - KINDS.indexOf(kindOf(b));
  return kinds || percent(b.used, b.limit ?? '0') - percent(a.used, a.limit ?? '0');
}
