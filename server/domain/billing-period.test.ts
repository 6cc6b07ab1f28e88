/**
 * Goal: base prices are paid from the customer's own start, interval after interval. Method: a table of intervals and
 * time zones, one row a case; the law that billing periods follow each other without gap.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { billingPeriod } from './billing-period.ts';
import { BILLING_INTERVALS } from './plan.ts';

// biome-ignore format: a table
it.each([
  // interval zone               anchor               at                  from … to
  ['day', 'UTC', '2026-01-31T10:15Z', '2026-03-15T10:14Z', '2026-03-14T10:15Z … 2026-03-15T10:15Z'],
  ['week', 'UTC', '2026-01-31T10:15Z', '2026-03-15T00:00Z', '2026-03-14T10:15Z … 2026-03-21T10:15Z'],
  ['month', 'UTC', '2026-01-31T10:15Z', '2026-01-31T10:15Z', '2026-01-31T10:15Z … 2026-02-28T10:15Z'],
  ['month', 'UTC', '2026-01-31T10:15Z', '2026-02-28T10:15Z', '2026-02-28T10:15Z … 2026-03-31T10:15Z'], // the 31st again
  ['month', 'UTC', '2026-01-31T10:15Z', '2025-12-31T10:14Z', '2025-11-30T10:15Z … 2025-12-31T10:15Z'], // before the start
  ['year', 'UTC', '2024-02-29T00:00Z', '2026-12-31T00:00Z', '2026-02-28T00:00Z … 2027-02-28T00:00Z'],
  ['year', 'UTC', '2024-02-29T00:00Z', '2028-12-31T00:00Z', '2028-02-29T00:00Z … 2029-02-28T00:00Z'],
  // Late in the evening in New York it is the 31st there and the first of February elsewhere.
  ['month', 'America/New_York', '2026-02-01T02:00Z', '2026-03-15T00:00Z', '2026-03-01T02:00Z … 2026-04-01T01:00Z'],
  ['month', 'Europe/Berlin', '2026-01-29T01:30Z', '2026-03-29T12:00Z', '2026-03-29T01:00Z … 2026-04-29T00:30Z'], // 02:30 is skipped
  ['month', 'Europe/Berlin', '2026-01-25T01:30Z', '2026-10-25T01:00Z', '2026-10-25T00:30Z … 2026-11-25T01:30Z'], // 02:30 comes twice
] as const)('a %s in %s from %s at %s: %s', (interval, timeZone, anchor, at, says) => {
  const { startMs, endMs } = billingPeriod(interval, Date.parse(anchor), timeZone, Date.parse(at));
  expect(`${instant(startMs)} … ${instant(endMs)}`).toBe(says);
});

it('law: each is followed by the next, and the start of the customer begins one', () => {
  const instants = fc.integer({ min: Date.parse('2015-01-01'), max: Date.parse('2060-01-01') });
  const zones = fc.constantFrom('UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe');
  fc.assert(
    fc.property(fc.constantFrom(...BILLING_INTERVALS), instants, zones, instants, (interval, anchorMs, zone, atMs) => {
      const period = billingPeriod(interval, anchorMs, zone, atMs);
      expect(period.startMs <= atMs && atMs < period.endMs).toBe(true);
      expect(billingPeriod(interval, anchorMs, zone, period.endMs).startMs).toBe(period.endMs);
      expect(billingPeriod(interval, anchorMs, zone, period.startMs)).toEqual(period);
      expect(billingPeriod(interval, anchorMs, zone, anchorMs).startMs).toBe(anchorMs);
    }),
    { numRuns: 300 },
  );
});

const instant = (ms: number): string => new Date(ms).toISOString().replace(/:00\.000Z$/, 'Z');
