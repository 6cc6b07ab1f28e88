/** traffic — gentle use of the demo, through the engine like any other, so that there is something to see. */
import type { Clock } from '../domain/clock.ts';
import { ONE } from '../domain/units.ts';
import type { Usage } from '../domain/usage.ts';
import type { Engine } from '../metering/engine.ts';
import { type DemoMeter, isGauge, levelAt, requestFor, scaleOf, usedAt } from './meters.ts';
import { between, pick, type Random } from './random.ts';

/** Milliseconds between two calls while somebody watches, and while nobody does: a demo left alone must not pile up. */
const PAUSE_MS = [1_000, 2_000] as const;
const IDLE_PAUSE_MS = [15_000, 30_000] as const;
/** How often a company whose appetite is met asks for more all the same; where nothing is left it is denied. */
const GREED = 0.06;
/** How often what goes up and down does so: seats change hands less often than calls are made. */
const RESTLESSNESS = 0.25;

export type TrafficOptions = {
  readonly engine: Pick<Engine, 'consume'>;
  readonly clock: Clock;
  readonly meters: readonly DemoMeter[];
  readonly random: Random;
  /** Whether anybody is looking: with no subscription open, calls are few. */
  readonly isWatched: () => boolean;
  /** Told of a call that failed; the next one is tried all the same. */
  readonly onError: (error: unknown) => void;
};

export interface Traffic {
  /** Makes no more calls, and returns when the last one is answered. */
  stop(): Promise<void>;
}

export function startTraffic(options: TrafficOptions): Traffic {
  const { random, isWatched, onError } = options;
  let timer: NodeJS.Timeout | undefined;
  let call: Promise<void> = Promise.resolve();
  let stopped = false;
  const pauseThenCall = () => {
    const [shortest, longest] = isWatched() ? PAUSE_MS : IDLE_PAUSE_MS;
    timer = setTimeout(
      () => {
        call = makeOneCall(options)
          .catch(onError)
          .then(() => {
            if (!stopped) pauseThenCall();
          });
      },
      between(random, shortest, longest),
    );
    timer.unref();
  };
  if (options.meters.length > 0) pauseThenCall();
  return {
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await call;
    },
  };
}

/** One call of some company, if one wants anything; a few are asked. */
export async function makeOneCall({ engine, clock, meters, random }: TrafficOptions): Promise<void> {
  for (let asked = 0; asked < 12; asked++) {
    const meter = pick(random, meters);
    const amount = wantedNow(meter, clock.now(), random);
    if (amount === 0) continue;
    const { usage } = await engine.consume(requestFor(meter, amount, 'REJECT', clock.now()));
    meter.usage = usage;
    return;
  }
}

/** A small step: about a hundredth of what the company uses in all; 0 when it wants nothing now. */
function wantedNow(meter: DemoMeter, nowMs: number, random: Random): number {
  const { usage } = meter;
  const step = isCounted(usage) ? 1 : scaleOf(usage) * between(random, 0.002, 0.015);
  const amount = Math.max(1, Math.round(step));
  const used = Number(usedAt(meter, nowMs)) / Number(ONE);
  if (isGauge(usage)) {
    if (random() > RESTLESSNESS) return 0;
    const rises = used < levelAt(meter, usage.period, nowMs, nowMs) ? random() < 0.8 : random() < 0.2;
    if (!rises) return -Math.min(amount, Math.floor(used)) || 0;
  }
  const hasEnough = usage.policy.limit !== null && used + amount > enoughFor(meter);
  return hasEnough && random() > GREED ? 0 : amount;
}

/** Whether each call is one: of an event, or of a distinct value. */
const isCounted = ({ feature }: Usage): boolean => feature.aggregation === 'count' || feature.aggregation === 'unique';

/** Where a company stops by itself: at its appetite, and where a hard limit is nearer, there. */
function enoughFor({ company, usage }: DemoMeter): number {
  const limitsAppetite = usage.policy.enforcement === 'hard' ? 1 : Number.POSITIVE_INFINITY;
  return scaleOf(usage) * Math.min(company.appetite, limitsAppetite);
}
