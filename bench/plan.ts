/** plan — which rows a run measures, in which order, and what it compares: by the command line. */
import { ratiosToBefore, withBefore } from './against/rows.ts';
import type { Options } from './options.ts';
import { RATIOS, type Ratio, ROWS, type Row, type ServerName } from './rows.ts';

export type Plan = {
  readonly rows: readonly Row[];
  /** Of those rows only. */
  readonly ratios: readonly Ratio[];
  /** That those rows need. */
  readonly servers: ReadonlySet<ServerName>;
};

export type Wanted = Pick<Options, 'only' | 'keyOnly' | 'against'>;

export function planOf({ only, keyOnly, against }: Wanted): Plan {
  const ratios = [...ratiosToBefore(against.length), ...RATIOS];
  const keys = new Set(ratios.filter(({ isKey }) => isKey).flatMap(({ of, over }) => [of, over]));
  const isWanted = (name: string) =>
    only.length > 0 ? only.some((part) => name.includes(part)) : !keyOnly || keys.has(name);
  const all = withBefore(ROWS, against.length);
  const asked = all.filter(({ name }) => isWanted(name));
  const paced = new Set(asked.flatMap((row) => paceMaker(row) ?? []));
  const rows = all.filter((row) => asked.includes(row) || paced.has(row.name));
  return planned(rows, ratios);
}

export const withoutRowsOf = (missing: ReadonlyMap<ServerName, string>, { rows, ratios }: Plan): Plan =>
  planned(
    rows.filter(({ server }) => !missing.has(server)),
    ratios,
  );

function planned(rows: readonly Row[], ratios: readonly Ratio[]): Plan {
  const names = new Set(rows.map(({ name }) => name));
  return {
    rows,
    ratios: ratios.filter(({ of, over }) => names.has(of) && names.has(over)),
    servers: new Set(rows.map(({ server }) => server)),
  };
}

/** The row that must be measured first, because this one's rate is a share of it; null where there is none. */
const paceMaker = ({ pace }: Row): string | null => (pace && 'of' in pace ? pace.of : null);

/**
 * Every second round goes backwards, so that a machine which slows down steadily favours no row; but a row whose rate
 * is a share of another's comes after that one.
 */
export function rowsOfRound(rows: readonly Row[], number: number): readonly Row[] {
  if (number % 2 === 1) return rows;
  const leaders = rows.filter((row) => paceMaker(row) === null).toReversed();
  return leaders.flatMap((leader) => [leader, ...rows.filter((row) => paceMaker(row) === leader.name)]);
}

/** @param reached Calls a second of the rows before it in this round. @returns null for a closed loop. */
export function requestsPerSecond({ pace, name }: Row, reached: ReadonlyMap<string, number>): number | null {
  if (pace === null) return null;
  if ('perSecond' in pace) return pace.perSecond;
  const calls = reached.get(pace.of);
  if (calls === undefined) throw new Error(`"${name}" was to be measured after "${pace.of}"`);
  return Math.max(1, calls * pace.share);
}
