/** cpu-profile — what V8 has sampled (`--cpu-prof`): a call tree, and which of its nodes was running at each sample. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @see https://chromedevtools.github.io/devtools-protocol/tot/Profiler/#type-Profile */
export type CpuProfile = {
  readonly nodes: readonly ProfileNode[];
  /** Microseconds of a monotonic clock; on Linux the one of `process.hrtime`. */
  readonly startTime: number;
  /** Ids of nodes, with the microseconds since the sample before. */
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
};

export type ProfileNode = {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
};

/** Lines and columns count from 0. */
export type CallFrame = {
  readonly functionName: string;
  readonly url: string;
  readonly lineNumber: number;
  readonly columnNumber: number;
};

/** Of the only process that has written into the folder. */
export function readCpuProfile(folder: string): CpuProfile {
  const file = readdirSync(folder).find((name) => name.endsWith('.cpuprofile'));
  if (!file) throw new Error(`the gateway has left no .cpuprofile in ${folder}`);
  return JSON.parse(readFileSync(join(folder, file), 'utf8'));
}

/** Microseconds, by the clock of `CpuProfile`. */
export const nowUs = (): number => Number(process.hrtime.bigint() / 1_000n);

/** How long each node was the one that ran, between two instants. */
export function selfTimes(profile: CpuProfile, fromUs: number, toUs: number): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  let atUs = profile.startTime;
  for (const [i, id] of profile.samples.entries()) {
    const deltaUs = profile.timeDeltas[i] ?? 0;
    atUs += deltaUs;
    if (atUs >= fromUs && atUs <= toUs) times.set(id, (times.get(id) ?? 0) + Math.max(0, deltaUs));
  }
  return times;
}
