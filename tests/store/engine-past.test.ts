/**
 * Goal: use that is reported late counts in the period in which it happened, by that period's own numbers, and can be taken
 * back there. Method: tables worked out by hand, on both engines.
 */
import type { LimitFields } from '../../server/domain/feature.ts';
import type { Price } from '../../server/domain/price.ts';
import { describeScenes, perUnit, type Row, type Setting, units } from './scene.ts';

const calls = (fields: LimitFields): Setting => ({ features: { calls: { thresholds: [], ...fields } } });

/** The first 2 of a period for 10 each, others for 5. */
const GRADUATED: Price = {
  ...perUnit('0'),
  model: 'graduated',
  tiers: [
    { upTo: units('2'), unitAmount: units('10'), flatAmount: 0n },
    { upTo: null, unitAmount: units('5'), flatAmount: 0n },
  ],
};

const ROWS: readonly Row[] = [
  [
    'earlier in the running period',
    calls({ limit: units('5') }),
    [
      ['record 3 at=2026-03-01T00:00:00Z', '3 included'],
      ['usage', '3 used, 2 left'],
      ['counters', '2026-03-01 3'],
    ],
  ],
  [
    'in a period in which nothing was used: its own limit, its own alert, once',
    calls({ limit: units('5'), thresholds: [{ kind: 'fraction', value: units('1') }] }),
    [
      ['record 5 at=2026-02-20T00:00:00Z', '5 included ! fraction:1@5'],
      ['record 1 at=2026-02-28T23:59:59.999Z', '1 overage (0)'],
      ['usage', '0 used, 5 left'],
      ['use 5', '5 included ! fraction:1@5'],
      ['counters', '2026-02-01 6 corrected, 2026-03-01 5'],
    ],
  ],
  [
    'in a period that was closed: it is marked as corrected',
    calls({ limit: units('5'), thresholds: [{ kind: 'used', value: units('4') }] }),
    [
      ['use 2'],
      ['at 2026-04-02T00:00:00Z'],
      ['use 1', '1 included'],
      ['counters', '2026-03-01 2 closed, 2026-04-01 1'],
      ['record 2 at=2026-03-20T00:00:00Z', '2 included ! used:4'],
      ['record 2 at=2026-03-20T00:00:00Z', '1 included + 1 overage (0)'],
      ['counters', '2026-03-01 6 corrected, 2026-04-01 1'],
      ['usage', '1 used, 4 left'],
    ],
  ],
  [
    'in one of several periods',
    calls({ limit: units('5') }),
    [
      ['use 1'],
      ['at 2026-04-10T00:00:00Z'],
      ['use 1'],
      ['at 2026-05-02T00:00:00Z'],
      ['use 1'],
      ['record 1 at=2026-04-15T00:00:00Z', '1 included'],
      ['record 1 at=2026-03-30T00:00:00Z', '1 included'],
      ['counters', '2026-03-01 2 corrected, 2026-04-01 2 corrected, 2026-05-01 1'],
    ],
  ],
  [
    'a clock that is ahead says no more than now',
    calls({ limit: units('5') }),
    [['at 2026-03-31T23:58:00Z'], ['record 1 at=2026-04-01T00:02:00Z', '1 included'], ['counters', '2026-03-01 1']],
  ],
  [
    'priced by where its own period stands',
    calls({ price: GRADUATED }),
    [
      ['use 2', '2 overage (20)'],
      ['at 2026-04-02T00:00:00Z'],
      ['use 1', '1 overage (10)'],
      ['record 1 at=2026-03-20T00:00:00Z', '1 overage (5)'],
      ['use 1', '1 overage (10)'],
      ['cost', '20'],
    ],
  ],
  [
    'paid by what is prepaid now',
    calls({ price: perUnit('10') }),
    [
      ['grant A 2'],
      ['top-up 10'],
      ['record 4 at=2026-02-20T00:00:00Z', '2 credits + 1 wallet (10) + 1 overage (10)'],
      ['usage', '0 used, 0 in wallet'],
    ],
  ],
  [
    'the largest, and values seen, of its own period',
    { features: { peak: { aggregation: 'max', thresholds: [] } } },
    [
      ['use 4', '4 included'],
      ['record 9 at=2026-02-20T00:00:00Z', '9 included'],
      ['record 7 at=2026-02-21T00:00:00Z', 'nothing'],
      ['use 5', '1 included'],
    ],
  ],
  [
    'a reversal goes into the period of its event',
    calls({ price: perUnit('10') }),
    [
      ['top-up 10'],
      ['use 3 as=march', '1 wallet (10) + 2 overage (20)'],
      ['at 2026-04-02T00:00:00Z'],
      ['use 1', '1 overage (10)'],
      ['reverse march', '-1 wallet (-10) + -2 overage (-20)'],
      ['counters', '2026-03-01 0 corrected, 2026-04-01 1'],
      ['cost', '10'],
      ['wallet', '10'],
    ],
  ],
  [
    'a late event is reversed where it counted',
    calls({ limit: units('5') }),
    [
      ['record 3 at=2026-02-20T00:00:00Z as=late', '3 included'],
      ['use 1'],
      ['reverse late', '-3 included'],
      ['counters', '2026-02-01 0 corrected, 2026-03-01 1'],
    ],
  ],
  [
    'what was given back meanwhile is not given back twice',
    calls({ limit: units('5'), minLimit: 0n }),
    [['use 3 as=first'], ['use -2', '-2 included'], ['reverse first', '-1 included'], ['usage', '0 used, 5 left']],
  ],
  [
    'what others gave back in its place is given back of theirs',
    calls({ included: units('1'), price: perUnit('10'), minLimit: 0n }),
    [
      ['grant A 2'],
      ['use 3 as=first', '1 included + 2 credits'],
      ['use 2 as=second', '2 overage (20)'],
      ['reverse first', '-1 included + -2 credits'],
      ['use 3', '1 included + 2 credits'],
      ['use -3', '-1 credits + -2 overage (-20)'],
      ['reverse second', '-1 included + -1 credits'],
      ['usage', '0 used, 2 credits'],
    ],
  ],
  [
    'only what adds up can be reversed',
    { features: { seats: { aggregation: 'latest' } } },
    [['use 3 as=level'], ['reverse level', 'INVALID_AMOUNT']],
  ],
  [
    'before a reset by hand, in the period that it ended',
    calls({ limit: units('5') }),
    [
      ['use 2'],
      ['reset', '0 used, 5 left'],
      ['at 2026-03-15T13:00:00Z'],
      ['record 1 at=2026-03-15T11:00:00Z', '1 included'],
      ['record 1 at=2026-03-15T12:30:00Z', '1 included'],
      ['counters', '2026-03-01 3 corrected, 2026-03-15T12:00Z 1'],
    ],
  ],
  [
    'a level of the past goes on until the next report',
    { features: { seats: { aggregation: 'latest', reset: 'daily' } } },
    [
      ['at 2026-03-12T12:00:00Z'],
      ['use 3', '3 included'],
      ['at 2026-03-14T12:00:00Z'],
      ['use 5', '2 included'],
      ['at 2026-03-15T12:00:00Z'],
      ['record 4 at=2026-03-12T18:00:00Z', '1 included'],
      ['counters', '2026-03-12 4 corrected, 2026-03-13 4 corrected, 2026-03-14 5 closed, 2026-03-15 5'],
      ['record 9 at=2026-03-10T18:00:00Z', '9 included'],
      [
        'counters',
        '2026-03-10 9 corrected, 2026-03-11 9 corrected, 2026-03-12 4 corrected, 2026-03-13 4 corrected, 2026-03-14 5 closed, 2026-03-15 5',
      ],
      ['usage', '5 used'],
    ],
  ],
];

describeScenes('late use', ROWS);
