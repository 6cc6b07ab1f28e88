/** results — from the schema's unions to values and errors. */

import type { ConsumeOutcome, Consumption } from './consume-types.ts';
import type {
  CommitReservation,
  Consume,
  ConsumeMany,
  RecordUsage,
  ReleaseReservation,
  Reserve,
  ReverseEvent,
} from './documents.ts';
import { MetergraphError } from './errors.ts';
import { badResponse, type UserError, userFailure } from './failures.ts';
import type { DataOf } from './operation.ts';
import type { Reservation } from './write-types.ts';

type ConsumeResult = DataOf<typeof Consume>['consume'];
type UseResult =
  | ConsumeResult
  | DataOf<typeof RecordUsage>['recordUsage']
  | DataOf<typeof CommitReservation>['commitReservation']
  | DataOf<typeof ReverseEvent>['reverseEvent'];
type ReserveResult = DataOf<typeof Reserve>['reserve'] | DataOf<typeof ReleaseReservation>['releaseReservation'];
type ConsumeManyPayload = Extract<DataOf<typeof ConsumeMany>['consumeMany'], { __typename: 'ConsumeManyPayload' }>;

/** The member a call hopes for; the others are thrown. A member added to the union later is a UserError as well. */
export function expectMember<Result extends { __typename: string }, Name extends Result['__typename']>(
  result: Result,
  name: Name,
): Extract<Result, { __typename: Name }> {
  if (isMember(result, name)) return result;
  throw isUserError(result) ? userFailure(result) : badResponse(`the gateway answered with a ${result.__typename}`);
}

/** Whether it is allowed is read strictly: anything but a clear yes or a reasoned no is thrown, never taken for a yes. */
export function toConsumption(result: UseResult): Consumption {
  const { __typename, allowed, denial, ...rest } = expectMember(result, 'Consumption');
  if (allowed === true && denial === null) return { allowed, denial, ...rest };
  if (allowed === false && denial !== null) return { allowed, denial, ...rest };
  throw badResponse('the gateway neither allowed nor denied');
}

/** As strictly: what is held has an id to end it by, and what was denied has a reason. */
export function toReservation(result: ReserveResult): Reservation {
  const { __typename, allowed, denial, id, state, createdAt, expiresAt, ...rest } = expectMember(result, 'Reservation');
  if (
    allowed === true &&
    denial === null &&
    id !== null &&
    state !== null &&
    createdAt !== null &&
    expiresAt !== null
  ) {
    return { allowed, denial, id, state, createdAt, expiresAt, ...rest };
  }
  if (allowed === false && denial !== null) {
    return { allowed, denial, id: null, state: null, createdAt: null, expiresAt: null, ...rest };
  }
  throw badResponse('the gateway neither held nor denied');
}

/** Where an item of a batch stands. */
export const pathOfItem = (index: number): readonly string[] => ['input', 'inputs', String(index)];

/**
 * One item of a batch: never throws.
 *
 * @param index Where the caller has it. The gateway counts those that were sent, which may be fewer.
 */
export function toOutcome(result: ConsumeManyPayload['results'][number] | undefined, index: number): ConsumeOutcome {
  try {
    if (result === undefined) throw badResponse('the gateway left an item without a result');
    return { ok: true, consumption: toConsumption(movedTo(index, result)) };
  } catch (error) {
    return { ok: false, error: error instanceof MetergraphError ? error : badResponse('unreadable item', error) };
  }
}

function movedTo(index: number, result: ConsumeResult): ConsumeResult {
  if (!isUserError(result) || !result.path) return result;
  const [input, inputs, , ...field] = result.path;
  return input === 'input' && inputs === 'inputs' ? { ...result, path: [...pathOfItem(index), ...field] } : result;
}

const isMember = <Result extends { __typename: string }, Name extends string>(
  result: Result,
  name: Name,
): result is Extract<Result, { __typename: Name }> => result.__typename === name;

const isUserError = (result: object): result is UserError => 'code' in result && 'message' in result;
