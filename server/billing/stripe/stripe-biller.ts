/** stripe-biller — the biller that is Stripe. */
import type { Biller } from '../biller.ts';
import type { StripeDeps } from './deps.ts';
import { inOurWords } from './failures.ts';
import { createCheckout } from './money/checkout.ts';
import { createPortal } from './money/portal.ts';
import { chargeTopUp } from './money/top-up.ts';

export const stripeBiller = (deps: StripeDeps): Biller => ({
  kind: 'stripe',
  createCheckout: (request) => inOurWords(() => createCheckout(deps, request)),
  createPortal: (request) => inOurWords(() => createPortal(deps, request)),
  chargeTopUp: (charge) => chargeTopUp(deps, charge),
});
