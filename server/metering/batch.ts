/**
 * batch — decides the requests of one transaction in order of arrival, each on the state that the ones before it left.
 *
 * Touches nothing: state in, outcomes and changes out.
 */
import { type Decision, decide, emptySplit } from '../domain/decision.ts';
import { customerNotFound, featureNotFound, invalidAmount, MeterError, planNotFound } from '../domain/errors.ts';
import type { Feature } from '../domain/feature.ts';
import { type Catalog, liveFeature, liveKeys, type Plan } from '../domain/plan.ts';
import type { Usage } from '../domain/usage.ts';
import { type AnswerJson, answerToJson } from './answer.ts';
import type { ConsumeRequest, Consumption } from './consumption.ts';
import { fingerprint } from './fingerprint.ts';
import {
  type ChangedCounter,
  type Changes,
  type CustomerState,
  type Meter,
  meterOf,
  type NewAlert,
  type NewAnswer,
  type NewEvent,
  namedPlan,
  ownPlan,
  type StoredCounter,
  usageOfMeter,
} from './state.ts';

/** What became of one request. The alerts of `decided` have no sequence yet: storing them gives it. */
export type Outcome =
  | {
      readonly kind: 'decided';
      /** The meter after the call by the customer's own plan, whichever plan the call named for itself. */
      readonly own: Usage;
      readonly consumption: Omit<Consumption, 'alerts'>;
      readonly alerts: readonly NewAlert[];
    }
  | { readonly kind: 'replayed'; readonly answer: AnswerJson; readonly feature: Feature }
  | { readonly kind: 'failed'; readonly error: MeterError };

export type BatchResult = { readonly outcomes: readonly Outcome[]; readonly changes: Changes };

export function decideBatch(
  requests: readonly ConsumeRequest[],
  customers: ReadonlyMap<string, CustomerState>,
  catalogs: ReadonlyMap<string, Catalog>,
  nowMs: number,
): BatchResult {
  const draft = new Draft(nowMs);
  const outcomes = requests.map((request): Outcome => {
    try {
      return decideOne(request, customers.get(request.customerId), catalogs.get(request.tenantId), draft);
    } catch (error) {
      if (error instanceof MeterError) return { kind: 'failed', error };
      throw error;
    }
  });
  return { outcomes, changes: draft };
}

function decideOne(
  request: ConsumeRequest,
  customer: CustomerState | undefined,
  catalog: Catalog | undefined,
  draft: Draft,
): Outcome {
  if (!customer || !catalog) throw customerNotFound(request.referenceId);
  const content = request.idempotencyKey === null ? null : fingerprint(request);
  const replayed = content === null ? null : replay(request, content, customer, catalog);
  if (replayed) return replayed;

  const feature = featureOf(request, catalog);
  const meter = meterOf(customer, catalog, feature, planOf(request, customer, catalog), draft.nowMs);
  const decision = decide(meter.state, request, draft.nowMs);
  if (decision.outcome === 'invalid') throw invalidAmount(decision.problem);

  const alerts = decision.outcome === 'allowed' ? draft.apply(request, meter, decision) : [];
  const consumption = consumptionOf(meter, decision, draft.nowMs);
  if (content !== null) draft.remember(request, customer, content, answerToJson(consumption, alerts.length));
  const own = request.overrideKey === null ? consumption.usage : ownUsage(customer, catalog, feature, draft.nowMs);
  return { kind: 'decided', consumption, own, alerts };
}

function ownUsage(customer: CustomerState, catalog: Catalog, feature: Feature, nowMs: number): Usage {
  const meter = meterOf(customer, catalog, feature, ownPlan(customer, catalog), nowMs);
  return usageOfMeter(meter, meter.state.counter, nowMs);
}

