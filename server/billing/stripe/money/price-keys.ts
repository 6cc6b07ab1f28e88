/** price-keys — how the prices of a plan are found in Stripe: by lookup keys, which say what they are for. */
import type { BillingInterval } from '../../../domain/plan.ts';

const tenantPart = (tenantId: string): string => `mg_${tenantId.replaceAll('-', '').slice(0, 12)}`;

type PlanPriceNamed = { readonly tenantId: string; readonly planKey: string; readonly interval: BillingInterval };

export const basePriceKey = ({ tenantId, planKey, interval }: PlanPriceNamed, currency: string): string =>
  `${tenantPart(tenantId)}:${planKey}:base:${interval}:${currency}`;

export const meteredPriceKey = ({ tenantId, planKey, interval }: PlanPriceNamed, featureKey: string): string =>
  `${tenantPart(tenantId)}:${planKey}:${featureKey}:${interval}`;
