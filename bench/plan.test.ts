/** Goal: what a run measures and compares follows from the command line. Method: lists of names. */
import { expect, it } from 'vitest';
import { planOf } from './plan.ts';

const planned = (only: readonly string[], against: readonly string[] = []) => {
  const { rows, ratios, servers } = planOf({ only, against });
  return {
    rows: rows.map(({ name }) => name),
    ratios: ratios.map(({ of, over, measure }) => `${measure}: ${of} / ${over}`),
    servers: [...servers],
  };
};

it('only the servers of the rows that are asked for, and the ratios between those', () => {
  expect(planned(['postgres hot 64', 'one-by-one'])).toEqual({
    rows: ['postgres hot 64', 'one-by-one hot 64', 'one-by-one spread 64'],
    ratios: ['calls: postgres hot 64 / one-by-one hot 64'],
    servers: ['postgres', 'one-by-one'],
  });
});

it('another checkout has its turn directly after the same row of this one', () => {
  const { rows, ratios, servers } = planned(['postgres', 'before'], ['a', 'b']);
  expect(rows.slice(0, 6)).toEqual([
    'postgres hot 1',
    'postgres hot 64',
    'before hot 64',
    'before-2 hot 64',
    'postgres hot 256',
    'before hot 256',
  ]);
  expect(ratios).toEqual(
    expect.arrayContaining([
      'calls: postgres hot 64 / before hot 64',
      'cpu: postgres hot 64 / before hot 64',
      'cpu: postgres spread 64 / before-2 spread 64',
      'calls: postgres hot 256 / before-2 hot 256',
    ]),
  );
  expect(servers).toEqual(['postgres', 'before', 'before-2']);
});

it('without another checkout there is nothing before', () =>
  expect(planned([]).rows.filter((name) => name.startsWith('before'))).toEqual([]));
