/**
 * remember — what the memory is told of a batch: whom it writes once it is sent, so that the next can be decided meanwhile,
 * and all others whom it leaves known once it is recorded.
 */
import type { BatchResult } from './batch.ts';
import type { Memory } from './memory.ts';
import type { Request } from './requests.ts';
import type { CustomerState } from './state.ts';
import type { Customers } from './store/look.ts';

/** What became of a batch, whose customers are as it leaves them. */
export type Left = BatchResult & { readonly customers: Customers };

/**
 * A batch is on its way. A next one that is decided by what this one writes fails with it, since it expects a revision that was
 * never written; it is forgotten then. Of whom this one only looked at, nothing would tell the next that this one has failed and
 * is yet to be decided.
 *
 * @param revision What the rows of its customers have when it is recorded.
 * @returns whom it only looked at: to be kept when it is recorded, by the revisions they have.
 */
export function rememberSent(
  memory: Memory,
  requests: readonly Request[],
  left: Left,
  revision: bigint,
): Iterable<CustomerState> {
  contestReplayed(memory, requests, left);
  memory.handOver(left.customers);
  const known = knownAfter(requests, left);
  memory.keep(
    left.changes.customers.filter((customer) => known.delete(customer)), // so that the others are left
    revision,
  );
  for (const { idempotencyKey } of requests) if (idempotencyKey !== null) memory.hear(idempotencyKey);
  return known;
}

/** Whom a batch leaves in a state that is all there is to know: not where it failed half-way, settled much, or did more than use. */
function knownAfter(requests: readonly Request[], { customers, outcomes, changes }: Left): Set<CustomerState> {
  const known = new Map(customers);
  for (const [i, { customerId, kind }] of requests.entries()) {
    const outcome = outcomes[i]?.kind;
    if (kind !== 'consume' || outcome === 'failed' || outcome === 'postponed') known.delete(customerId);
  }
  for (const { id } of changes.settled) known.delete(id);
  return new Set(known.values());
}

/**
 * Who sends keys again that this process has not heard, as after a restart, is read for a while: guessed to be new, each of them
 * would fail a batch, with all the others in it.
 */
function contestReplayed(memory: Memory, requests: readonly Request[], { outcomes, changes: { answers } }: Left): void {
  if (outcomes.every(({ kind }) => kind !== 'replayed')) return;
  const isFirst = new Set(answers.map(({ idempotencyKey }) => idempotencyKey));
  for (const [i, { customerId, idempotencyKey }] of requests.entries()) {
    if (outcomes[i]?.kind !== 'replayed' || idempotencyKey === null || isFirst.has(idempotencyKey)) continue;
    if (!memory.hasHeard(idempotencyKey)) memory.contest(customerId);
  }
}
