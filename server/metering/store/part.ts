/** part — a part of the statement that saves a batch, as it is where it has something to do. */
import type { Parameter } from '../../db/client.ts';

export type Part = {
  /** Tells its text from that of others. */
  readonly name: string;
  readonly params: readonly Parameter[];
  /** What it writes; given the name of its first parameter, its second … */
  readonly writes?: (param: (i: number) => string) => string;
  /** What must hold, or nothing is written. */
  readonly holds?: (param: (i: number) => string) => string;
  /** What it answers. */
  readonly answers?: (param: (i: number) => string) => string;
};
