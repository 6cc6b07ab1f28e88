/**
 * Goal: what entities (seats, workspaces) use is counted for each and for the customer, under the limits of both. Method:
 * tables worked out by hand, on both engines.
 */
import type { LimitFields } from '../../server/domain/feature.ts';
import { describeScenes, perUnit, type Row, type Setting, units } from './scene.ts';

const calls = (fields: LimitFields = {}): Setting => ({
  features: { calls: { limit: units('10'), entityLimit: units('4'), thresholds: [], ...fields } },
});

const ROWS: readonly Row[] = [
  [
    'the smaller room of both',
    calls(),
    [
      ['use 4 by=ann', '4 included'],
      ['use 1 by=ann', 'LIMIT_REACHED'],
      ['use 4 by=bob', '4 included'],
      ['use 3 by=cyd', 'LIMIT_REACHED'],
      ['use 3 by=cyd mode=CLAMP', '2 included'],
      ['use 1', 'LIMIT_REACHED'],
      ['use 1 by=dee', 'LIMIT_REACHED'],
      ['counters', '2026-03-01 10, 2026-03-01 ann 4, 2026-03-01 bob 4, 2026-03-01 cyd 2'],
      ['at 2026-04-01T00:00:00Z'],
      ['use 4 by=ann', '4 included'],
      ['settle'],
    ],
  ],
  [
    'OVERFLOW and late use pass both',
    calls(),
    [
      ['use 5 by=ann mode=OVERFLOW', '5 included'],
      ['record 7 by=ann', '5 included + 2 overage (0)'],
      ['counters', '2026-03-01 12, 2026-03-01 ann 12'],
    ],
  ],
  [
    'an entity gives back no more than it has used',
    calls({ minLimit: 0n }),
    [
      ['use 4 by=ann'],
      ['use 4 by=bob'],
      ['use -5 by=ann', 'BELOW_MINIMUM'],
      ['use -5 by=ann mode=CLAMP', '-4 included'],
      ['use -1 by=ann', 'BELOW_MINIMUM'],
      ['use -1 by=cyd', 'BELOW_MINIMUM'],
      ['counters', '2026-03-01 4, 2026-03-01 ann 0, 2026-03-01 bob 4'],
    ],
  ],
  [
    'what an entity holds is not there to be given back',
    calls({ minLimit: 0n }),
    [
      ['use 3'],
      ['use 1 by=ann'],
      ['reserve R 2 by=ann', 'open 2 included'],
      ['use -2 by=ann', 'BELOW_MINIMUM'],
      ['use -2 by=ann mode=CLAMP', '-1 included'],
      ['release R'],
      ['counters', '2026-03-01 3, 2026-03-01 ann 0'],
    ],
  ],
  [
    'holds of an entity',
    calls(),
    [
      ['reserve R 3 by=ann', 'open 3 included'],
      ['use 2 by=ann', 'LIMIT_REACHED'],
      ['commit R 5', 'LIMIT_REACHED'],
      ['commit R 4', '4 included'],
      ['reserve S 1 by=ann', 'LIMIT_REACHED'],
      ['reserve T 4 by=bob for=60', 'open 4 included'],
      ['at 2026-03-15T12:01:00Z'],
      ['use 4 by=bob', '4 included'],
      ['counters', '2026-03-01 8, 2026-03-01 ann 4, 2026-03-01 bob 4'],
    ],
  ],
  [
    'a hold of an entity that expires in a period that was closed',
    { features: { calls: { entityLimit: units('4'), reset: 'daily', thresholds: [] } } },
    [
      ['at 2026-03-15T23:50:00Z'],
      ['use 1 by=ann'],
      ['reserve R 3 by=ann for=3600'],
      ['at 2026-03-16T00:10:00Z'],
      ['use 4 by=ann', '4 included'],
      ['at 2026-03-16T00:50:00Z'],
      ['settle'],
      ['counters', '2026-03-15 1 closed, 2026-03-15 ann 1 closed, 2026-03-16 4, 2026-03-16 ann 4'],
    ],
  ],
  [
    'a commit in the next period counts where it was held',
    { features: { calls: { entityLimit: units('4'), reset: 'daily', thresholds: [] } } },
    [
      ['at 2026-03-15T23:50:00Z'],
      ['reserve R 3 by=ann for=3600'],
      ['at 2026-03-16T00:10:00Z'],
      ['use 4 by=ann', '4 included'],
      ['commit R 2', '2 included'],
      ['counters', '2026-03-15 2 corrected, 2026-03-15 ann 2 corrected, 2026-03-16 4, 2026-03-16 ann 4'],
    ],
  ],
  [
    'late use of an entity, and its reversal',
    calls(),
    [
      ['record 3 by=ann at=2026-02-20T00:00:00Z as=late', '3 included'],
      ['use 4 by=ann', '4 included'],
      ['reverse late', '-3 included'],
      ['counters', '2026-02-01 0 corrected, 2026-02-01 ann 0 corrected, 2026-03-01 4, 2026-03-01 ann 4'],
    ],
  ],
  [
    'a reset by hand is one for entities, too',
    calls(),
    [
      ['use 4 by=ann'],
      ['at 2026-03-16T00:00:00Z'],
      ['reset', '0 used, 10 left'],
      ['use 4 by=ann', '4 included'],
      ['use 1 by=ann', 'LIMIT_REACHED'],
      ['at 2026-04-01T00:00:00Z'],
      ['use 4 by=ann', '4 included'],
    ],
  ],
  [
    'a reversal of an entity’s use',
    calls({ price: perUnit('10'), limit: null, included: units('2'), enforcement: 'hard' }),
    [
      ['top-up 10'],
      ['use 4 by=ann as=first', '2 included + 1 wallet (10) + 1 overage (10)'],
      ['use 1 by=ann', 'LIMIT_REACHED'],
      ['reverse first', '-2 included + -1 wallet (-10) + -1 overage (-10)'],
      ['use 4 by=ann', '2 included + 1 wallet (10) + 1 overage (10)'],
    ],
  ],
  [
    'only what adds up is counted by entity',
    { features: { seats: { aggregation: 'latest' } } },
    [['use 1 by=ann', 'INVALID_INPUT']],
  ],
];

describeScenes('entities', ROWS);
