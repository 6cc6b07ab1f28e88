/**
 * Goal: periods begin and end when they should, by calendar or the customer's own start, in its time zone; whoever looks
 * first after the end settles it, once. Method: tables worked out by hand, on both engines.
 */
import type { Reset } from '../../server/domain/period.ts';
import { describeScenes, perUnit, type Row, type Setting, units } from './scene.ts';

/** A limit of 5 for each period; customers begin on 15 March 2026, a Sunday, at noon. */
const every = (
  reset: Reset,
  more: Omit<Setting, 'features'> = {},
  anchor: 'calendar' | 'subscription' = 'calendar',
): Setting => ({
  features: { calls: { limit: units('5'), thresholds: [], reset, anchor } },
  ...more,
});

const BERLIN = { timeZone: 'Europe/Berlin' };

/** Each ends at `end`: full a millisecond before, empty at it. */
const ends = (reset: Reset, period: string, end: string, next: string, setting = every(reset)): Row => [
  `${reset}: ${period}`,
  setting,
  [
    ['period', period],
    ['use 5', '5 included'],
    [`at ${new Date(Date.parse(end) - 1).toISOString()}`],
    ['use 1', 'LIMIT_REACHED'],
    [`at ${end}`],
    ['period', next],
    ['usage', '0 used, 5 left'],
    ['use 5', '5 included'],
  ],
];

