/** options — what the command line says, within bounds. */
import { parseArgs } from 'node:util';
import { BEFORE, ROWS, type Row } from './rows.ts';

export type Options = {
  readonly rounds: number;
  /** Measured time of a row in a round. */
  readonly measureMs: number;
  /** Unmeasured time before it. */
  readonly warmUpMs: number;
  /** How long a server may take to be warmed up at first, and again after it was idle. */
  readonly firstWarmUpMs: number;
  readonly againWarmUpMs: number;
  /** How long in all to wait for other processes to be quiet, before rows. */
  readonly patienceMs: number;
  /** Rows whose name has one of these in it; all when empty. */
  readonly only: readonly string[];
  /** Where no rows are named: only those of the key ratios. */
  readonly keyOnly: boolean;
  /** Subscriptions, after the rounds: of a whole run. */
  readonly withFanOut: boolean;
  /** Folders of other built checkouts, to be measured in the same rounds. */
  readonly against: readonly string[];
  /** Where to write everything as JSON; null for nowhere. */
  readonly jsonFile: string | null;
  /** In place of a measurement, a profile; null for a measurement. */
  readonly profile: Profiling | null;
  /** Measure what was built before, whatever the sources say by now. */
  readonly skipBuild: boolean;
};

export type Profiling = {
  /** Where to leave it. */
  readonly folder: string;
  readonly row: Row;
};

/** Rows of the built gateway on Postgres that call as fast as they are answered: what a profile is of. */
const PROFILED = ROWS.filter(({ server, pace }) => server === 'postgres' && pace === null);
const PROFILED_NAME = 'postgres hot 64';

export const USAGE = `npm run bench -- [options]

  --quick          two short rounds of the key ratios, under a minute: a smoke test, not a measurement
  --rounds <n>     rounds of all rows in turn, 1 to 50 (default 5)
  --seconds <s>    measured seconds of a row in a round, 0.2 to 30 (default 1.5)
  --patience <s>   on a shared machine: seconds to wait in all for others to be quiet (default 0)
  --only <text>    only rows with this in their name; may be given several times
  --against <dir>  measure another built checkout in the same rounds, as "before"; may be given twice
  --json <file>    write every figure of every round there, and of subscribers, to compare commits
  --profile <dir>  instead, tell where the time of one consume goes, and leave a flame graph there; it is profiled in the
                   row '${PROFILED_NAME}', or in another of postgres by its whole name: --only 'postgres spread 64'
  --skip-build     measure what was built before
  --help           this`;

export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** @returns null when help was asked for. @throws {UsageError} */
export function readOptions(args: readonly string[]): Options | null {
  const values = parsed(args);
  if (values.help) return null;
  const quick = values.quick ?? false;
  return {
    rounds: within('--rounds', values.rounds ?? (quick ? '2' : '5'), 1, 50, Number.isInteger),
    measureMs: within('--seconds', values.seconds ?? (quick ? '0.6' : '1.5'), 0.2, 30, Number.isFinite) * 1_000,
    warmUpMs: quick ? 150 : 300,
    firstWarmUpMs: quick ? 1_000 : 8_000,
    againWarmUpMs: quick ? 200 : 3_000,
    patienceMs: within('--patience', values.patience ?? '0', 0, 3_600, Number.isFinite) * 1_000,
    only: values.only ?? [],
    keyOnly: quick,
    withFanOut: !quick && values.only === undefined && values.against === undefined,
    against: atMost('--against', values.against ?? [], BEFORE.length),
    jsonFile: values.json ?? null,
    profile: values.profile === undefined ? null : { folder: values.profile, row: profiledRow(values.only) },
    skipBuild: values['skip-build'] ?? false,
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        quick: { type: 'boolean' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        patience: { type: 'string' },
        only: { type: 'string', multiple: true },
        against: { type: 'string', multiple: true },
        json: { type: 'string' },
        profile: { type: 'string' },
        'skip-build': { type: 'boolean' },
        help: { type: 'boolean' },
      },
    }).values;
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
}

function within(name: string, text: string, min: number, max: number, fits: (n: number) => boolean): number {
  const number = Number(text);
  if (text.trim() !== '' && fits(number) && number >= min && number <= max) return number;
  throw new UsageError(`${name} is "${text}"; write a number from ${min} to ${max}.`);
}

function atMost(name: string, values: readonly string[], max: number): readonly string[] {
  if (values.length <= max) return values;
  throw new UsageError(`${name} is given ${values.length} times; at most ${max} fit into a round.`);
}

/** By its whole name, for that of one row may be the beginning of another's. */
function profiledRow(names: readonly string[] = [PROFILED_NAME]): Row {
  const row = PROFILED.find(({ name }) => name === names[0]);
  if (row && names.length === 1) return row;
  const known = PROFILED.map(({ name }) => `"${name}"`).join(', ');
  const given = `--only is "${names.join('" and "')}"`;
  throw new UsageError(`${given}; with --profile, write the whole name of one of these rows: ${known}.`);
}
