/** catch-up — what time brings about without anybody asking for it, in order and each at its own time. */
import { type Due, nextDue } from './due.ts';
import { PROCESSING_SPAN, processUsage } from './meter-processing.ts';
import { arrive } from './resources/test-clocks.ts';
import type { Seconds } from './wire.ts';
import type { World } from './world.ts';

/** All that is due by the clock as it stands. Where it has not moved, nothing more is. */
export function catchUp(world: World): void {
  const now = secondsOf(world.now());
  if (now === world.caughtUp) return;
  world.caughtUp = now;
  for (let due = firstDue(world, now); due; due = firstDue(world, now)) {
    world.pretended = Math.min(due.at, now) * 1_000;
    runDue(world, due);
    world.pretended = undefined;
  }
  processAll(world, now);
}

/** The first of all accounts. */
export const firstDue = (world: World, until: Seconds): Due | undefined =>
  world.accounts.flatMap((account) => nextDue(account, undefined, until) ?? []).sort((a, b) => a.at - b.at)[0];

/** Usage that was received long enough before counts for it. */
export function runDue(world: World, due: Due): void {
  processAll(world, secondsOf(world.now()));
  due.run();
}

export function processAll(world: World, now: Seconds): void {
  for (const account of world.accounts) processUsage(account, now - PROCESSING_SPAN);
}

/** All of it, however short ago it was received; and test clocks arrive. */
export function settle(world: World): void {
  for (const account of world.accounts) {
    processUsage(account, Number.POSITIVE_INFINITY);
    for (const clock of account.testClocks.all()) arrive(account, clock);
  }
}

export const secondsOf = (ms: number): Seconds => Math.floor(ms / 1_000);
