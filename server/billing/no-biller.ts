/** no-biller — who takes the money where nobody does: pages are refused, and top-ups left to whoever settles them. */
import { billingDisabled } from '../domain/errors.ts';
import type { Biller } from './biller.ts';

export const noBiller: Biller = {
  kind: 'manual',
  createCheckout: async () => {
    throw billingDisabled();
  },
  createPortal: async () => {
    throw billingDisabled();
  },
  chargeTopUp: async () => ({ outcome: 'left' }),
};
