/**
 * batch — decides the requests of one transaction in order of arrival, each on the state that the ones before it left.
 *
 * Touches nothing: state in, outcomes and changes out.
 */
import { customerNotFound, featureNotFound, grantNotFound, MeterError, planNotFound } from '../domain/errors.ts';
import type { Feature } from '../domain/feature.ts';
import type { BeforeDecision } from '../domain/hook.ts';
import { refusedOutright } from '../domain/hook.ts';
import { type Catalog, liveFeature, liveKeys, livePlan } from '../domain/plan.ts';
import type { Reservation } from '../domain/reservation.ts';
import { refuseUntimely } from '../domain/timely.ts';
import type { Usage } from '../domain/usage.ts';
import { type AnswerJson, answerToJson, type Decided } from './answer.ts';
import { Draft } from './draft.ts';
import { answerOfToday } from './earlier-answer.ts';
import { fingerprint } from './fingerprint.ts';
import { currentCounter, type Meter, meterOf, ownPlan, usageOfMeter } from './meter.ts';
import type { Request } from './requests.ts';
import type { Changes, CustomerState, NewAlert } from './state.ts';
import { commit, keepCommit } from './verbs/commit.ts';
import { eventToReverse, restart, reverse } from './verbs/correct.ts';
import { type Called, describeUse } from './verbs/describe.ts';
import { keepOneCurrency } from './verbs/one-currency.ts';
import { grantUnits, settleTopUp, setWallet, topUp, voidUnits } from './verbs/prepay.ts';
import { release } from './verbs/release.ts';
import { meterOfReservation, reservationOf } from './verbs/reservation.ts';
import { deniedHolding, reserve } from './verbs/reserve.ts';
import { bringUpToNow, isDue, settleMeterCredits } from './verbs/settle.ts';
import { refusedUse, use } from './verbs/use.ts';

/** What became of one request. The alerts of `decided` have no sequence yet: storing them gives it. */
export type Outcome =
  | {
      readonly kind: 'decided';
      /** The meter after the call by the customer's own plan, whichever plan the call named for itself. */
      readonly own: Usage | null;
      readonly result: Decided;
      readonly alerts: readonly NewAlert[];
    }
  | { readonly kind: 'replayed'; readonly answer: AnswerJson }
  /** More is due of the customer than one transaction settles: part of it was, and the request is to be asked again. */
  | { readonly kind: 'postponed' }
  | { readonly kind: 'failed'; readonly error: MeterError };

export type BatchResult = { readonly outcomes: readonly Outcome[]; readonly changes: Changes };

/** All that a batch is decided by. */
export type BatchState = {
  readonly customers: ReadonlyMap<string, CustomerState>;
  readonly catalogs: ReadonlyMap<string, Catalog>;
  readonly nowMs: number;
  /** The app's own function inside the decision; null without. */
  readonly before: BeforeDecision | null;
};

export function decideBatch(requests: readonly Request[], state: BatchState): BatchResult {
  const draft = new Draft(state.nowMs);
  const due = new Set([...state.customers.values()].filter((customer) => isDue(customer, state.nowMs)));
  const outcomes = requests.map((request): Outcome => {
    try {
      return decideOne(request, state, draft, due);
    } catch (error) {
      if (error instanceof MeterError) return { kind: 'failed', error };
      throw error;
    }
  });
  return { outcomes, changes: draft };
}

/** @param due Of those, all that settling needs was read; whom this very batch makes due waits for the next one. */
function decideOne(request: Request, state: BatchState, draft: Draft, due: ReadonlySet<CustomerState>): Outcome {
  const customer = state.customers.get(request.customerId);
  const catalog = state.catalogs.get(request.tenantId);
  if (!customer || !catalog) throw customerNotFound(request.referenceId);
  const content = request.idempotencyKey === null ? null : fingerprint(request);
  const replayed = (content === null ? null : replay(request, content, customer)) ?? recommitted(request, customer);
  if (replayed) return replayed;
  if (request.kind === 'consume' && request.occurredAtMs !== null) refuseUntimely(request.occurredAtMs, draft.nowMs);

  if (due.has(customer) && !bringUpToNow(draft, customer, catalog)) return { kind: 'postponed' };
  const { meter, result, alerts } = decideVerb(request, { customer, catalog, draft, before: state.before });
  if (content !== null) {
    draft.remember(customer, request.idempotencyKey ?? '', content, answerToJson(result, alerts));
  }
  return { kind: 'decided', result, alerts, own: meter && ownUsage(request, result, meter, draft.nowMs) };
}

