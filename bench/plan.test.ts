/** Goal: what a run measures and compares follows from the command line. Method: lists of names. */
import { describe, expect, it } from 'vitest';
import { planOf, requestsPerSecond, rowsOfRound } from './plan.ts';

const planned = (only: readonly string[], against: readonly string[] = []) => {
  const { rows, ratios, servers } = planOf({ only, keyOnly: false, against });
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

it('one client’s waits are compared with those of a bare UPSERT', () => {
  expect(planned(['postgres hot 1', 'single-statement hot 1']).ratios).toEqual([
    'p50: postgres hot 1 / single-statement hot 1',
  ]);
});

it('another checkout has its turn directly after the same row of this one', () => {
  const { rows, ratios, servers } = planned(['postgres', 'before'], ['a', 'b']);
  expect(rows.slice(0, 7)).toEqual([
    'postgres hot 1',
    'postgres hot 16',
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

it('quick measures what the key ratios need, unless rows are named', () => {
  const quick = planOf({ only: [], keyOnly: true, against: [] });
  const keys = quick.ratios.filter(({ isKey }) => isKey);
  expect(keys.length).toBeGreaterThan(3);
  expect(quick.rows.map(({ name }) => name).toSorted()).toEqual(
    [...new Set(keys.flatMap(({ of, over }) => [of, over]))].toSorted(),
  );
  expect(planOf({ only: ['hello'], keyOnly: true, against: [] }).rows).toHaveLength(1);
  expect(planOf({ only: [], keyOnly: true, against: ['a'] }).servers).toContain('before');
});

describe('the rounds', () => {
  const { rows } = planOf({ only: ['postgres spread', 'postgres hot 64', 'hot open'], keyOnly: false, against: [] });

  it('hold the same rows, forwards and backwards', () => {
    const [forwards, backwards] = [rowsOfRound(rows, 1), rowsOfRound(rows, 2)];
    expect(forwards).toEqual(rows);
    expect(new Set(backwards)).toEqual(new Set(rows));
    expect(backwards).toHaveLength(rows.length);
    expect(backwards[0]).not.toBe(rows[0]);
  });

  it.each([1, 2])('a row whose rate is a share of another comes after that one: round %i', (number) => {
    const reached = new Map<string, number>();
    for (const row of rowsOfRound(rows, number)) {
      const rate = requestsPerSecond(row, reached);
      if (row.name.endsWith('half')) expect(rate).toBe(500);
      else if (row.name.endsWith('500/s')) expect(rate).toBe(500);
      else expect(rate).toBeNull();
      reached.set(row.name, 1_000);
    }
  });

  it('a row brings the one along that its rate hangs on', () => {
    expect(planned(['hot open']).rows).toEqual(['postgres hot 64', 'postgres hot open 64, half']);
  });
});
