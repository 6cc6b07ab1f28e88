/** Goal: the table and the JSON say the same of subscribers, and what never came is not taken for quick. */
import { expect, it } from 'vitest';
import { type FanOut, type Figure, fanOutReport, figureOf, spellFigure } from './figures.ts';

const RUN: Omit<FanOut, 'figures'> = {
  watchers: 10_000,
  customers: 1_000,
  isShared: true,
  loadAverage: { before: 0.5, after: 1.5 },
};

const NEVER = Number.POSITIVE_INFINITY;

it.each<[Figure, readonly string[], string]>([
  [
    figureOf('push to one', 'p50 ms', [0.6, 0.4, 0.2], { below: 0.5 }),
    ['push to one', 'p50 ms', '0.40', '0.20–0.60', '< 0.5 reached'],
    'push to one: 0.40 (0.20–0.60) p50 ms',
  ],
  [
    figureOf('memory each', 'KiB', [25.3], { atMost: 20 }),
    ['memory each', 'KiB', '25.3', '–', '≤ 20 not yet'],
    'memory each: 25.3 KiB',
  ],
  [
    figureOf('push to one', 'p50 ms', [0.3, NEVER, NEVER], { below: 0.5 }),
    ['push to one', 'p50 ms', '–', '0.30––', '< 0.5 not yet'],
    'push to one: – (0.30––) p50 ms',
  ],
  [figureOf('to connect', 's', [2], null), ['to connect', 's', '2.00', '–', '–'], 'to connect: 2.00 s'],
])('%j', (found, cells, says) => {
  const lines = fanOutReport({ ...RUN, figures: [found] }).split('\n');
  const line = lines.find((candidate) => candidate.startsWith(`| ${found.what}`)) ?? '';
  expect(line.split('|').map((cell) => cell.trim())).toEqual(['', ...cells, '']);
  expect(spellFigure(found)).toBe(says);
  expect(JSON.parse(JSON.stringify(found)).verdict).toBe(cells.at(-1));
});

it('says how many there were, and whether they shared', () => {
  const report = (isShared: boolean) => fanOutReport({ ...RUN, isShared, figures: [] });
  expect(report(true)).toContain('10,000 sockets with a subscription each, 10.0 of a customer, executed once for all');
  expect(report(false)).toContain('executed for each');
  expect(report(true)).toContain('load average 0.50 before, 1.50 after');
});
