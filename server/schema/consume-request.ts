/** consume-request — what a client sent to `consume` or `check` as a request to the engine. */
import type { ConsumeMode } from '../domain/decision.ts';
import { ONE, type ParsedUnits } from '../domain/units.ts';
import type { Viewer } from '../domain/viewer.ts';
import type { ConsumeRequest } from '../metering/consumption.ts';
import { referenceOf } from './access.ts';
import * as bounds from './bounds.ts';

export type ConsumeInput = {
  readonly referenceId?: string | null | undefined;
  readonly featureKey: string;
  readonly amount?: ParsedUnits | null | undefined;
  readonly overrideKey?: string | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
  readonly properties?: unknown;
  readonly mode?: ConsumeMode | null | undefined;
};

/** Never taken for 1: a NaN that was sent as JSON is null. */
const NULL_AMOUNT: ParsedUnits = { ok: false, problem: 'is null; leave it out for 1, or send a number' };

/**
 * @param path Where the input stands: `["input"]`, or `["input", "inputs", "3"]`.
 * @throws {MeterError} `INVALID_INPUT`, `INVALID_AMOUNT`; `CUSTOMER_NOT_FOUND` when a customer asks for another.
 */
export function consumeRequest(viewer: Viewer, input: ConsumeInput, path: bounds.Path): ConsumeRequest {
  const { featureKey, amount, overrideKey, idempotencyKey, properties, mode } = input;
  const at = (field: string): bounds.Path => [...path, field];
  return {
    tenantId: viewer.tenantId,
    ...referenceOf(viewer, input.referenceId, at('referenceId')),
    featureKey: bounds.key(featureKey, at('featureKey')),
    amount: amount === undefined ? ONE : bounds.amount(amount ?? NULL_AMOUNT, at('amount')),
    overrideKey: bounds.isGiven(overrideKey) ? bounds.key(overrideKey, at('overrideKey')) : null,
    idempotencyKey: bounds.isGiven(idempotencyKey) ? bounds.idempotencyKey(idempotencyKey, at('idempotencyKey')) : null,
    properties: bounds.isGiven(properties) ? bounds.object(properties, at('properties')) : null,
    mode: mode ?? 'REJECT',
  };
}
