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

export function planOf({ only, against }: Pick<Options, 'only' | 'against'>): Plan {
  const isAsked = ({ name }: Row) => only.length === 0 || only.some((part) => name.includes(part));
  const rows = withBefore(ROWS, against.length).filter(isAsked);
  const names = new Set(rows.map(({ name }) => name));
  const ratios = [...ratiosToBefore(against.length), ...RATIOS];
  return {
    rows,
    ratios: ratios.filter(({ of, over }) => names.has(of) && names.has(over)),
    servers: new Set(rows.map(({ server }) => server)),
  };
}
