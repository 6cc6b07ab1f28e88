/** Goal: a cell comes out as it went in, and no spreadsheet computes it. Method: a table, and whatever fast-check makes up. */
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Cell, csvLine } from './csv.ts';

it.each<[string, readonly Cell[], string]>([
  ['plain cells', ['a', 'b c', null, { exact: '-1.5' }], 'a,b c,,-1.5'],
  ['a comma, quotes, a line end', ['a,b', 'say "x"', 'a\r\nb'], '"a,b","say ""x""","a\r\nb"'],
  ['blanks at the ends', [' a', 'a '], '" a","a "'],
  ['formulas', ['=1+1', '+1', '-1', '@SUM(A1)'], "'=1+1,'+1,'-1,'@SUM(A1)"],
  ['formulas behind blanks', ['  =1', '\t=1', '\r=1', '\u00a0=1'], `'  =1,'\t=1,"'\r=1",'\u00a0=1`],
  ['formulas of wide signs', ['\uff1d1'], "'\uff1d1"],
  ['a formula with a comma', ['=HYPERLINK("http://x","y")'], `"'=HYPERLINK(""http://x"",""y"")"`],
  ['a sign within', ['a=1', 'a-b'], 'a=1,a-b'],
])('%s', (_, cells, line) => {
  expect(csvLine(cells)).toBe(`${line}\r\n`);
});

it('is read back as it was, but for the mark of what might be a formula', () => {
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' }), { minLength: 2, maxLength: 5 }), (cells) => {
      const [read = []] = parse(csvLine(cells), { relax_column_count: true, record_delimiter: '\r\n' });
      expect(
        read.map((cell) => cell.replace(/^'(?=[\s\u00a0\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])/, '')),
      ).toEqual(
        cells.map((cell) => cell.replace(/^'(?=[\s\u00a0\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]|[\t\r\n])/, '')),
      );
      for (const cell of read) expect(cell).not.toMatch(/^\s*[=+\-@]/);
    }),
  );
});
