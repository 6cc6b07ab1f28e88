/** reserve — holds units, and ends what was held; and a customer's list of it. */
import { listReservations } from '../actions/find-reservations.ts';
import { MeterError, reservationNotFound } from '../domain/errors.ts';
import type { ParsedUnits } from '../domain/units.ts';
import type { ApiKeyViewer } from '../domain/viewer.ts';
import { ingester, reader, referenceIn, visibleFeatures } from './access.ts';
import * as bounds from './bounds.ts';
import { builder } from './builder.ts';
import { connectionOf, connectionType, pageArgs } from './connection.ts';
import { reserveRequest, TTL_SECONDS_DEFAULT, TTL_SECONDS_MAX } from './consume-request.ts';
import { ConsumptionType, USE_ERRORS } from './consumption.ts';
import { CustomerType } from './customer.ts';
import { ConsumeModeEnum } from './decision.ts';
import { resultUnion } from './errors.ts';
import { onceKnownFeature } from './existing.ts';
import { reservationKey } from './node-id.ts';
import { type Held, heldOf, heldOfCustomer, ReservationStateEnum, ReservationType } from './reservation.ts';
import { idempotencyKeyField, useInputFields } from './use-fields.ts';

const ReserveInput = builder.inputType('ReserveInput', {
  description: 'A use to come, of which only the most is known.',
  fields: (t) => ({
    ...useInputFields(t),
    mode: t.field({
      type: ConsumeModeEnum,
      defaultValue: 'REJECT',
      description: 'What to do when the amount does not fit.',
    }),
    ttlSeconds: t.int({
      defaultValue: TTL_SECONDS_DEFAULT,
      description: `How long the units are held at most, from 1 to ${TTL_SECONDS_MAX}: then they are given back.`,
    }),
  }),
});

const ReserveResult = resultUnion('ReserveResult', ReservationType, USE_ERRORS);

const RESERVATION_ID = 'The `id` of the reservation.';

const CommitReservationInput = builder.inputType('CommitReservationInput', {
  description: 'What was used of what was reserved.',
  fields: (t) => ({
    reservationId: t.id({ required: true, description: RESERVATION_ID }),
    amount: t.field({
      type: 'Decimal',
      description:
        'Units used; all that was reserved when left out. Less gives the rest back, 0 all of it. What is more is decided as a use of its own. Never null.',
    }),
    mode: t.field({
      type: ConsumeModeEnum,
      defaultValue: 'REJECT',
      description: 'What to do when what goes beyond the reservation does not fit.',
    }),
    idempotencyKey: idempotencyKeyField(t),
  }),
});

const CommitReservationResult = resultUnion('CommitReservationResult', ConsumptionType, [
  'RESERVATION_NOT_FOUND',
  'RESERVATION_EXPIRED',
  'RESERVATION_CLOSED',
  'INVALID_AMOUNT',
  'IDEMPOTENCY_CONFLICT',
  'INVALID_INPUT',
]);

const ReleaseReservationInput = builder.inputType('ReleaseReservationInput', {
  description: 'Which reservation is not needed any more.',
  fields: (t) => ({ reservationId: t.id({ required: true, description: RESERVATION_ID }) }),
});

const ReleaseReservationResult = resultUnion('ReleaseReservationResult', ReservationType, [
  'RESERVATION_NOT_FOUND',
  'RESERVATION_EXPIRED',
  'RESERVATION_CLOSED',
]);

