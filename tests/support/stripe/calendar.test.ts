/** Goal: periods begin when Stripe's do. Method: a table of anchors, and that periods leave no gap. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { boundary, periodAt } from './calendar.ts';

const at = (iso: string) => Date.parse(iso) / 1_000;
const iso = (seconds: number) => new Date(seconds * 1_000).toISOString().slice(0, 16);

it.each([
  // anchor                interval  count  at                       period
  ['2026-01-31T10:00Z', 'month', 1, '2026-02-10T00:00Z', '2026-01-31T10:00', '2026-02-28T10:00'],
  ['2026-01-31T10:00Z', 'month', 1, '2026-02-28T10:00Z', '2026-02-28T10:00', '2026-03-31T10:00'],
  ['2024-02-29T00:00Z', 'year', 1, '2025-03-01T00:00Z', '2025-02-28T00:00', '2026-02-28T00:00'],
  ['2026-01-15T00:00Z', 'month', 3, '2026-05-01T00:00Z', '2026-04-15T00:00', '2026-07-15T00:00'],
  ['2026-01-05T08:00Z', 'week', 2, '2026-01-20T00:00Z', '2026-01-19T08:00', '2026-02-02T08:00'],
  ['2026-01-05T08:00Z', 'day', 1, '2026-01-05T07:59Z', '2026-01-04T08:00', '2026-01-05T08:00'],
  ['2026-06-01T00:00Z', 'month', 1, '2026-03-15T12:00Z', '2026-03-01T00:00', '2026-04-01T00:00'],
])('anchored at %s, each %s × %i, at %s', (anchor, interval, interval_count, instant, start, end) => {
  const period = periodAt(at(anchor), { interval, interval_count }, at(instant));
  expect([iso(period.start), iso(period.end)]).toEqual([start, end]);
});

it('each instant is in one period, and the next begins where it ends', () => {
  const interval = fc.record({
    interval: fc.constantFrom('day', 'week', 'month', 'year'),
    interval_count: fc.integer({ min: 1, max: 4 }),
  });
  const instant = fc.integer({ min: at('2020-01-01'), max: at('2030-01-01') });
  fc.assert(
    fc.property(interval, instant, instant, (of, anchor, now) => {
      const { start, end } = periodAt(anchor, of, now);
      expect(start <= now && now < end).toBe(true);
      expect(periodAt(anchor, of, end).start).toBe(end);
      expect(periodAt(anchor, of, anchor).start).toBe(boundary(anchor, of, 0));
    }),
  );
});
