/** consume-request — what a client sent of a use, as a request to the engine: to consume, check, record or reserve it. */
import { randomUUID } from 'node:crypto';
import { invalidInput } from '../domain/errors.ts';
import type { ConsumeMode } from '../domain/meter-state.ts';
import { RESERVATION_TTL_DEFAULT_MS, RESERVATION_TTL_MAX_MS } from '../domain/reservation.ts';
import { ONE, type ParsedUnits } from '../domain/units.ts';
import type { Viewer } from '../domain/viewer.ts';
import type { ConsumeRequest, ReserveRequest } from '../metering/requests.ts';
import { referenceOf } from './access.ts';
import * as bounds from './bounds.ts';

export type UseInput = {
  readonly referenceId?: string | null | undefined;
  readonly featureKey: string;
  readonly amount?: ParsedUnits | null | undefined;
  readonly duration?: string | null | undefined;
  readonly entityId?: string | null | undefined;
  readonly overrideKey?: string | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
  readonly properties?: unknown;
};
export type ConsumeInput = UseInput & { readonly mode?: ConsumeMode | null | undefined };
type RecordInput = UseInput & { readonly timestamp?: number | null | undefined };
type ReserveInput = ConsumeInput & { readonly ttlSeconds?: number | null | undefined };

/** The very object tells an amount that was left out from one that was sent: a default is handed on as it is. */
export const DEFAULT_AMOUNT: ParsedUnits = { ok: true, units: ONE };

export const TTL_SECONDS_DEFAULT = RESERVATION_TTL_DEFAULT_MS / 1_000;
export const TTL_SECONDS_MAX = RESERVATION_TTL_MAX_MS / 1_000;

/**
 * @param path Where the input stands: `["input"]`, or `["input", "inputs", "3"]`.
 * @throws {MeterError} `INVALID_INPUT`, `INVALID_AMOUNT`; `CUSTOMER_NOT_FOUND` when a customer asks for another.
 */
export const consumeRequest = (viewer: Viewer, input: ConsumeInput, path: bounds.Path): ConsumeRequest => ({
  kind: 'consume',
  purpose: 'use',
  occurredAtMs: null,
  mode: input.mode ?? 'REJECT',
  ...useOf(viewer, input, path),
});

/** @throws {MeterError} as `consumeRequest` does. */
export const recordRequest = (viewer: Viewer, input: RecordInput): ConsumeRequest => ({
  kind: 'consume',
  purpose: 'record',
  occurredAtMs: input.timestamp ?? null,
  mode: 'OVERFLOW',
  ...useOf(viewer, input, ['input']),
});

/** @throws {MeterError} as `consumeRequest` does. */
export const reserveRequest = (viewer: Viewer, input: ReserveInput): ReserveRequest => ({
  kind: 'reserve',
  reservationId: randomUUID(),
  ttlMs: bounds.whole(input.ttlSeconds ?? TTL_SECONDS_DEFAULT, ['input', 'ttlSeconds'], 1, TTL_SECONDS_MAX) * 1_000,
  mode: input.mode ?? 'REJECT',
  ...useOf(viewer, input, ['input']),
});

function useOf(viewer: Viewer, input: UseInput, path: bounds.Path) {
  const { featureKey, entityId, overrideKey, idempotencyKey, properties } = input;
  const at = (field: string): bounds.Path => [...path, field];
  return {
    tenantId: viewer.tenantId,
    ...referenceOf(viewer, input.referenceId, at('referenceId')),
    featureKey: bounds.key(featureKey, at('featureKey')),
    ...quantityOf(input, path),
    entityId: bounds.isGiven(entityId) ? bounds.entityId(entityId, at('entityId')) : null,
    overrideKey: bounds.isGiven(overrideKey) ? bounds.key(overrideKey, at('overrideKey')) : null,
    idempotencyKey: bounds.isGiven(idempotencyKey) ? bounds.idempotencyKey(idempotencyKey, at('idempotencyKey')) : null,
    properties: bounds.isGiven(properties) ? bounds.object(properties, at('properties')) : null,
    refusal: null,
  };
}

/** Never taken for 1: a NaN that was sent as JSON is null. */
const NULL_AMOUNT: ParsedUnits = { ok: false, problem: 'is null; leave it out for 1, or send a number' };

function quantityOf({ amount = DEFAULT_AMOUNT, duration }: UseInput, path: bounds.Path) {
  if (!bounds.isGiven(duration)) {
    return { amount: bounds.amount(amount ?? NULL_AMOUNT, [...path, 'amount']), duration: null };
  }
  const at = [...path, 'duration'];
  if (amount === DEFAULT_AMOUNT) return { amount: ONE, duration: bounds.duration(duration, at) };
  throw invalidInput(at, '`duration` is there beside `amount`; send one of them.');
}