/** The first answer again, if the key is known. */
function replay(request: Request, content: string, customer: CustomerState): Outcome | null {
  const known = customer.answers.get(request.idempotencyKey ?? '');
  if (!known) return null;
  if (known.fingerprint === content) {
    return { kind: 'replayed', answer: answerOfToday(known.answer, 'featureKey' in request ? request.featureKey : '') };
  }
  throw new MeterError(
    'IDEMPOTENCY_CONFLICT',
    `Idempotency key "${request.idempotencyKey}" was first sent with other content; send a new key for a new call.`,
    { path: ['input', 'idempotencyKey'] },
  );
}

/** Committing twice is the same as once: the same amount hears the first answer again, with or without a key. */
function recommitted(request: Request, { reservations, commits }: CustomerState): Outcome | null {
  if (request.kind !== 'commit') return null;
  const reservation = reservations.get(request.reservationId);
  const answer = commits.get(request.reservationId);
  const isSame = reservation && (request.amount ?? reservation.amount) === reservation.committed;
  return answer && isSame ? { kind: 'replayed', answer } : null;
}

type Context = {
  readonly customer: CustomerState;
  readonly catalog: Catalog;
  readonly draft: Draft;
  readonly before: BeforeDecision | null;
};

type Verdict = {
  /** The meter that the request is about; null for one that is about none. */
  readonly meter: Meter | null;
  readonly result: Decided;
  readonly alerts: readonly NewAlert[];
};

/** One request, by its verb. */
function decideVerb(request: Request, context: Context): Verdict {
  const { customer, catalog, draft } = context;
  switch (request.kind) {
    case 'consume':
    case 'reserve':
      return decideCalled(request, context);
    case 'commit': {
      const reservation = reservationOf(customer, request.reservationId);
      const meter = heldMeter(context, reservation);
      const { consumption, alerts } = commit(draft, meter, reservation, request);
      if (consumption.allowed) {
        keepCommit(draft, customer, reservation, request, answerToJson(consumption, alerts));
      }
      return { meter, result: consumption, alerts };
    }
    case 'release': {
      const reservation = reservationOf(customer, request.reservationId);
      const meter = heldMeter(context, reservation);
      return { meter, result: release(draft, meter, reservation), alerts: [] };
    }
    case 'grant': {
      const meter = ownMeter(context, request.featureKey);
      return { meter, result: grantUnits(draft, meter, request), alerts: [] };
    }
    case 'void-grant': {
      const meter = keptMeter(context, featureOfGrant(customer, request.grantId));
      return { meter, result: voidUnits(draft, meter, request), alerts: [] };
    }
    case 'reverse': {
      const event = eventToReverse(customer, request.sequence);
      const meter = keptMeter(context, event.featureKey);
      const { consumption, alerts } = reverse(draft, meter, event, request);
      return { meter, result: consumption, alerts };
    }
    case 'reset': {
      const meter = ownMeter(context, request.featureKey);
      return { meter, result: restart(draft, meter, request.idempotencyKey), alerts: [] };
    }
    case 'top-up':
      return ofNoMeter(topUp(draft, customer, ownPlan(customer, catalog, draft.nowMs), request));
    case 'set-wallet':
      return ofNoMeter(setWallet(draft, customer, ownPlan(customer, catalog, draft.nowMs), request));
    case 'settle-top-up':
      return ofNoMeter(settleTopUp(draft, customer, ownPlan(customer, catalog, draft.nowMs), request));
    case 'settle':
      return ofNoMeter({ kind: 'settled' });
  }
}

