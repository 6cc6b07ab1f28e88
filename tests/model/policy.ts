/** policy — what applies to a modelled customer and feature: the feature's fields, the plan's over them, its own over those. */
import type { LimitFields } from '../../server/domain/feature.ts';
import type { LimitPolicy } from '../../server/domain/policy.ts';
import { u } from './catalog.ts';

const USUAL_THRESHOLDS = [
  { kind: 'fraction', value: u('0.8') },
  { kind: 'fraction', value: u(1) },
] as const;

export function policyOf(
  feature: LimitFields,
  plan: LimitFields | undefined,
  own: LimitFields | undefined,
): LimitPolicy {
  const layers = [own, plan, feature];
  const said = <K extends keyof LimitFields>(field: K): LimitFields[K] | undefined =>
    layers.find((layer) => layer?.[field] !== undefined)?.[field];
  const limit = said('limit') ?? null;
  const price = said('price') ?? null;
  const credits = said('credits') ?? null;
  const payableWithoutLimit = limit === null && (price !== null || credits !== null);
  return {
    limit,
    included: said('included') ?? (payableWithoutLimit ? 0n : limit),
    enforcement: said('enforcement') ?? (price === null ? 'hard' : 'soft'),
    minLimit: said('minLimit') ?? null,
    thresholds: said('thresholds') ?? USUAL_THRESHOLDS,
    price,
    billing: said('billing') ?? 'postpaid',
    spendLimit: said('spendLimit') ?? null,
    credits,
    rateLimits: said('rateLimits') ?? [],
    entityLimit: said('entityLimit') ?? null,
    value: said('value') ?? null,
  };
}
