/** connection — lists a page at a time, forward, as Relay connections. */
import type { ObjectRef } from '@pothos/core';
import type { Page, PageRequest } from '../domain/page.ts';
import * as bounds from './bounds.ts';
import { builder, type SchemaTypes } from './builder.ts';
import { decodeListCursor, encodeListCursor } from './list-cursor.ts';

const PAGE_SIZE_MAX = 100;

/** How the rows of one list are found again. */
export type ListOrder<T, Position> = {
  /** Which list, and of whom; part of every cursor. */
  readonly list: string;
  readonly tenantId: string;
  readonly positionOf: (node: T) => readonly string[];
  /** What each part of a position looks like. */
  readonly shape: readonly RegExp[];
  readonly parse: (position: readonly string[]) => Position;
};

/** Arguments of every connection. */
export type PageArgs = { readonly first: number; readonly after?: string | null | undefined };

type Edge<T> = { readonly node: T; readonly cursor: string };
export type Connection<T> = {
  readonly edges: readonly Edge<T>[];
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
};

/**
 * Reads one page of a list.
 *
 * @throws {MeterError} `INVALID_INPUT` for a size outside 1..100, `INVALID_CURSOR` for a cursor of another list.
 */
export async function connectionOf<T, Position>(
  { first, after }: PageArgs,
  { list, tenantId, positionOf, shape, parse }: ListOrder<T, Position>,
  read: (request: PageRequest<Position>) => Page<T> | Promise<Page<T>>,
): Promise<Connection<T>> {
  bounds.whole(first, ['first'], 1, PAGE_SIZE_MAX);
  const start = bounds.isGiven(after) ? parse(decodeListCursor(after, list, tenantId, shape)) : null;
  const { nodes, hasNextPage } = await read({ first, after: start });
  const edges = nodes.map((node) => ({ node, cursor: encodeListCursor(list, tenantId, positionOf(node)) }));
  return { edges, hasNextPage, hasPreviousPage: start !== null };
}

const PageInfo = builder.objectRef<Connection<unknown>>('PageInfo').implement({
  description: 'Where a page stands in its list.',
  fields: (t) => ({
    hasNextPage: t.exposeBoolean('hasNextPage', { description: 'Whether there is more after this page.' }),
    hasPreviousPage: t.exposeBoolean('hasPreviousPage', { description: 'Whether there is anything before this page.' }),
    startCursor: t.string({
      nullable: true,
      description: 'Cursor of the first entry; null on an empty page.',
      resolve: ({ edges }) => edges[0]?.cursor,
    }),
    endCursor: t.string({
      nullable: true,
      description: 'Pass it as `after` for the next page; null on an empty page.',
      resolve: ({ edges }) => edges.at(-1)?.cursor,
    }),
  }),
});

/** The connection type of a node type, e.g. `CustomerConnection`. */
export function connectionType<T extends object>(node: ObjectRef<SchemaTypes, T>) {
  const EdgeType = builder.objectRef<Edge<T>>(`${node.name}Edge`).implement({
    description: `An entry of a list of type \`${node.name}\`.`,
    fields: (t) => ({
      node: t.field({ type: node, description: 'The entry itself.', resolve: (edge) => edge.node as never }), // T, which Pothos can't see through the type parameter
      cursor: t.exposeString('cursor', { description: 'Pass it as `after` for what follows this entry.' }),
    }),
  });
  return builder.objectRef<Connection<T>>(`${node.name}Connection`).implement({
    description: `A page of a list of type \`${node.name}\`.`,
    fields: (t) => ({
      edges: t.field({
        type: [EdgeType],
        description: 'The entries, each with its cursor.',
        resolve: ({ edges }) => [...edges],
      }),
      nodes: t.field({
        type: [node],
        description: 'The entries alone.',
        resolve: ({ edges }) => edges.map((edge) => edge.node) as never, // as above
      }),
      pageInfo: t.field({
        type: PageInfo,
        description: 'Where the page stands in the list.',
        resolve: (connection) => connection,
      }),
    }),
  });
}

/** The arguments that every connection takes. */
export const pageArgs = builder.args((t) => ({
  first: t.int({ required: true, description: `How many entries at most, from 1 to ${PAGE_SIZE_MAX}.` }),
  after: t.string({ description: 'Begin after this cursor: the `endCursor` of the page before.' }),
}));
