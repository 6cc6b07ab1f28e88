/** job — what the load process is told to do, and what it tells afterwards. */

export type Job = {
  readonly url: string;
  readonly connections: number;
  /** Customers are taken at random from so many; 1 is the hot customer. */
  readonly customers: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Begins every idempotency key of this job; no two jobs of a run share one. */
  readonly keyPrefix: string;
};

export type JobResult = {
  /** Replies that came within the measured time. */
  readonly replies: number;
  readonly measuredMs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Everything the server has answered, warm-up and the last replies included. */
  readonly allReplies: number;
  readonly allAccepted: number;
  /** What the first reply said that did not accept. */
  readonly firstRefusal: string | null;
  /** Processor time of the load process for all replies. */
  readonly cpuMs: number;
};

export type LoadAnswer = { readonly result: JobResult } | { readonly failure: string };
