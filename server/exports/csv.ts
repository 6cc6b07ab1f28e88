/** csv — lines of RFC 4180 that no spreadsheet takes for a formula. */

/** What is written as it is: numbers and instants of our own. */
export type Exact = { readonly exact: string | number };
/** Text that somebody chose, which is made harmless; null is an empty cell. */
export type Cell = string | Exact | null;

/** A spreadsheet begins to compute at these, and some leave out blanks in front. */
const FORMULA = /^[\s\u00a0\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|^[\t\r\n]/;
const QUOTED = /[",\r\n]|^\s|\s$/;

/** One line with its end. */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(spell).join(',')}\r\n`;

function spell(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell.exact);
  const text = FORMULA.test(cell) ? `'${cell}` : cell;
  return QUOTED.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
