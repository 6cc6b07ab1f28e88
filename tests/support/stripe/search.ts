/**
 * search — the query language of `/search`: `active:'true' AND metadata['key']:'value'`. Clauses that are all joined by
 * `AND` or all by `OR`, with `:`, `-` for not, `~` for part of, `>`, `<`; and `null`.
 */
import { invalid } from './refusal.ts';

const CLAUSE = /^(-?)([\w.]+)(?:\[["'](.+?)["']\])?\s*(:|~|>=|<=|>|<)\s*(?:(["'])(.*)\5|(\w+))$/;
const LIMIT_DEFAULT = 10;

export type SearchPage<Row> = {
  object: 'search_result';
  data: Row[];
  has_more: boolean;
  next_page: string | null;
  url: string;
};

export type SearchParams = { readonly query: string; readonly limit?: number; readonly page?: string };

export function search<Row extends object>(rows: readonly Row[], params: SearchParams, url: string): SearchPage<Row> {
  const { query, limit = LIMIT_DEFAULT, page = '0' } = params;
  const isAny = / OR /.test(query);
  const clauses = query.split(isAny ? / OR / : / AND /).map(clause);
  const found = rows.filter((row) => (isAny ? clauses.some((fits) => fits(row)) : clauses.every((fits) => fits(row))));
  const to = Number(page) + limit;
  const has_more = found.length > to;
  const data = found.slice(Number(page), to);
  return { object: 'search_result', data, has_more, next_page: has_more ? `${to}` : null, url };
}

function clause(text: string): (row: object) => boolean {
  const [whole, not, field = '', key, operator = '', , quoted, bare] = CLAUSE.exec(text.trim()) ?? [];
  if (whole === undefined) throw invalid(`cannot read the search clause ${text}`, { param: 'query' });
  return (row) => {
    const inside = (row as { [field: string]: unknown })[field];
    const value = key === undefined ? inside : (inside as { [key: string]: unknown } | null)?.[key];
    return compare(value, operator, bare === 'null' ? undefined : (quoted ?? bare)) !== (not === '-');
  };
}

function compare(value: unknown, operator: string, wanted: string | undefined): boolean {
  if (wanted === undefined) return value === null || value === undefined;
  if (value === null || value === undefined) return false;
  if (operator === ':') return `${value}` === wanted;
  if (operator === '~') return `${value}`.toLowerCase().includes(wanted.toLowerCase());
  const [a, b] = [Number(value), Number(wanted)];
  return operator === '>' ? a > b : operator === '<' ? a < b : operator === '>=' ? a >= b : a <= b;
}
