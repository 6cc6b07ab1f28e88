/**
 * Goal: buckets cover a time without gap or overlap, in any time zone, and a series says of each what was used in it.
 * Method: tables of times and rows; laws for any time, zone and bucket.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BUCKETS, type SeriesRow, seriesOf, spanAround, spansBetween } from './series.ts';
import { formatUnits, ONE } from './units.ts';

const ms = (text: string): number => Date.parse(text);
const iso = (atMs: number): string => new Date(atMs).toISOString().replace(/:00\.000Z$/, 'Z');

function spell(...[bucket, timeZone, from, to]: [(typeof BUCKETS)[number], string, string, string]): string {
  const found = spansBetween(bucket, timeZone, ms(from), ms(to));
  if (!found.ok) return `${found.field}: ${found.sentence}`;
  return [...found.spans.map(({ startMs }) => iso(startMs)), iso(found.spans.at(-1)?.endMs ?? 0)].join(' ');
}

describe('buckets', () => {
  it.each([
    [
      'minute',
      'UTC',
      '2026-03-01T10:00:30Z',
      '2026-03-01T10:02:00Z',
      '2026-03-01T10:00Z 2026-03-01T10:01Z 2026-03-01T10:02Z',
    ],
    [
      'hour',
      'Asia/Kolkata',
      '2026-03-01T10:00:00Z',
      '2026-03-01T10:31:00Z',
      '2026-03-01T09:30Z 2026-03-01T10:30Z 2026-03-01T11:30Z',
    ],
    [
      'hour',
      'Europe/Berlin',
      '2026-03-29T00:00:00Z',
      '2026-03-29T02:00:00Z',
      '2026-03-29T00:00Z 2026-03-29T01:00Z 2026-03-29T02:00Z',
    ],
    [
      'day',
      'Europe/Berlin',
      '2026-03-28T12:00:00Z',
      '2026-03-30T00:00:00Z',
      '2026-03-27T23:00Z 2026-03-28T23:00Z 2026-03-29T22:00Z 2026-03-30T22:00Z',
    ],
    ['week', 'UTC', '2026-03-01T00:00:00Z', '2026-03-02T00:00:00Z', '2026-02-23T00:00Z 2026-03-02T00:00Z'],
    [
      'month',
      'America/New_York',
      '2026-02-01T05:00:00Z',
      '2026-04-01T03:59:59Z',
      '2026-02-01T05:00Z 2026-03-01T05:00Z 2026-04-01T04:00Z',
    ],
    [
      'day',
      'UTC',
      '2026-03-01T00:00:00Z',
      '2026-03-01T00:00:00Z',
      'to: `to` is 2026-03-01T00:00:00.000Z and `from` is 2026-03-01T00:00:00.000Z; `to` must be later.',
    ],
    [
      'day',
      'UTC',
      '1969-03-01T00:00:00Z',
      '2026-03-01T00:00:00Z',
      'from: `from` is 1969-03-01T00:00:00.000Z; from 1970-01-01T00:00:00.000Z to 2200-01-01T00:00:00.000Z is allowed.',
    ],
    [
      'day',
      'UTC',
      '2026-03-01T00:00:00Z',
      '2201-03-01T00:00:00Z',
      'to: `to` is 2201-03-01T00:00:00.000Z; from 1970-01-01T00:00:00.000Z to 2200-01-01T00:00:00.000Z is allowed.',
    ],
    [
      'minute',
      'UTC',
      '2026-03-01T00:00:00Z',
      '2026-03-02T09:20:01Z',
      'bucket: From 2026-03-01T00:00:00.000Z to 2026-03-02T09:20:01.000Z there are more than 2000 buckets of a minute; ask for a shorter time or larger buckets.',
    ],
  ] as const)('%s in %s from %s to %s', (bucket, timeZone, from, to, says) => {
    expect(spell(bucket, timeZone, from, to)).toBe(says);
  });

  it('may be 2,000', () => {
    const found = spansBetween('minute', 'UTC', ms('2026-03-01T00:00:00Z'), ms('2026-03-02T09:20:00Z'));
    expect(found.ok && found.spans.length).toBe(2_000);
  });

  it('follow each other, cover the time, begin with a minute, and are the same from wherever one looks', () => {
    const zones = [
      'UTC',
      'Europe/Berlin',
      'Australia/Lord_Howe',
      'America/St_Johns',
      'Pacific/Apia',
      'Africa/Casablanca',
    ];
    const at = fc.integer({ min: ms('2010-01-01T00:00:00Z'), max: ms('2040-01-01T00:00:00Z') });
    const length = fc.integer({ min: 1, max: 40 * 60_000 });
    fc.assert(
      fc.property(
        fc.constantFrom(...BUCKETS),
        fc.constantFrom(...zones),
        at,
        length,
        (bucket, zone, fromMs, length) => {
          const scale = { minute: 1, hour: 20, day: 500, week: 3_000, month: 10_000 }[bucket];
          const toMs = fromMs + length * scale;
          const found = spansBetween(bucket, zone, fromMs, toMs);
          if (!found.ok) throw new Error(found.sentence);
          const { spans } = found;
          expect(spans[0]?.startMs).toBeLessThanOrEqual(fromMs);
          expect(spans.at(-1)?.endMs).toBeGreaterThanOrEqual(toMs);
          expect(spans.at(-1)?.startMs).toBeLessThan(toMs);
          for (const [i, span] of spans.entries()) {
            if (i > 0) expect(span.startMs).toBe(spans[i - 1]?.endMs);
            expect(span.startMs % 60_000).toBe(0);
            expect(spanAround(bucket, zone, span.endMs - 1)).toEqual(span);
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('a series', () => {
  const spans = [0, 1, 2].map((i) => ({ startMs: i * 60_000, endMs: (i + 1) * 60_000 }));
  const row = (fields: Partial<SeriesRow>): SeriesRow => ({
    ...{ bucket: 0, group: null, currency: null, events: 1n, amount: ONE, credits: 0n, wallet: 0n, overage: 0n },
    ...{ cost: 0n, largest: ONE },
    ...fields,
  });
  const used = (buckets: readonly { readonly used: bigint }[]): string =>
    buckets.map((bucket) => formatUnits(bucket.used)).join(' ');

  it('says 0 where nothing was used, and sums up the rest', () => {
    const rows = [
      row({ bucket: 2, amount: 3n * ONE, events: 2n }),
      row({ bucket: 2, currency: 'eur', cost: 5n, overage: 1n }),
    ];
    const { total, buckets, groups } = seriesOf('sum', spans, rows);
    expect(used(buckets)).toBe('0 0 4');
    expect(buckets[1]).toEqual({
      ...spans[1],
      ...{ events: 0n, used: 0n, credits: 0n, wallet: 0n, overage: 0n, costs: [] },
    });
    expect(total).toEqual({
      ...{ startMs: 0, endMs: 180_000, events: 3n, used: 4n * ONE, credits: 0n, wallet: 0n, overage: 1n },
      costs: [{ amount: 5n, currency: 'eur' }],
    });
    expect(groups).toEqual([]);
  });

  it('never adds money of two currencies', () => {
    const rows = [
      row({ currency: 'usd', cost: 5n }),
      row({ currency: 'eur', cost: 1n }),
      row({ currency: 'usd', cost: 2n }),
    ];
    expect(seriesOf('sum', spans, rows).total.costs).toEqual([
      { amount: 1n, currency: 'eur' },
      { amount: 7n, currency: 'usd' },
    ]);
  });

  it('of a maximum has the largest report of each bucket, and of all', () => {
    const rows = [row({ largest: 3n * ONE, amount: 3n * ONE }), row({ largest: -ONE, bucket: 1, amount: 0n })];
    const { total, buckets } = seriesOf('max', spans, rows);
    expect([used(buckets), used([total])]).toEqual(['3 -1 0', '3']);
  });

  it('has its groups by place, what is left over last', () => {
    const rows = [
      row({ group: { place: 0, value: null }, amount: 9n * ONE }),
      row({ group: { place: 2, value: null }, bucket: 1 }),
      row({ group: { place: 1, value: 'large' }, amount: 5n * ONE }),
    ];
    const { total, groups } = seriesOf('sum', spans, rows);
    expect(groups.map(({ value, isOther, buckets }) => `${value}${isOther ? ' other' : ''}: ${used(buckets)}`)).toEqual(
      ['large: 5 0 0', 'null: 0 1 0', 'null other: 9 0 0'],
    );
    expect(used([total])).toBe('15');
  });
});
