/** samples — what a run finds out, as `--json` writes it: every figure of every row of every round. */
import type { Books } from './books.ts';
import type { FanOut } from './fan-out/figures.ts';
import type { HealthWaits } from './measure/health.ts';
import type { BeforeName, Ratio, Row, ServerName } from './rows.ts';

export type Sample = {
  readonly row: string;
  /** What was asked for in an open loop; null in a closed one. */
  readonly requestsPerSecond: number | null;
  readonly callsPerSecond: number;
  /** Of a request, which may hold many calls; in an open loop from when it was due. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
  /** What those waited for who asked for the server's health meanwhile; null where nobody did. */
  readonly health: HealthWaits | null;
  /** Calls in one transaction, by the gateway's own count; null where there are none. */
  readonly batchSize: number | null;
  /** Processor microseconds a call; null where the system does not tell, or a process does other work beside. */
  readonly serverCpuUs: number | null;
  /** Of Postgres, or whatever else a peer keeps its counters in. */
  readonly databaseCpuUs: number | null;
  readonly loadCpuUs: number | null;
  /** Share of the machine's processors that processes outside the run took meanwhile. */
  readonly othersShare: number | null;
  /** Calls answered, warm-up included, and those of them that were not allowed. */
  readonly calls: number;
  readonly refused: number;
  /** Those of the others that heard an earlier answer again. */
  readonly replayed: number;
  readonly firstRefusal: string | null;
};

export type Round = {
  readonly number: number;
  readonly samples: readonly Sample[];
  /** The same arithmetic before and after: see measure/calibration.ts. */
  readonly calibrationMs: readonly [before: number, after: number];
  readonly durableWriteMs: number;
  readonly loadAverage: number;
  /** Why the round says little; null for a sound one. */
  readonly spoiltBy: string | null;
};

export type CheckedBooks = { readonly server: ServerName; readonly afterRound: number; readonly books: Books };

export type Machine = {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly system: string;
  readonly node: string;
  readonly postgres: string;
  readonly postgresSettings: Readonly<Record<string, string>>;
  readonly pglite: string;
  /** Of the working tree; with "+" where it has changes. */
  readonly commit: string;
};

export type Run = {
  readonly startedAt: string;
  readonly command: string;
  readonly machine: Machine;
  /** The other checkouts that took part. */
  readonly against: readonly { readonly server: BeforeName; readonly commit: string }[];
  readonly measureMs: number;
  readonly warmUpMs: number;
  /** Servers that were not to be had, whose rows are left out. */
  readonly missing: readonly { readonly server: ServerName; readonly why: string }[];
  /** What ended the run before its last round; null where nothing did. */
  readonly failure: string | null;
  /** What was measured, in the order of odd rounds, and what was compared. */
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
  readonly rounds: readonly Round[];
  readonly books: readonly CheckedBooks[];
  /** What subscribers cost, measured after the rounds of a whole run; null until then, and for any other. */
  readonly fanOut: FanOut | null;
};