/** The first answer again, if the key is known. */
function replay(request: ConsumeRequest, content: string, customer: CustomerState, catalog: Catalog): Outcome | null {
  const known = customer.answers.get(request.idempotencyKey ?? '');
  if (!known) return null;
  const feature = catalog.features.get(request.featureKey);
  if (known.fingerprint === content && feature) return { kind: 'replayed', answer: known.answer, feature };
  throw new MeterError(
    'IDEMPOTENCY_CONFLICT',
    `Idempotency key "${request.idempotencyKey}" was first sent with other content; send a new key for a new call.`,
    { path: ['input', 'idempotencyKey'] },
  );
}

function featureOf({ featureKey }: ConsumeRequest, catalog: Catalog): Feature {
  const feature = liveFeature(catalog, featureKey);
  if (!feature) throw featureNotFound(featureKey, liveKeys(catalog.features));
  return feature;
}

function planOf({ overrideKey }: ConsumeRequest, customer: CustomerState, catalog: Catalog): Plan | null {
  if (overrideKey === null) return ownPlan(customer, catalog);
  const plan = namedPlan(catalog, overrideKey);
  if (!plan) throw planNotFound(overrideKey, liveKeys(catalog.plans), 'overrideKey');
  return plan;
}

type Allowed = Extract<Decision, { outcome: 'allowed' }>;
type Decided = Exclude<Decision, { outcome: 'invalid' }>;

function consumptionOf(meter: Meter, decision: Decided, nowMs: number): Omit<Consumption, 'alerts'> {
  const allowed = decision.outcome === 'allowed';
  return {
    allowed,
    denial: allowed ? null : decision.denial,
    amount: allowed ? decision.amount : 0n,
    split: allowed ? decision.split : emptySplit(meter.state.policy),
    usage: usageOfMeter(meter, allowed ? decision.counter : meter.state.counter, nowMs),
    replayed: false,
  };
}

/** The changes of a batch while they are made. */
class Draft implements Changes {
  readonly nowMs: number;
  readonly counters = new Map<string, ChangedCounter>();
  readonly events: NewEvent[] = [];
  readonly answers: NewAnswer[] = [];
  readonly alerts: NewAlert[] = [];
  readonly #moved = new Set<CustomerState>();

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  get customers(): readonly CustomerState[] {
    return [...this.#moved];
  }

  /** Takes the customer's next sequence for an allowed request. */
  apply(request: ConsumeRequest, { customer, feature, state }: Meter, decision: Allowed): readonly NewAlert[] {
    customer.sequence += 1n;
    const counter: StoredCounter = { ...decision.counter, period: state.counter.period, sequence: customer.sequence };
    customer.rateWindow = decision.rateWindow;
    customer.counters.set(feature.key, counter);
    this.#moved.add(customer);
    this.counters.set(`${customer.id} ${feature.key} ${counter.period.startMs}`, {
      customer,
      featureKey: feature.key,
      counter,
    });
    this.events.push({
      customer,
      sequence: customer.sequence,
      featureKey: feature.key,
      periodStartMs: counter.period.startMs,
      amount: decision.amount,
      overage: decision.split.overage,
      usedAfter: counter.used,
      idempotencyKey: request.idempotencyKey,
      properties: request.properties,
    });
    const alerts = decision.raised.map((threshold) => ({
      tenantId: customer.tenantId,
      customerId: customer.id,
      referenceId: customer.referenceId,
      featureKey: feature.key,
      period: { startMs: counter.period.startMs, endMs: counter.period.endMs },
      threshold,
      used: counter.used,
      limit: state.policy.limit,
      raisedAtMs: this.nowMs,
      eventSequence: customer.sequence,
    }));
    this.alerts.push(...alerts);
    return alerts;
  }

  /** Keeps an answer under its key; a later request of this batch with the same key hears it too. */
  remember(request: ConsumeRequest, customer: CustomerState, content: string, answer: AnswerJson): void {
    const idempotencyKey = request.idempotencyKey ?? '';
    customer.answers.set(idempotencyKey, { fingerprint: content, answer });
    this.answers.push({ customer, idempotencyKey, fingerprint: content, answer: JSON.stringify(answer) });
  }
}