const ROWS: readonly Row[] = [
  ends('hourly', '2026-03-15T12:00Z/2026-03-15T13:00Z', '2026-03-15T13:00:00Z', '2026-03-15T13:00Z/2026-03-15T14:00Z'),
  ends('daily', '2026-03-15/2026-03-16', '2026-03-16T00:00:00Z', '2026-03-16/2026-03-17'),
  ends('weekly', '2026-03-09/2026-03-16', '2026-03-16T00:00:00Z', '2026-03-16/2026-03-23'),
  ends('monthly', '2026-03-01/2026-04-01', '2026-04-01T00:00:00Z', '2026-04-01/2026-05-01'),
  ends('quarterly', '2026-01-01/2026-04-01', '2026-04-01T00:00:00Z', '2026-04-01/2026-07-01'),
  ends('yearly', '2026-01-01/2027-01-01', '2027-01-01T00:00:00Z', '2027-01-01/2028-01-01'),
  ends('every 6 hour', '2026-03-15T12:00Z/2026-03-15T18:00Z', '2026-03-15T18:00:00Z', '2026-03-15T18:00Z/2026-03-16'),
  ends(
    'monthly',
    '2026-01-31T10:00Z/2026-02-28T10:00Z',
    '2026-02-28T10:00:00Z',
    '2026-02-28T10:00Z/2026-03-31T10:00Z',
    every('monthly', { since: '2026-01-31T10:00:00Z' }, 'subscription'),
  ),
  ends(
    'yearly',
    '2028-02-29/2029-02-28',
    '2029-02-28T00:00:00Z',
    '2029-02-28/2030-02-28',
    every('yearly', { since: '2028-02-29T00:00:00Z' }, 'subscription'),
  ),
  ends(
    'daily', // the night of 23 hours
    '2026-03-28T23:00Z/2026-03-29T22:00Z',
    '2026-03-29T22:00:00Z',
    '2026-03-29T22:00Z/2026-03-30T22:00Z',
    every('daily', { ...BERLIN, since: '2026-03-29T12:00:00Z' }),
  ),
  ends(
    'daily', // the night of 25 hours
    '2026-10-24T22:00Z/2026-10-25T23:00Z',
    '2026-10-25T23:00:00Z',
    '2026-10-25T23:00Z/2026-10-26T23:00Z',
    every('daily', { ...BERLIN, since: '2026-10-25T12:00:00Z' }),
  ),
  [
    'never',
    every('never'),
    [
      ['use 5', '5 included'],
      ['period', '2026-03-15T12:00Z/'],
      ['at 2036-03-15T12:00:00Z'],
      ['use 1', 'LIMIT_REACHED'],
    ],
  ],
  [
    'the closer writes the final total, once',
    every('monthly'),
    [
      ['use 2'],
      ['settle'],
      ['counters', '2026-03-01 2'],
      ['at 2026-04-01T00:00:00Z'],
      ['settle'],
      ['counters', '2026-03-01 2 closed'],
      ['settle'],
      ['counters', '2026-03-01 2 closed'],
    ],
  ],
  [
    'started again by hand, and alerts with it',
    { features: { calls: { limit: units('5'), thresholds: [{ kind: 'fraction', value: units('1') }] } } },
    [
      ['use 5', '5 included ! fraction:1@5'],
      ['reset', '0 used, 5 left'],
      ['period', '2026-03-15T12:00Z/2026-04-01'],
      ['use 5', '5 included ! fraction:1@5'],
      ['at 2026-03-20T00:00:00Z'],
      ['reset', '0 used, 5 left'],
      ['counters', '2026-03-01 5 closed, 2026-03-15T12:00Z 5 closed, 2026-03-20 0'],
      ['at 2026-04-01T00:00:00Z'],
      ['period', '2026-04-01/2026-05-01'],
    ],
  ],
  [
    'started again by hand twice in a millisecond',
    every('monthly'),
    [
      ['use 2'],
      ['reset', '0 used, 5 left'],
      ['reset', '0 used, 5 left'],
      ['use 1', '1 included'],
      ['usage', '1 used, 4 left'],
    ],
  ],
  [
    'started again by hand beside a hold: the hold stays where it was',
    { features: { calls: { included: 0n, price: perUnit('10'), thresholds: [] } } },
    [
      ['top-up 100'],
      ['use 2', '2 wallet (20)'],
      ['reserve R 3', 'open 3 wallet (30)'],
      ['at 2026-03-15T12:05:00Z'],
      ['reset', '0 used, 50 in wallet'],
      ['commit R 2', '2 wallet (20)'],
      ['counters', '2026-03-01 4 corrected, 2026-03-15T12:05Z 0'],
      ['wallet', '60'],
    ],
  ],
  [
    'a level that is there goes on when its period is started again by hand',
    { features: { seats: { aggregation: 'latest', included: units('2'), price: perUnit('10'), thresholds: [] } } },
    [
      ['use 3', '2 included + 1 overage (10)'],
      ['at 2026-03-20T00:00:00Z'],
      ['reset', '3 used, 1 overage'],
      ['cost', '10'],
      ['use 2', '-1 overage (-10)'],
      ['at 2026-04-01T00:00:00Z'],
      ['usage', '2 used'],
    ],
  ],
  [
    'a quantity that is held goes on when its period is started again by hand',
    { features: { disk: { aggregation: 'weighted_sum', thresholds: [] } } },
    [
      ['at 2026-03-16T12:00:00Z'],
      ['use 10', '5 included'],
      ['reset', '10 used'],
      ['at 2026-04-01T00:00:00Z'],
      ['usage', '10 used'],
      ['use -10', '-10 included'],
      ['at 2026-05-01T00:00:00Z'],
      ['usage', '0 used'],
    ],
  ],
  [
    'a gauge that nobody looks at for months is billed in each of them',
    { features: { seats: { aggregation: 'latest', price: perUnit('10'), thresholds: [] } } },
    [
      ['top-up 45'],
      ['use 2', '2 wallet (20)'],
      ['at 2026-06-10T00:00:00Z'],
      ['usage', '2 used, 2 overage, 5 in wallet'],
      ['settle'],
      ['counters', '2026-03-01 2 closed, 2026-04-01 2 closed, 2026-05-01 2 closed, 2026-06-01 2'],
      ['wallet', '5'],
    ],
  ],
];

describeScenes('periods', ROWS);
