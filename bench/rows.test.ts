/** Goal: a row or ratio that is added is one that is measured: names are unique, and ratios name rows there are. */
import { expect, it } from 'vitest';
import { RATIOS, ROWS } from './rows.ts';

const names = ROWS.map(({ name }) => name);

it('no two rows have one name', () => expect(new Set(names).size).toBe(names.length));

it.each(RATIOS)('$of / $over: both are rows', ({ of, over }) =>
  expect(names).toEqual(expect.arrayContaining([of, over])),
);
