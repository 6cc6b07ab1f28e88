/**
 * sweep — looks for notices that never came: Stripe lists them for 30 days.
 *
 * What was handled is passed over. What fails is looked for again by the next sweep, for which the sweep begins again
 * where the first one failed.
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
  const before = (await sweptThrough(database.db, name)) ?? nowMs - FIRST_LOOK_MS;
  const fromMs = Math.max(before - OVERLAP_MS, nowMs - LISTED_MS);
  const missed = await missedSince(deps, fromMs, connected);
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
  await saveSweptThrough(database.db, name, failedAtMs === null ? nowMs : Math.max(failedAtMs, before));
  return missed.length;
}

/** The oldest first, so that what a customer went through is gone through as it was. */
async function missedSince(
  deps: SweepDeps,
  fromMs: number,
  connected: string | null,
): Promise<readonly Stripe.Event[]> {
  const missed: Stripe.Event[] = [];
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
    missed.push(...page.data.filter(({ id }) => !handled.has(id)));
    after = page.data.at(-1)?.id;
    hasMore = page.has_more && after !== undefined;
  }
  return missed.reverse();
}
