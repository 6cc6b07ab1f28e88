/**
 * history — the demo's past, written by the ledger that writes the present, with a clock that is moved through it.
 *
 * So counters, events and alerts agree because everything that makes them agree was at work.
 */

import type { Catalogs } from '../db/catalogs.ts';
import type { Database } from '../db/client.ts';
import { MeterError } from '../domain/errors.ts';
import { periodAt } from '../domain/period.ts';
import { ONE } from '../domain/units.ts';
import { Ledger } from '../metering/ledger.ts';
import type { ConsumeRequest } from '../metering/requests.ts';
import { type DemoMeter, isGauge, levelAt, requestFor, usedAt } from './meters.ts';
import { between, type Random } from './random.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** How far apart the batches of the history are: the closer to its end, the closer to each other. */
const STEPS = [
  { beforeEndMs: 2 * HOUR_MS, stepMs: 10 * MINUTE_MS },
  { beforeEndMs: 24 * HOUR_MS, stepMs: HOUR_MS },
] as const;
const STEP_MAX_MS = 4 * HOUR_MS;
/** How often a meter is used in a step. */
const BUSY = 0.6;
/** A company makes at most so many calls that count one at a step. */
const CALLS_MAX = 3;

export type HistoryOptions = {
  readonly database: Database;
  readonly catalogs: Catalogs;
  readonly meters: readonly DemoMeter[];
  readonly fromMs: number;
  readonly untilMs: number;
  readonly random: Random;
};

/** Writes what was used after `fromMs` and before `untilMs`; the meters then stand as they did at the end. */
export async function writeHistory({ database, catalogs, meters, fromMs, untilMs, random }: HistoryOptions) {
  let nowMs = fromMs;
  const clock = { now: () => nowMs };
  const ledger = new Ledger({ database, catalogs, clock, onCommitted: () => {}, hintOf: () => null });
  for (let [startMs, endMs] = [fromMs, fromMs]; startMs < untilMs; startMs = endMs) {
    endMs = Math.min(startMs + stepAt(startMs, untilMs), untilMs);
    nowMs = Math.floor(between(random, startMs, endMs));
    const busy = meters.filter(() => random() < BUSY);
    const calls = busy.flatMap((meter) => callsAt(meter, nowMs, untilMs, random));
    if (calls.length === 0) continue;
    const results = await ledger.record(calls.map(({ request }) => request));
    for (const [i, { meter }] of calls.entries()) {
      const result = results[i];
      if (result instanceof MeterError) throw result;
      if (result && 'usage' in result) meter.usage = result.usage;
    }
  }
}

const stepAt = (atMs: number, untilMs: number): number =>
  STEPS.find(({ beforeEndMs }) => untilMs - atMs <= beforeEndMs)?.stepMs ?? STEP_MAX_MS;

type Call = { readonly meter: DemoMeter; readonly request: ConsumeRequest };

/** The calls that bring a meter to where it should stand, give or take a little. */
function callsAt(meter: DemoMeter, atMs: number, untilMs: number, random: Random): readonly Call[] {
  const { company, usage } = meter;
  const { aggregation, reset, anchor } = usage.feature;
  const { startMs } = usage.period; // where a period began that was seen, the next ones can be counted from
  const period = periodAt({ reset, anchor, anchorMs: startMs, timeZone: company.timeZone, sinceMs: startMs }, atMs);
  const missing = levelAt(meter, period, atMs, untilMs) - Number(usedAt(meter, atMs)) / Number(ONE);
  const amount = Math.round(missing * (isGauge(usage) ? 1 : between(random, 0.7, 1.1)));
  if (amount === 0 || (amount < 0 && !isGauge(usage))) return [];
  if (aggregation !== 'count' && aggregation !== 'unique') {
    return [{ meter, request: requestFor(meter, amount, 'CLAMP', atMs) }];
  }
  const calls = Math.min(Math.abs(amount), Math.ceil(random() * CALLS_MAX));
  return Array.from({ length: calls }, (_, nth) => ({
    meter,
    request: requestFor(meter, Math.sign(amount), 'CLAMP', atMs, nth),
  }));
}
