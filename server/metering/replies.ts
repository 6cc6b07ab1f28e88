/**
 * replies — what each request of a decided batch hears: its own answer or error, the first one again, the alerts it raised.
 * And what those hear who watch.
 */
import type { Query } from '../db/client.ts';
import { alertsOfEvents, type EventRange } from '../db/queries/alerts.ts';
import type { Alert } from '../domain/alert.ts';
import { MeterError } from '../domain/errors.ts';
import type { Catalog } from '../domain/plan.ts';
import type { Usage } from '../domain/usage.ts';
import type { CustomerMoved } from '../events/committed.ts';
import { answerFromJson } from './answer.ts';
import type { BatchResult, Outcome } from './batch.ts';
import type { Request, Result } from './requests.ts';
import type { NewAlert } from './state.ts';

/** Not decided yet: so much is due of its customer that settling takes more transactions. See `settleCustomer`. */
export const POSTPONED = { kind: 'postponed' } as const;

/** What a request hears; an error here is about this request alone. */
export type Reply = Result | MeterError | typeof POSTPONED;

/** Every request's reply, but for the alerts of this very batch: they get their sequence when they are stored. */
export const repliesOf = (
  requests: readonly Request[],
  outcomes: readonly Outcome[],
  catalogs: ReadonlyMap<string, Catalog>,
  replayedAlerts: readonly (readonly Alert[])[],
): readonly Reply[] =>
  requests.map((request, i) => replyOf(request, outcomes[i], catalogs.get(request.tenantId), replayedAlerts[i] ?? []));

function replyOf(
  request: Request,
  outcome: Outcome | undefined,
  catalog: Catalog | undefined,
  replayedAlerts: readonly Alert[],
): Reply {
  if (outcome?.kind === 'failed') return outcome.error;
  if (outcome?.kind === 'postponed') return POSTPONED;
  if (outcome?.kind === 'decided') {
    const { result } = outcome;
    return result.kind === 'consumption' ? { ...result, alerts: [] } : result;
  }
  if (outcome?.kind !== 'replayed' || !catalog) throw new Error('a request of the batch was not decided');
  return answerFromJson(outcome.answer, request, catalog, replayedAlerts);
}

/** Adds the alerts of this batch: to those who raised them, and to those who sent the same call again within it. */
export function withAlerts(
  { replies, outcomes }: { readonly replies: readonly Reply[]; readonly outcomes: readonly Outcome[] },
  saved: ReadonlyMap<NewAlert, Alert>,
): readonly Reply[] {
  if (saved.size === 0) return replies;
  return replies.map((result, i) => {
    if (result instanceof MeterError || result === POSTPONED) return result;
    if (result.kind !== 'consumption' || !result.allowed) return result;
    const outcome = outcomes[i];
    const raised =
      outcome?.kind === 'decided'
        ? outcome.alerts.flatMap((alert) => saved.get(alert) ?? [])
        : savedIn(saved, raisedBy(result.usage, outcome));
    return raised.length > 0 ? { ...result, alerts: raised } : result;
  });
}

function savedIn(saved: ReadonlyMap<NewAlert, Alert>, range: EventRange | null): readonly Alert[] {
  if (range === null) return [];
  const [first, last] = [BigInt(range.first), BigInt(range.last)];
  return [...saved]
    .filter(([{ customerId, eventSequence: at }]) => customerId === range.customerId && first <= at && at <= last)
    .map(([, alert]) => alert);
}

/** The alerts that the first answers of replayed calls spoke of, by position in the batch. Seldom any. */
export async function alertsOfReplays(requests: readonly Request[], outcomes: readonly Outcome[], query: Query) {
  const ranges = requests.map((request, i) => raisedBy(request, outcomes[i]));
  const found = (
    await alertsOfEvents(
      query,
      ranges.filter((range) => range !== null),
    )
  ).values();
  return ranges.map((range) => (range === null ? [] : (found.next().value ?? [])));
}

/** The events that raised what a replayed answer speaks of; null where it speaks of nothing, or is none. */
function raisedBy({ customerId }: Pick<Request, 'customerId'>, outcome: Outcome | undefined): EventRange | null {
  if (outcome?.kind !== 'replayed' || outcome.answer.kind !== 'consumption' || outcome.answer.alerts === 0) return null;
  const { alertsFrom, usage } = outcome.answer;
  return { customerId, first: alertsFrom ?? usage.sequence, last: usage.sequence };
}

/** Of each meter the last state in the batch; earlier ones were never visible to anybody. */
export function movedBy({ outcomes, changes }: BatchResult): readonly CustomerMoved[] {
  const newest = new Map(changes.customers.map((customer) => [customer.id, new Map<string, Usage>()]));
  for (const outcome of outcomes) {
    if (outcome.kind !== 'decided' || outcome.own === null) continue;
    if (outcome.result.kind === 'consumption' && !outcome.result.allowed) continue;
    newest.get(outcome.own.customerId)?.set(outcome.own.feature.key, outcome.own);
  }
  return changes.customers.map((customer) => ({
    tenantId: customer.tenantId,
    customerId: customer.id,
    sequenceBefore: customer.sequenceBefore,
    sequence: customer.sequence,
    isWhole: customer.limitsSequence <= customer.sequenceBefore && !changes.settled.has(customer),
    dueAtMs: customer.dueAtMs,
    usages: [...(newest.get(customer.id)?.values() ?? [])],
  }));
}
