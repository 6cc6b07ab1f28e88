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
    profileFolder: null,
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
])('%j is refused', (args, naming) => {
  expect(() => readOptions(args)).toThrow(UsageError);
  expect(() => readOptions(args)).toThrow(naming);
});
