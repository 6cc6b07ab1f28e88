/**
 * sweep — looks for notices that never came: Stripe lists them for 30 days.
 *
 * What was handled is passed over. What fails is looked for again by the next sweep, for which the sweep begins again
 * where the first one failed. How far it has come is told by Stripe's clock alone: that of a gateway may be ahead, and what
 * happens until then would be passed over by all of them.
 */
import type Stripe from 'stripe';
import { handledAmong, saveSweptThrough, sweptThrough } from '../../../db/queries/stripe-events.ts';
import { onAccount } from '../client.ts';
import { handleEvent, type InboxDeps } from './inbox.ts';
import { SWEPT_TYPES } from './subject.ts';

const HOUR_MS = 3_600_000;
/** Notices may be listed a little after the time that they bear. */
const OVERLAP_MS = 15 * 60_000;
/** A gateway that has never looked had no customers who could have missed anything for long. */
const FIRST_LOOK_MS = 24 * HOUR_MS;
/** Stripe lists no older ones. */
const LISTED_MS = 30 * 24 * HOUR_MS;
const PAGE = 100;

export type SweepDeps = InboxDeps & { readonly onError: (error: unknown) => void };

/** @returns how many had been missed. */
export async function sweep(
  deps: SweepDeps,
  connected: string | null,
  isStopped: () => boolean = () => false,
): Promise<number> {
  const { database, clock } = deps;
  const nowMs = clock.now();
  const name = connected ?? '';
  const before = Math.min((await sweptThrough(database.db, name)) ?? nowMs - FIRST_LOOK_MS, nowMs);
  const fromMs = Math.max(before - OVERLAP_MS, nowMs - LISTED_MS);
  const { missed, newestMs } = await missedSince(deps, fromMs, connected);
  let failedAtMs: number | null = null;
  for (const event of missed) {
    if (isStopped()) return missed.length;
    try {
      await handleEvent(deps, event, connected);
    } catch (error) {
      deps.onError(error);
      failedAtMs ??= event.created * 1_000;
    }
  }
  await saveSweptThrough(database.db, name, Math.max(failedAtMs ?? newestMs ?? before, before));
  return missed.length;
}

type Missed = {
  /** The oldest first, so that what a customer went through is gone through as it was. */
  readonly missed: readonly Stripe.Event[];
  /** When the newest notice is of that was listed at all, by Stripe's clock; null for none. */
  readonly newestMs: number | null;
};

async function missedSince(deps: SweepDeps, fromMs: number, connected: string | null): Promise<Missed> {
  const missed: Stripe.Event[] = [];
  let newestMs: number | null = null;
  const to = onAccount(connected);
  let after: string | undefined;
  for (let hasMore = true; hasMore; ) {
    const page: Stripe.ApiList<Stripe.Event> = await deps.stripe.events.list(
      {
        created: { gte: Math.floor(fromMs / 1_000) },
        types: [...SWEPT_TYPES],
        limit: PAGE,
        ...(after !== undefined && { starting_after: after }),
      },
      to,
    );
    const handled = await handledAmong(
      deps.database.db,
      page.data.map(({ id }) => id),
    );
    newestMs ??= page.data[0] ? page.data[0].created * 1_000 : null;
    missed.push(...page.data.filter(({ id }) => !handled.has(id)));
    after = page.data.at(-1)?.id;
    hasMore = page.has_more && after !== undefined;
  }
  return { missed: missed.reverse(), newestMs };
}
