/** tally — what is counted for all connections together. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import { countOf } from './count-of.ts';
import type { JobResult } from './job.ts';

const ACCEPTED = '"allowed":true';
/** Said only where it was asked for. */
const REPLAYED = '"replayed":true';
const REFUSAL_CHARACTERS = 500;
const MICROSECONDS = 1_000;

export class Tally {
  readonly #callsPerRequest: number;
  readonly #latencies: RecordableHistogram = createHistogram({ figures: 3 });
  #fromMs = Number.POSITIVE_INFINITY;
  #toMs = Number.POSITIVE_INFINITY;
  #calls = 0;
  #allCalls = 0;
  #allAccepted = 0;
  #allReplayed = 0;
  #firstRefusal: string | null = null;

  constructor(callsPerRequest: number) {
    this.#callsPerRequest = callsPerRequest;
  }

  get hasEnded(): boolean {
    return this.#toMs < Number.POSITIVE_INFINITY;
  }

  beginToMeasure(): void {
    this.#fromMs = performance.now();
  }

  /** Said again, it changes nothing. */
  end(): void {
    this.#toMs = Math.min(this.#toMs, performance.now());
  }

  /** @param startedAtMs When the request was sent; in an open loop, when it was due. */
  count(body: string, startedAtMs: number): void {
    const nowMs = performance.now();
    const accepted = countOf(body, ACCEPTED);
    this.#allCalls += this.#callsPerRequest;
    this.#allAccepted += accepted;
    this.#allReplayed += countOf(body, REPLAYED);
    if (accepted < this.#callsPerRequest) this.#firstRefusal ??= body.slice(0, REFUSAL_CHARACTERS);
    if (this.#isMeasured(nowMs)) this.#calls += this.#callsPerRequest;
    if (this.#isMeasured(startedAtMs)) {
      this.#latencies.record(Math.max(1, Math.round((nowMs - startedAtMs) * MICROSECONDS)));
    }
  }

  result(): Omit<JobResult, 'cpuMs'> {
    const percentileMs = (percentile: number) => this.#latencies.percentile(percentile) / MICROSECONDS;
    return {
      calls: this.#calls,
      measuredMs: this.#toMs - this.#fromMs,
      p50Ms: percentileMs(50),
      p99Ms: percentileMs(99),
      p999Ms: percentileMs(99.9),
      allCalls: this.#allCalls,
      allAccepted: this.#allAccepted,
      allReplayed: this.#allReplayed,
      firstRefusal: this.#firstRefusal,
    };
  }

  #isMeasured(atMs: number): boolean {
    return atMs >= this.#fromMs && atMs < this.#toMs;
  }
}
