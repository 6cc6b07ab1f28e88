/** Goal: a run is bounded in time and count, and a slip on the command line is refused by name. */
import { expect, it } from 'vitest';
import { readOptions, UsageError } from './options.ts';

it('without words, the run that the documentation shows', () => {
  const built = {
    patienceMs: 0,
    only: [],
    keyOnly: false,
    withFanOut: true,
    against: [],
    jsonFile: null,
    profile: null,
    skipBuild: false,
  };
  expect(readOptions([])).toEqual({
    rounds: 5,
    measureMs: 1_500,
    warmUpMs: 300,
    firstWarmUpMs: 8_000,
    againWarmUpMs: 3_000,
    ...built,
  });
});

it('quick is shorter, and may be told more exactly', () => {
  expect(readOptions(['--quick'])).toMatchObject({ rounds: 2, measureMs: 600, keyOnly: true });
  expect(readOptions(['--quick', '--rounds', '3'])).toMatchObject({ rounds: 3, measureMs: 600 });
});

it('help is no run', () => expect(readOptions(['--help', '--rounds', '2'])).toBeNull());

it.each([
  [['--profile', 'here'], 'postgres hot 64'],
  [['--profile', 'here', '--only', 'postgres hot 1'], 'postgres hot 1'], // and not 16, which begins alike
  [['--only', 'postgres many 1,000, 4', '--profile', 'here', '--quick'], 'postgres many 1,000, 4'],
])('%j profiles %s', (args, row) =>
  expect(readOptions(args)?.profile).toMatchObject({ folder: 'here', row: { name: row } }),
);

it.each([
  [['--rounds', '0'], '--rounds is "0"'],
  [['--rounds', '1.5'], '--rounds is "1.5"'],
  [['--rounds', '51'], '--rounds is "51"'],
  [['--rounds', ''], '--rounds is ""'],
  [['--seconds', 'Infinity'], '--seconds is "Infinity"'],
  [['--seconds', '31'], '--seconds is "31"'],
  [['--patience=-1'], '--patience is "-1"'],
  [['--round', '2'], '--round'],
  [['fast'], 'fast'],
  [['--against', 'a', '--against', 'b', '--against', 'c'], '--against is given 3 times'],
  [['--profile', 'here', '--only', 'pglite spread 64'], '--only is "pglite spread 64"'],
  [['--profile', 'here', '--only', 'postgres spread'], 'whole name of one of these rows: "postgres hot 1", '],
  [['--profile', 'here', '--only', 'postgres spread open 64, 500/s'], '--only is "postgres spread open'], // not busy
  [['--profile', 'here', '--only', 'postgres hot 1', '--only', 'hello 64'], '"postgres hot 1" and "hello 64"'],
])('%j is refused', (args, naming) => {
  expect(() => readOptions(args)).toThrow(UsageError);
  expect(() => readOptions(args)).toThrow(naming);
});
