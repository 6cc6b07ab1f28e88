/** runs — many random lives of the real engine beside the model, in one database, and what the first disagreement was. */
import fc from 'fast-check';
import type { Database } from '../../server/db/client.ts';
import { ManualClock } from '../support/clock.ts';
import { BEGINNINGS } from './catalog.ts';
import { engineSubject } from './engine-subject.ts';
import { brokenLaws } from './laws.ts';
import { Life } from './life.ts';
import { type Step, step } from './steps.ts';

export type RunsOptions = {
  readonly runs: number;
  /** How long a life is on average. */
  readonly commands: number;
  readonly seed: number;
  /** Leads straight to one life of the seed, as a failure says it. */
  readonly path?: string;
  readonly onProgress?: (progress: Progress) => void;
};

export type Progress = { readonly lives: number; readonly steps: number };

export type RunsReport = Progress & {
  readonly seed: number;
  /** The shortest life found in which engine and model disagree, as a script; null when they never did. */
  readonly failure: string | null;
};

/** Reading whole tables takes as long as many steps; what breaks a law does so in other lives, too. */
const LIVES_PER_LAWS = 4;

/** For how long a failure is made shorter before it is told. */
const SHRINKING_MS = 40_000;

/** One life: when it begins and what happens. */
type Plot = readonly [begin: string, steps: readonly Step[]];

/**
 * Lives until all agree or one does not; that one is then made as short as it gets.
 *
 * Every life has customers of its own in the same database, because a database of its own would take longer than the life.
 */
export async function liveManyTimes(database: Database, options: RunsOptions): Promise<RunsReport> {
  const { runs, commands, seed, path, onProgress } = options;
  const clock = new ManualClock();
  const subject = await engineSubject(database, clock);
  let lives = 0;
  let steps = 0;
  let failedAtMs: number | null = null;
  const liveOnce = async (plot: Plot): Promise<void> => {
    if (failedAtMs !== null && performance.now() - failedAtMs > SHRINKING_MS) return; // as short as it gets in the time
    try {
      await liveOut(plot);
    } catch (error) {
      failedAtMs ??= performance.now();
      throw error;
    }
  };
  const liveOut = async ([begin, plot]: Plot): Promise<void> => {
    lives += 1;
    clock.set(begin);
    const life = await Life.begin(subject, { clock, tenantId: subject.tenantId, suffix: `-${lives}` });
    for (const one of plot) {
      await life.live(one);
      steps += 1;
    }
    await life.catchUp();
    const asksLaws = failedAtMs !== null || lives % LIVES_PER_LAWS === 0;
    await life.end(asksLaws ? await brokenLaws(database, life.customerIds()) : []);
    onProgress?.({ lives, steps });
  };
  const plots = fc.tuple(fc.constantFrom(...BEGINNINGS), fc.array(step, { maxLength: 2 * commands, size: 'max' }));
  const report = await fc.check(fc.asyncProperty(plots, liveOnce), {
    seed,
    numRuns: runs,
    unbiased: true, // so that lives are as long as said, on average
    ...(path !== undefined && { path, endOnFailure: false }),
  });
  return { lives, steps, seed, failure: report.failed ? spellFailure(report) : null };
}

function spellFailure({ errorInstance, seed, counterexamplePath }: fc.RunDetails<[Plot]>): string {
  const said = errorInstance instanceof Error ? errorInstance.message : String(errorInstance);
  return `seed ${seed}, path ${counterexamplePath}\n${said}`;
}
