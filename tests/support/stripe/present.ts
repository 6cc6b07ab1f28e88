/**
 * present — an object as it is sent: references stay ids unless they are expanded, and some fields are only there for
 * who asks. At each place the object is as it is now, for rows hold each other and nothing is copied before.
 */
import type { Account } from './account.ts';
import { INCLUDABLE } from './includable.ts';
import { invalid } from './refusal.ts';

/** @param expand Paths, `data.customer`, as in Stripe's parameter of that name. */
export const present = (account: Account, value: unknown, expand: readonly string[] = []): unknown =>
  show(
    account,
    value,
    expand.map((path) => path.split('.')),
  );

type Path = readonly string[];

function show(account: Account, value: unknown, paths: readonly Path[]): unknown {
  if (Array.isArray(value)) return value.map((item) => show(account, item, paths));
  if (value === null || typeof value !== 'object') return value;
  const row = value as { readonly [field: string]: unknown };
  const includable = INCLUDABLE[`${row.object}`] ?? {};
  const included = [...new Set(paths.map(([first = '']) => first))].filter((field) => field in includable);
  const shown: { [field: string]: unknown } = {};
  for (const [field, inside] of Object.entries(row)) {
    if (field in includable || inside === undefined) continue;
    shown[field] = showField(account, inside, below(paths, field), field);
  }
  for (const field of included) shown[field] = show(account, includable[field]?.(account, row), below(paths, field));
  const unknown = paths.find(([first = '']) => first !== '' && !(first in shown));
  if (unknown) throw invalid(`This property cannot be expanded (${unknown.join('.')}).`, { param: 'expand' });
  return shown;
}

function showField(account: Account, inside: unknown, paths: readonly Path[], field: string): unknown {
  if (paths.length === 0 || typeof inside !== 'string') return show(account, inside, paths);
  const found = account.find(inside);
  if (!found) throw invalid(`This property cannot be expanded (${field}).`, { param: 'expand' });
  return show(account, found, paths);
}

const below = (paths: readonly Path[], field: string): Path[] =>
  paths.filter(([first]) => first === field).map((path) => path.slice(1));
