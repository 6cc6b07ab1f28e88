/** catalog-page — a page of the tenant's features or plans, which are in memory, in order of their keys. */
import { pageOf } from '../domain/page.ts';
import { builder } from './builder.ts';
import { type Connection, connectionOf, type PageArgs, pageArgs } from './connection.ts';

type Entry = { readonly key: string; readonly archivedAtMs: number | null };
type CatalogPageArgs = PageArgs & { readonly includeArchived?: boolean | null | undefined };

export const catalogPageArgs = {
  ...pageArgs,
  ...builder.args((t) => ({
    includeArchived: t.boolean({ defaultValue: false, description: 'Also those that were removed.' }),
  })),
};

export function catalogPage<T extends Entry>(
  list: string,
  tenantId: string,
  entries: ReadonlyMap<string, T>,
  args: CatalogPageArgs,
): Promise<Connection<T>> {
  const listed = [...entries.values()]
    .filter((entry) => args.includeArchived || entry.archivedAtMs === null)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const order = {
    list,
    tenantId,
    positionOf: (entry: T) => [entry.key],
    shape: [/^\S{1,128}$/],
    parse: ([key = '']: readonly string[]) => key,
  };
  return connectionOf(args, order, (request) => {
    const { after } = request;
    return pageOf(after === null ? listed : listed.filter(({ key }) => key > after), request);
  });
}