builder.mutationFields((t) => ({
  reserve: t.field({
    type: ReserveResult.type,
    description:
      'Decides as `consume` does and holds the units until they are committed, released, or the time is over. A denial is an answer (`allowed: false`), not an error. Scope `ingest`.',
    args: { input: t.arg({ type: ReserveInput, required: true, description: 'Who will use what.' }) },
    resolve: (_root, { input }, context) =>
      ReserveResult.answer(context, async () => {
        const request = reserveRequest(ingester(context), input);
        return heldOf(await context.services.engine.execute(request), request);
      }),
  }),
  commitReservation: t.field({
    type: CommitReservationResult.type,
    description: 'Uses what was reserved. A denial of what goes beyond leaves the reservation open. Scope `ingest`.',
    args: { input: t.arg({ type: CommitReservationInput, required: true, description: 'Which, and how much of it.' }) },
    resolve: (_root, { input }, context) =>
      CommitReservationResult.answer(context, () => {
        const { amount, mode, idempotencyKey } = input;
        const named = reservationNamed(ingester(context), input.reservationId);
        const request = {
          kind: 'commit',
          ...named,
          amount: amount === undefined ? null : bounds.amount(amount ?? NULL_AMOUNT, ['input', 'amount']),
          mode: mode ?? 'REJECT',
          idempotencyKey: bounds.isGiven(idempotencyKey)
            ? bounds.idempotencyKey(idempotencyKey, ['input', 'idempotencyKey'])
            : null,
        } as const;
        return ofNobody(context.services.engine.execute(request));
      }),
  }),
  releaseReservation: t.field({
    type: ReleaseReservationResult.type,
    description: 'Gives back what was reserved. Twice is the same as once. Scope `ingest`.',
    args: { input: t.arg({ type: ReleaseReservationInput, required: true, description: 'Which reservation.' }) },
    resolve: (_root, { input }, context) =>
      ReleaseReservationResult.answer(context, async () => {
        const named = reservationNamed(ingester(context), input.reservationId);
        const request = { kind: 'release', ...named, idempotencyKey: null } as const;
        return heldOf(await ofNobody(context.services.engine.execute(request)), { entityId: null });
      }),
  }),
}));

/** Never taken for all of it: a NaN that was sent as JSON is null. */
const NULL_AMOUNT: ParsedUnits = {
  ok: false,
  problem: 'is null; leave it out for all that was reserved, or send a number',
};

/** @throws {MeterError} `RESERVATION_NOT_FOUND` for what is no id of a reservation. */
function reservationNamed(viewer: ApiKeyViewer, id: string) {
  const key = reservationKey(id);
  if (!key) throw reservationNotFound();
  const path = ['input', 'reservationId'];
  return {
    tenantId: viewer.tenantId,
    ...referenceIn(viewer, key.referenceId, path),
    reservationId: key.reservationId,
  };
}

/** An id of another tenant speaks of a customer who is not there, or of none of its reservations: both sound alike. */
async function ofNobody<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof MeterError && error.code === 'CUSTOMER_NOT_FOUND') throw reservationNotFound();
    throw error;
  }
}

const ReservationConnection = connectionType(ReservationType);

builder.objectField(CustomerType, 'reservations', (t) =>
  t.field({
    type: ReservationConnection,
    description: 'Its reservations, newest first. Scope `read`, or a customer token.',
    args: {
      ...pageArgs,
      featureKey: t.arg.string({ description: 'Of which feature; all when left out.' }),
      state: t.arg({ type: ReservationStateEnum, description: 'In which state; all when left out.' }),
    },
    resolve: async (customer, { featureKey, state, ...page }, context) => {
      const viewer = reader(context);
      const { id: customerId, tenantId } = customer;
      const only = await onceKnownFeature(context, featureKey);
      const featureKeys = only === null ? visibleFeatures(viewer) : [only];
      const filter = { customerId, featureKeys, state: state ?? null };
      return connectionOf(page, { ...BY_CREATION, list: `reservations ${customerId}`, tenantId }, async (request) => {
        const { nodes, hasNextPage } = await listReservations(context.services, tenantId, filter, request);
        return { nodes: nodes.map((reservation) => heldOfCustomer(customer, reservation)), hasNextPage };
      });
    },
  }),
);

const BY_CREATION = {
  positionOf: ({ reservation }: Held) => [`${reservation?.createdAtMs ?? 0}`, reservation?.id ?? ''],
  shape: [/^\d{1,15}$/, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/],
  parse: ([createdAtMs = '0', id = '']: readonly string[]) => ({ createdAtMs: Number(createdAtMs), id }),
};
