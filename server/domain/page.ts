/** page — a slice of a list: one row more than asked for tells whether there are more. */

/** @typeParam Position What the last row before the page is found again by. */
export type PageRequest<Position> = {
  /** From 1. */
  readonly first: number;
  /** Null for the first page. */
  readonly after: Position | null;
};

export type Page<T> = { readonly nodes: readonly T[]; readonly hasNextPage: boolean };

/** Rows to read for a page. */
export const rowsFor = ({ first }: PageRequest<unknown>): number => first + 1;

/** The page in rows read as `rowsFor` says. */
export const pageOf = <T>(rows: readonly T[], { first }: PageRequest<unknown>): Page<T> => ({
  nodes: rows.slice(0, first),
  hasNextPage: rows.length > first,
});