const ofNoMeter = (result: Decided): Verdict => ({ meter: null, result, alerts: [] });

/** A call that names a feature, an amount, and perhaps a plan: `consume`, `recordUsage`, `reserve`. */
function decideCalled(request: Called, context: Context): Verdict {
  const { customer, catalog, draft, before } = context;
  const feature = featureOf(request.featureKey, catalog);
  const own = meterOf(customer, catalog, feature, ownPlan(customer, catalog, draft.nowMs));
  settleMeterCredits(draft, own, false);
  const meter = request.overrideKey === null ? own : meterOf(customer, catalog, feature, namedPlan(request, catalog));
  if (request.amount > 0n) keepOneCurrency(draft, meter);
  const described = describeUse(request, meter, draft.nowMs, before);
  const refusal = refusedOutright(request.refusal);
  if (request.kind === 'consume') {
    const used = refusal ? refusedUse(meter, refusal, draft.nowMs) : use(draft, meter, described);
    return { meter, result: used.consumption, alerts: used.alerts };
  }
  if (refusal) return { meter, result: deniedHolding(meter, refusal, draft.nowMs), alerts: [] };
  const { reservationId: id, ttlMs, overrideKey } = request;
  return {
    meter,
    result: reserve(draft, meter, described, { id, expiresAtMs: draft.nowMs + ttlMs, overrideKey }),
    alerts: [],
  };
}

function featureOf(featureKey: string, catalog: Catalog) {
  const feature = liveFeature(catalog, featureKey);
  if (!feature) throw featureNotFound(featureKey, liveKeys(catalog.features));
  return feature;
}

function namedPlan({ overrideKey }: Called, catalog: Catalog) {
  const plan = overrideKey === null ? undefined : livePlan(catalog, overrideKey);
  if (!plan) throw planNotFound(overrideKey ?? '', liveKeys(catalog.plans), 'overrideKey');
  return plan;
}

/** A meter by the customer's own plan, with its credits as they are now. */
const ownMeter = (context: Context, featureKey: string): Meter =>
  settledMeter(context, featureOf(featureKey, context.catalog));

/** As `ownMeter`, for what is there already: features are archived, never deleted. */
const keptMeter = (context: Context, featureKey: string): Meter =>
  settledMeter(context, context.catalog.features.get(featureKey) ?? featureOf(featureKey, context.catalog));

function settledMeter({ customer, catalog, draft }: Context, feature: Feature): Meter {
  const meter = meterOf(customer, catalog, feature, ownPlan(customer, catalog, draft.nowMs));
  settleMeterCredits(draft, meter, false);
  return meter;
}

/** The meter that a reservation was decided by; with the credits of the plan that holds now. */
function heldMeter({ customer, catalog, draft }: Context, reservation: Reservation): Meter {
  const meter = meterOfReservation(customer, catalog, reservation, draft.nowMs);
  const own = meterOf(customer, catalog, meter.feature, ownPlan(customer, catalog, draft.nowMs));
  settleMeterCredits(draft, own, false);
  return meter;
}

function featureOfGrant(customer: CustomerState, grantId: string): string {
  for (const [featureKey, { grants }] of customer.credits) if (grants.has(grantId)) return featureKey;
  throw grantNotFound();
}

/** The meter as the customer's own plan has it: what watchers are told. */
function ownUsage(request: Request, result: Decided, meter: Meter, nowMs: number): Usage {
  const { customer, catalog, feature } = meter;
  const isOwn = request.kind === 'consume' && request.overrideKey === null && request.occurredAtMs === null;
  if (isOwn && 'usage' in result) return result.usage;
  const own = meterOf(customer, catalog, feature, ownPlan(customer, catalog, nowMs));
  return usageOfMeter(own, currentCounter(customer, feature, null, nowMs), nowMs);
}
