/** purpose — what a payment is for, as it is written on the payment itself and read there again. */
import { derivedId } from '../../../domain/derived-id.ts';
import { formatUnits, parseUnits, type Units } from '../../../domain/units.ts';
import type { Payer, Purchase, TopUpCharge } from '../../biller.ts';

export type Purpose =
  | { readonly kind: 'credit_pack'; readonly featureKey: string; readonly units: Units }
  | { readonly kind: 'top_up' }
  | { readonly kind: 'auto_top_up'; readonly sequence: bigint };

type Metadata = Readonly<Record<string, string>>;

/** Whose it is, as customers and payments at Stripe say it. */
export const metadataOfCustomer = ({ tenantId, customerId }: Pick<Payer, 'tenantId' | 'customerId'>): Metadata => ({
  metergraph_tenant: tenantId,
  metergraph_customer: customerId,
});

/** What a purchase gives is fixed here: a pack that is defined anew meanwhile gives what was bought. */
export function metadataOfPurchase(payer: Payer, purchase: Purchase): Metadata {
  const common = { ...metadataOfCustomer(payer), metergraph_purpose: purchase.kind };
  switch (purchase.kind) {
    case 'plan':
      return { ...common, metergraph_plan: purchase.plan.key };
    case 'credit_pack':
      return {
        ...common,
        metergraph_pack: purchase.packKey,
        metergraph_feature: purchase.featureKey,
        metergraph_units: formatUnits(purchase.units),
      };
    case 'top_up':
      return common;
  }
}

/** What a checkout is for; undefined for one that is not ours. */
export const purchaseKindOf = ({ metergraph_purpose }: Metadata): string | undefined => metergraph_purpose;

export const metadataOfTopUp = (charge: TopUpCharge): Metadata => ({
  ...metadataOfCustomer(charge),
  metergraph_purpose: 'auto_top_up',
  metergraph_sequence: `${charge.sequence}`,
});

/** @returns null for a payment that is for nothing of ours. */
export function purposeOf(metadata: Metadata): Purpose | null {
  const { metergraph_purpose, metergraph_feature, metergraph_units = '', metergraph_sequence = '' } = metadata;
  switch (metergraph_purpose) {
    case 'credit_pack': {
      const units = parseUnits(metergraph_units);
      return units.ok && metergraph_feature
        ? { kind: 'credit_pack', featureKey: metergraph_feature, units: units.units }
        : null;
    }
    case 'top_up':
      return { kind: 'top_up' };
    case 'auto_top_up':
      return /^\d{1,18}$/.test(metergraph_sequence)
        ? { kind: 'auto_top_up', sequence: BigInt(metergraph_sequence) }
        : null;
    default:
      return null;
  }
}

/** The grant that a payment gives: the same one, however often it is told of. */
export const grantIdOf = (customerId: string, paymentId: string): string =>
  derivedId(customerId, `stripe payment ${paymentId}`);
