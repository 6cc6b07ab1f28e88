/** open-since — since when a subscription has not been paid. */
import type Stripe from 'stripe';

/**
 * When the first of its invoices in a row was to be paid, counted back from now to the last one that is settled: one that
 * is paid ends the row, whether or not anybody has seen it then.
 *
 * @param invoices The newest first.
 * @returns null where none is there to be seen.
 */
export function openSinceMs(invoices: readonly Stripe.Invoice[]): number | null {
  const final = invoices.filter(({ status }) => status !== 'draft');
  const settled = final.findIndex(({ status }) => status !== 'open');
  const oldest = final.slice(0, settled === -1 ? undefined : settled).at(-1);
  const since = oldest?.due_date ?? oldest?.status_transitions.finalized_at ?? null;
  return since === null ? null : since * 1_000;
}
