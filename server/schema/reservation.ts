/** reservation — units held for work whose size is known only afterwards. */
import type { Context } from '../context.ts';
import type { Split } from '../domain/decision.ts';
import type { Denial } from '../domain/denial.ts';
import { DEFAULT_CURRENCY } from '../domain/money.ts';
import { isOverdue, type Reservation, type ReservationState } from '../domain/reservation.ts';
import type { Usage } from '../domain/usage.ts';
import type { Holding } from '../metering/requests.ts';
import { reader } from './access.ts';
import { builder, wordEnum } from './builder.ts';
import { DenialType, SplitType } from './decision.ts';
import { metersOf } from './loaders.ts';
import { reservationNodeId } from './node-id.ts';
import { UsageType } from './usage.ts';

/** A reservation, or why there is none. */
export type Held = {
  readonly referenceId: string;
  readonly customerId: string;
  readonly featureKey: string;
  readonly entityId: string | null;
  readonly denial: Denial | null;
  /** Null when denied. */
  readonly reservation: Reservation | null;
  readonly split: Split;
  /** The state after the call; null in lists, where it is read when asked for. */
  readonly usage: Usage | null;
  readonly replayed: boolean;
};

export const ReservationStateEnum = wordEnum<ReservationState>('ReservationState', 'What became of a reservation.', {
  open: 'Its units are held.',
  committed: 'They were used, or as many of them as were committed.',
  released: 'They were given back.',
  expired: 'Its time was over: they were given back.',
});

/** A hold is over at its time, also before anybody has seen to it. */
const stateNow = (reservation: Reservation, { services }: Context): ReservationState =>
  isOverdue(reservation, services.clock.now()) ? 'expired' : reservation.state;

export const ReservationType = builder.objectRef<Held>('Reservation').implement({
  description:
    'Units held for work whose size is known only afterwards, and what pays for them; they count against every limit. Or why none could be.',
  fields: (t) => ({
    id: t.id({
      nullable: true,
      description: 'What to commit or release it by. Null when denied: there is nothing to end.',
      resolve: ({ referenceId, reservation }) =>
        reservation && reservationNodeId({ referenceId, reservationId: reservation.id }),
    }),
    referenceId: t.exposeString('referenceId', { description: "The app's own id of the customer." }),
    featureKey: t.exposeString('featureKey', { description: 'Key of the feature.' }),
    entityId: t.exposeString('entityId', {
      nullable: true,
      description: 'Who under the customer will use it. Null for the customer itself.',
    }),
    allowed: t.boolean({
      description: 'Whether the units are held. Ask this before anything else.',
      resolve: ({ denial }) => denial === null,
    }),
    denial: t.expose('denial', { type: DenialType, nullable: true, description: 'Why not. Null when allowed.' }),
    amount: t.field({
      type: 'Decimal',
      description: 'Units that were held; 0 when denied.',
      resolve: ({ reservation }) => reservation?.amount ?? 0n,
    }),
    split: t.expose('split', { type: SplitType, description: 'What pays for them.' }),
    usage: t.field({
      type: UsageType,
      description: 'The state after this call; in lists, as it stands.',
      resolve: ({ usage, ...held }, _args, context) => usage ?? usageNow(held, context),
    }),
    state: t.field({
      type: ReservationStateEnum,
      nullable: true,
      description: 'What became of it. Null when denied.',
      resolve: ({ reservation }, _args, context) => reservation && stateNow(reservation, context),
    }),
    committedAmount: t.field({
      type: 'Decimal',
      nullable: true,
      description: 'Units of it that were used; what went beyond is an event of its own. Null unless committed.',
      resolve: ({ reservation }) => reservation?.committed,
    }),
    createdAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was made. Null when denied.',
      resolve: ({ reservation }) => reservation?.createdAtMs,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When its units are given back if nobody ends it before. Null when denied.',
      resolve: ({ reservation }) => reservation?.expiresAtMs,
    }),
    closedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it ended. Null while it is open, and when denied.',
      resolve: ({ reservation }, _args, context) =>
        reservation && stateNow(reservation, context) !== 'open'
          ? (reservation.closedAtMs ?? reservation.expiresAtMs)
          : null,
    }),
    replayed: t.exposeBoolean('replayed', {
      description:
        'Whether this is the first answer to the same call, given again: nothing was held or given back twice.',
    }),
  }),
});

async function usageNow({ customerId, featureKey }: Omit<Held, 'usage'>, context: Context): Promise<Usage> {
  reader(context);
  const [meter] = (await metersOf(context, customerId, [featureKey])) ?? [];
  if (meter) return meter.usage;
  throw new Error(`there is no feature "${featureKey}"`); // features are archived, never deleted
}

/** What the engine answers, with what the call said where there is no reservation to say it. */
export const heldOf = (
  { denial, reservation, split, usage, replayed }: Holding,
  asked: Pick<Held, 'entityId'>,
): Held => ({
  referenceId: usage.referenceId,
  customerId: usage.customerId,
  featureKey: usage.feature.key,
  entityId: reservation?.entityId ?? asked.entityId,
  denial,
  reservation,
  split,
  usage,
  replayed,
});

/** A reservation of a list. */
export function heldOfCustomer(
  customer: { readonly id: string; readonly referenceId: string },
  reservation: Reservation,
): Held {
  const { included, credits, wallet, overage, cost, walletCharge } = reservation.payment;
  const currency = reservation.currency ?? DEFAULT_CURRENCY;
  return {
    referenceId: customer.referenceId,
    customerId: customer.id,
    featureKey: reservation.featureKey,
    entityId: reservation.entityId,
    denial: null,
    reservation,
    split: {
      included,
      credits,
      wallet,
      overage,
      walletCharge: { amount: walletCharge, currency },
      overageCost: { amount: cost - walletCharge, currency },
    },
    usage: null,
    replayed: false,
  };
}
