/**
 * worked-examples — the tables of a page of docs, so that a test can run each row through the real code.
 *
 * A comment before a table says what it is. Both kinds are invisible to readers:
 *
 * - `<!-- cases: price -->`: each row is a case for the runner of that name. Options follow as `name=value`. The nearest
 *   code block above it, in the same section, is what is configured.
 * - `<!-- words -->`: the table explains; there is nothing in it to be computed.
 *
 * A table without one is refused, so that no number gets into the page untested.
 */
import { runInThisContext } from 'node:vm';

/** One table of cases. */
export type Cases = {
  /** Of the heading above and the lines of the page: what a failure is found by. */
  readonly title: string;
  readonly runner: string;
  readonly options: Readonly<Record<string, string>>;
  /** What the code block above says, as the body of an object literal; empty without one. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of the columns. */
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
};

const HEADING = /^#+ (.+)$/;
const COMMENT = /^<!-- (words|cases: (\S+)((?: [\w-]+=\S+)*)) -->$/;
const RULE = /^\|(?: ?:?-+:? ?\|)+$/;

/** @throws {Error} for a table that is not announced, and for one that is announced and missing. */
export function casesOf(page: string): readonly Cases[] {
  const lines = page.split('\n');
  const found: Cases[] = [];
  let heading = '';
  let config: Cases['config'] = {};
  let announced: RegExpExecArray | null = null;
  for (let i = 0; i < lines.length; i += 1) {
    const line = lines[i] ?? '';
    if (line.startsWith('```')) {
      const end = lines.indexOf('```', i + 1);
      if (line === '```ts') config = objectOf(lines.slice(i + 1, end).join('\n'));
      i = end;
    } else if (line.startsWith('|')) {
      const end = lines.findIndex((later, n) => n > i && !later.startsWith('|'));
      const table = lines.slice(i, end);
      if (announced === null)
        throw new Error(`line ${i + 1}: say what this table is, with <!-- words --> or <!-- cases: … -->`);
      if (announced[2] !== undefined) {
        found.push({ title: `${heading} (line ${i + 1})`, ...readTable(table, i), ...announcedAs(announced), config });
      }
      announced = null;
      i = end - 1;
    } else {
      if (announced !== null && line !== '') throw new Error(`line ${i + 1}: a table was announced; here is "${line}"`);
      announced = COMMENT.exec(line) ?? announced;
      const [, title] = HEADING.exec(line) ?? [];
      if (title !== undefined) [heading, config] = [title, {}];
    }
  }
  return found;
}

const announcedAs = ([, , runner = '', options = '']: RegExpExecArray): Pick<Cases, 'runner' | 'options'> => ({
  runner,
  options: Object.fromEntries(
    options
      .split(' ')
      .filter((text) => text !== '')
      .map((text) => [text.slice(0, text.indexOf('=')), text.slice(text.indexOf('=') + 1)]),
  ),
});

function readTable([head = '', rule = '', ...rows]: readonly string[], i: number): Pick<Cases, 'head' | 'rows'> {
  if (!RULE.test(rule)) throw new Error(`line ${i + 2}: a table has a rule under its head`);
  return { head: cellsOf(head), rows: rows.map(cellsOf) };
}

/** The texts of a row, without the marks of code; `\|` is a bar. */
const cellsOf = (row: string): readonly string[] =>
  row
    .slice(1, row.lastIndexOf('|'))
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|').replaceAll('`', ''));

/** A config as it is written: the body of an object literal. */
export function objectOf(text: string): Cases['config'] {
  const value: unknown = runInThisContext(`({${text}})`); // our own docs; nobody else's text comes here
  if (typeof value !== 'object' || value === null) throw new Error(`"${text}" is not the body of an object`);
  return { ...value };
}
