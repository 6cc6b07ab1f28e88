/** reserve — holds units for work whose size is known only afterwards, with what pays for them. */
import { splitOf } from '../../domain/decision.ts';
import type { Denial } from '../../domain/denial.ts';
import type { Reservation } from '../../domain/reservation.ts';
import type { Draft } from '../draft.ts';
import { type Meter, usageOfMeter } from '../meter.ts';
import type { Holding } from '../requests.ts';
import type { Use } from './described-use.ts';
import { moveHeld } from './movement.ts';
import { decideUse, deniedOf, placeOf } from './use.ts';

/** Decides a hold and, where it is allowed, takes the units with what pays for them. */
export function reserve(
  draft: Draft,
  meter: Meter,
  described: Use,
  named: Pick<Reservation, 'id' | 'expiresAtMs' | 'overrideKey'>,
): Holding {
  const { customer, feature, policy } = meter;
  const { counter, atMs } = placeOf(draft, meter, described);
  const decision = decideUse(draft, meter, described, counter, atMs);
  if (decision.outcome === 'denied') return deniedHolding(meter, decision.denial, draft.nowMs);
  const { amount, payment } = decision;
  const { entityId, properties } = described;
  const reservation: Reservation = {
    ...named,
    featureKey: feature.key,
    entityId,
    periodStartMs: counter.period.startMs,
    amount,
    payment,
    currency: policy.price?.currency ?? null,
    properties,
    state: 'open',
    committed: null,
    createdAtMs: draft.nowMs,
    closedAtMs: null,
  };
  customer.rateWindows = decision.rateWindows;
  const after = moveHeld(draft, meter, counter, { reservation, payment, bookedAs: 'hold' });
  draft.putReservation(customer, reservation, after.sequence, null);
  return {
    kind: 'holding',
    allowed: true,
    denial: null,
    reservation,
    split: splitOf(policy, payment),
    usage: usageOfMeter(meter, after, draft.nowMs),
    replayed: false,
  };
}

/** What a caller hears for whom nothing is held. */
export function deniedHolding(meter: Meter, denial: Denial, nowMs: number): Holding {
  const { split, usage } = deniedOf(meter, denial, nowMs);
  return { kind: 'holding', allowed: false, denial, reservation: null, split, usage, replayed: false };
}
