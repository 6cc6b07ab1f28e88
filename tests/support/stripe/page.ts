/** page — lists as Stripe cuts them: the newest first, from behind one id or before another. */
import { invalid } from './refusal.ts';
import type { Seconds } from './wire.ts';

const LIMIT_DEFAULT = 10;
const LIMIT_MAX = 100;

export type PageParams = {
  readonly limit?: number;
  readonly starting_after?: string;
  readonly ending_before?: string;
  readonly created?:
    | number
    | { readonly gt?: number; readonly gte?: number; readonly lt?: number; readonly lte?: number };
};

export type Page<Row> = { object: 'list'; data: Row[]; has_more: boolean; url: string };

/** @param rows The oldest first, as tables have them. */
export function page<Row extends { id: string }>(rows: readonly Row[], params: PageParams, url: string): Page<Row> {
  const { created } = params; // also of an empty list
  return pageInOrder(rows.filter((row) => isWithin(row, created)).reverse(), params, url);
}

/** As `page`, for what has an order of its own. */
export function pageInOrder<Row extends { id: string }>(
  rows: readonly Row[],
  params: PageParams,
  url: string,
): Page<Row> {
  const limit = limitOf(params);
  const from = params.starting_after === undefined ? 0 : indexOf(rows, params.starting_after, 'starting_after') + 1;
  const to = params.ending_before === undefined ? undefined : indexOf(rows, params.ending_before, 'ending_before');
  if (to !== undefined) {
    return { object: 'list', data: rows.slice(Math.max(0, to - limit), to), has_more: to > limit, url };
  }
  return { object: 'list', data: rows.slice(from, from + limit), has_more: rows.length > from + limit, url };
}

function limitOf({ limit = LIMIT_DEFAULT }: PageParams): number {
  if (limit < 1 || limit > LIMIT_MAX) {
    throw invalid(`limit must be between 1 and ${LIMIT_MAX}, not ${limit}`, {
      param: 'limit',
      code: 'parameter_invalid_integer',
    });
  }
  return limit;
}

function indexOf(rows: readonly { id: string }[], id: string, param: string): number {
  const index = rows.findIndex((row) => row.id === id);
  if (index < 0) throw invalid(`No such object: '${id}'`, { param, code: 'resource_missing' });
  return index;
}

function isWithin(row: object, range: PageParams['created']): boolean {
  if (range === undefined) return true;
  const at = (row as { created?: Seconds }).created ?? 0;
  if (typeof range === 'number') return at === range;
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = range;
  return at > gt && at >= gte && at < lt && at <= lte;
}
