/** Goal: the tables say what was measured, and whether it is what we want. Method: runs of one row over another, by hand. */
import { expect, it } from 'vitest';
import { report } from './report.ts';
import { type Measure, type Ratio, row } from './rows.ts';
import type { Round, Run, Sample } from './samples.ts';
import type { Target } from './target.ts';

const ABOVE = row('postgres', 1, 'hot');
const BELOW = row('single-statement', 1, 'hot');

const sample = (of: Partial<Sample>): Sample => ({
  row: ABOVE.name,
  requestsPerSecond: null,
  callsPerSecond: 1_000,
  p50Ms: 1,
  p99Ms: 2,
  p999Ms: 3,
  health: null,
  batchSize: null,
  serverCpuUs: 100,
  databaseCpuUs: 50,
  loadCpuUs: 10,
  othersShare: 0,
  calls: 1_000,
  refused: 0,
  replayed: 0,
  firstRefusal: null,
  ...of,
});

/** @param rounds What was measured of the two rows in each. */
function runOf(rounds: readonly (readonly [above: Partial<Sample>, below: Partial<Sample>])[], ratio?: Ratio): Run {
  return {
    startedAt: '2026-01-01T00:00:00.000Z',
    command: 'npm run bench',
    machine: {
      cpu: 'abacus',
      cores: 2,
      memoryGiB: 1,
      system: 'Linux',
      node: '20',
      postgres: '18',
      postgresSettings: {},
      pglite: '0',
      commit: 'abc',
    },
    against: [],
    measureMs: 1_000,
    warmUpMs: 100,
    missing: [],
    failure: null,
    rows: [ABOVE, BELOW],
    ratios: ratio ? [ratio] : [],
    rounds: rounds.map(
      ([above, below], i): Round => ({
        number: i + 1,
        samples: [sample({ ...above, row: ABOVE.name }), sample({ ...below, row: BELOW.name })],
        calibrationMs: [60, 60],
        durableWriteMs: 0.1,
        loadAverage: 1,
        spoiltBy: null,
      }),
    ),
    books: [],
    fanOut: null,
  };
}

/** With somebody who asks the upper row's server for its health. */
const withHealth = (run: Run, p99Ms: Target | null): Run => ({
  ...run,
  rows: [{ ...ABOVE, health: { p99Ms } }, BELOW],
});

const ratioOf = (measure: Measure, target: Target | null): Ratio => {
  return { says: 'one client', of: ABOVE.name, over: BELOW.name, measure, target, isKey: false };
};

/** The cells of the line that begins so. */
const lineOf = (text: string, beginning: string): readonly string[] =>
  (text.split('\n').find((line) => line.startsWith(`| ${beginning}`)) ?? '')
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

it.each<[Measure, Target | null, string, string, string]>([
  ['calls', { atLeast: 0.5 }, 'calls/s', '0.50', '≥ 0.5 reached'],
  ['calls', { atLeast: 0.6 }, 'calls/s', '0.50', '≥ 0.6 not yet'],
  ['cpu', { atMost: 1.1 }, 'µs', '3.00', '≤ 1.1 not yet'],
  ['p50', { atMost: 1.3 }, 'p50 ms', '1.25', '≤ 1.3 reached'],
  ['p50', { atMost: 1.25 }, 'p50 ms', '1.25', '≤ 1.25 reached'],
  ['p50', { atMost: 1.2 }, 'p50 ms', '1.25', '≤ 1.2 not yet'],
  ['p50', null, 'p50 ms', '1.25', '–'],
])('of %s, wanted %j', (measure, target, of, median, wanted) => {
  const above = { callsPerSecond: 500, p50Ms: 2.5, serverCpuUs: 200, databaseCpuUs: 100 };
  const below = { callsPerSecond: 1_000, p50Ms: 2, serverCpuUs: 50, databaseCpuUs: 50 };
  const line = lineOf(report(runOf([[above, below]], ratioOf(measure, target))), 'one client');
  expect(line).toEqual(['one client', `${ABOVE.name} / ${BELOW.name}`, of, median, `${median}–${median}`, wanted]);
});

it('a ratio is taken inside a round, then the median', () => {
  const rounds = [
    [{ p50Ms: 1 }, { p50Ms: 1 }],
    [{ p50Ms: 40 }, { p50Ms: 20 }],
    [{ p50Ms: 3 }, { p50Ms: 2 }],
  ] as const;
  const [, , , median, ends] = lineOf(report(runOf(rounds, ratioOf('p50', null))), 'one client');
  expect([median, ends]).toEqual(['1.50', '1.00–2.00']);
});

it('rows in which nothing was answered in time are compared with nothing', () => {
  const silent = { callsPerSecond: 0, p50Ms: 0 };
  expect(report(runOf([[{}, silent]], ratioOf('p50', { atMost: 1 })))).not.toContain('one client');
});

it.each<[Target | null, string]>([
  [{ atMost: 50 }, '≤ 50 reached'],
  [{ atMost: 39 }, '≤ 39 not yet'],
  [null, '–'],
])('health that should be answered within %j: by the median of the rounds, beside the worst', (target, wanted) => {
  const rounds = [30, 90, 40].map((p99Ms) => [{ health: { p50Ms: p99Ms / 10, p99Ms } }, {}] as const);
  const text = report(withHealth(runOf(rounds), target));
  const [, said = ''] = text.split('| health, asked beside');
  expect(lineOf(said, ABOVE.name)).toEqual([ABOVE.name, '4.00', '40.0', '90.0', wanted]);
});

it('where nobody asked, nothing is said of health', () => expect(report(runOf([[{}, {}]]))).not.toContain('health'));
