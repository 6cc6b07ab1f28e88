/** job — what the load process is told to do, and what it tells afterwards. */

export type Job = {
  readonly url: string;
  readonly connections: number;
  /** Customers are taken at random from so many; 1 is the hot customer. */
  readonly customers: number;
  /** Calls in one request: one is `consume`, more are `consumeMany`. */
  readonly callsPerRequest: number;
  /** Share of the calls that are sent again, word for word: a key that is known. */
  readonly replayShare: number;
  /** Requests a second, whether or not earlier ones are answered; null for each connection's next as soon as it is free. */
  readonly requestsPerSecond: number | null;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Begins every idempotency key of this job; no two jobs of a run share one. */
  readonly keyPrefix: string;
};

export type JobResult = {
  /** Calls that were answered within the measured time. */
  readonly calls: number;
  readonly measuredMs: number;
  /** Of the requests that were sent (or due, in an open loop) within the measured time. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** Every call that the server has answered, warm-up and the last replies included. */
  readonly allCalls: number;
  readonly allAccepted: number;
  /** Those of the accepted that heard an earlier answer again, for which nothing was counted. */
  readonly allReplayed: number;
  /** What the first reply said that did not accept. */
  readonly firstRefusal: string | null;
  /** Processor time of the load process for all replies. */
  readonly cpuMs: number;
};

export type LoadAnswer = { readonly result: JobResult } | { readonly failure: string };
