/**
 * Goal: what is reserved counts at once, and ends as a commit, a release, or an expiry, each exactly once and with all that
 * paid for it. Method: tables worked out by hand, on both engines.
 */
import type { LimitFields } from '../../server/domain/feature.ts';
import type { Price } from '../../server/domain/price.ts';
import { describeScenes, perUnit, type Row, type Setting, type Step, units } from './scene.ts';

const calls = (fields: LimitFields): Setting => ({ features: { calls: { thresholds: [], ...fields } } });
const daily = (fields: LimitFields): Setting => ({
  features: { calls: { thresholds: [], reset: 'daily', ...fields } },
});
const TIERS: Price = {
  ...perUnit('0'),
  model: 'graduated',
  tiers: [
    { upTo: units('2'), unitAmount: units('10'), flatAmount: 0n },
    { upTo: null, unitAmount: units('5'), flatAmount: 0n },
  ],
};
const TEN = calls({ limit: units('10') });

/** Credits that roll over; half an hour before they do, 6 of 10 are held for an hour. */
const ROLLING = calls({
  included: 0n,
  credits: {
    allocation: units('10'),
    onRenewal: { max: units('100'), maxFraction: null, expiresAfter: null },
    reset: null,
    priority: 0,
  },
});
const HELD_OVER_RENEWAL: readonly Step[] = [['at 2026-03-31T23:30:00Z'], ['reserve R 6 for=3600', 'open 6 credits']];

const ROWS: readonly Row[] = [
  [
    'counts against the limit at once; less is given back; committed once',
    TEN,
    [
      ['reserve R 6', 'open 6 included'],
      ['use 5', 'LIMIT_REACHED'],
      ['reserve S 5', 'LIMIT_REACHED'],
      ['usage', '0 used, 6 held, 4 left'],
      ['commit R 4', '4 included'],
      ['usage', '4 used, 6 left'],
      ['commit R 4', '4 included again'],
      ['commit R', 'RESERVATION_CLOSED'],
      ['release R', 'RESERVATION_CLOSED'],
      ['usage', '4 used, 6 left'],
    ],
  ],
  [
    'all of it; thresholds look at what is used',
    calls({ limit: units('10'), thresholds: [{ kind: 'used', value: units('5') }] }),
    [
      ['reserve R 6', 'open 6 included'],
      ['alerts', 'none'],
      ['commit R', '6 included ! used:5'],
      ['commit R', '6 included ! used:5 again'],
      ['alerts', 'used:5'],
    ],
  ],
  [
    'more crosses a threshold with the difference and another with what was held; both are told again',
    calls({ limit: units('10'), thresholds: [8, 10].map((used) => ({ kind: 'used', value: units(String(used)) })) }),
    [
      ['use 5'],
      ['reserve R 2'],
      ['commit R 5', '5 included ! used:8 ! used:10'],
      ['commit R 5', '5 included ! used:8 ! used:10 again'],
    ],
  ],
  [
    'more is a new use of the difference, whose refusal leaves it open',
    TEN,
    [
      ['reserve R 4'],
      ['commit R 6', '6 included'],
      ['reserve S 2'],
      ['commit S 9', 'LIMIT_REACHED'],
      ['usage', '6 used, 2 held, 2 left'],
      ['commit S 9 mode=CLAMP', '4 included'],
      ['usage', '10 used, 0 left'],
      ['reserve T 3 mode=CLAMP', 'LIMIT_REACHED'],
    ],
  ],
  [
    'nothing of it',
    TEN,
    [
      ['reserve R 4'],
      ['commit R 0', 'nothing'],
      ['usage', '0 used, 10 left'],
      ['commit R 0', 'nothing again'],
      ['commit R 1', 'RESERVATION_CLOSED'],
    ],
  ],
  [
    'the other sign: it is released, and that is given back',
    calls({ limit: units('10'), minLimit: 0n }),
    [
      ['use 5'],
      ['reserve R 3'],
      ['commit R -2', '-2 included'],
      ['usage', '3 used, 7 left'],
      ['reserve S 3'],
      ['commit S -9', 'BELOW_MINIMUM'],
      ['usage', '3 used, 3 held, 4 left'],
      ['release S', 'released 3 included'],
    ],
  ],
  [
    'expires at its instant, and not before',
    TEN,
    [
      ['reserve R 6 for=60'],
      ['at 2026-03-15T12:00:59.999Z'],
      ['usage', '0 used, 6 held, 4 left'],
      ['at 2026-03-15T12:01:00Z'],
      ['usage', '0 used, 10 left'],
      ['commit R', 'RESERVATION_EXPIRED'],
      ['release R', 'RESERVATION_EXPIRED'],
      ['use 10', '10 included'],
    ],
  ],
  [
    'released once',
    TEN,
    [
      ['reserve R 6'],
      ['release R', 'released 6 included'],
      ['release R', 'released 6 included again'],
      ['commit R', 'RESERVATION_CLOSED'],
      ['usage', '0 used, 10 left'],
      ['commit Q', 'RESERVATION_NOT_FOUND'],
      ['release Q', 'RESERVATION_NOT_FOUND'],
    ],
  ],
  [
    'what can be held',
    { features: { calls: { minLimit: 0n }, seats: { aggregation: 'latest' } } },
    [
      ['reserve R -1', 'INVALID_AMOUNT'],
      ['reserve R 1 of=seats', 'INVALID_AMOUNT'],
    ],
  ],
  [
    'the whole cascade is held, and given back last in, first out',
    calls({ included: units('2'), price: perUnit('10') }),
    [
      ['grant A 3'],
      ['top-up 25'],
      ['reserve R 8', 'open 2 included + 3 credits + 2 wallet (20) + 1 overage (10)'],
      ['wallet', '5'],
      ['grants', 'A 0 spent'],
      ['usage', '0 used, 8 held, 1 overage, 5 in wallet'],
      ['commit R 4', '2 included + 2 credits'],
      ['wallet', '25'],
      ['grants', 'A 1 live'],
      ['cost', '0'],
    ],
  ],
  [
    'the whole cascade is held, and expires',
    calls({ included: units('2'), price: perUnit('10') }),
    [
      ['grant A 3'],
      ['top-up 25'],
      ['reserve R 8 for=60'],
      ['at 2026-03-15T12:02:00Z'],
      ['usage', '0 used, 3 credits, 25 in wallet'],
      ['settle'],
      ['wallet', '25'],
      ['grants', 'A 3 live'],
    ],
  ],
  [
    'more than what was held, over what pays',
    calls({ included: units('2'), price: perUnit('10') }),
    [
      ['grant A 3'],
      ['reserve R 3', 'open 2 included + 1 credits'],
      ['commit R 7', '2 included + 3 credits + 2 overage (20)'],
      ['usage', '7 used, 2 overage'],
    ],
  ],
  [
    'two holds and a use between them: each gives back its own',
    calls({ included: 0n, price: perUnit('10') }),
    [
      ['grant A 3'],
      ['top-up 20'],
      ['reserve R 3', 'open 3 credits'],
      ['use 1', '1 wallet (10)'],
      ['reserve S 3', 'open 1 wallet (10) + 2 overage (20)'],
      ['release R', 'released 3 credits'],
      ['grants', 'A 3 live'],
      ['commit S 2', '1 wallet (10) + 1 overage (10)'],
      ['usage', '3 used, 3 credits, 1 overage, 0 in wallet'],
      ['cost', '10'],
    ],
  ],
  [
    'a hold that is released gives back what it took itself, at whatever tier others were since',
    calls({ included: 0n, price: TIERS }),
    [
      ['reserve R 2', 'open 2 overage (20)'],
      ['use 2', '2 overage (10)'],
      ['release R', 'released 2 overage (20)'],
      ['cost', '10'],
      ['reserve S 2', 'open 2 overage (10)'],
      ['commit S 1', '1 overage (5)'],
      ['cost', '15'],
    ],
  ],
  [
    'what is given back beside a hold does not take the money that the hold has cost',
    calls({ included: 0n, price: TIERS, minLimit: 0n }),
    [
      ['use 1', '1 overage (10)'],
      ['reserve R 1', 'open 1 overage (10)'],
      ['use 1', '1 overage (5)'],
      ['use -2', '-2 overage (-15)'],
      ['release R', 'released 1 overage (10)'],
      ['cost', '0'],
    ],
  ],
  [
    'a period that ends meanwhile, seen by somebody, and then the hold expires',
    daily({ limit: units('10') }),
    [
      ['at 2026-03-15T23:50:00Z'],
      ['use 2'],
      ['reserve R 5 for=3600'],
      ['at 2026-03-16T00:10:00Z'],
      ['use 1', '1 included'],
      ['usage', '1 used, 9 left'],
      ['at 2026-03-16T00:50:00Z'],
      ['use 1', '1 included'],
      ['counters', '2026-03-15 2 closed, 2026-03-16 2'],
      ['commit R', 'RESERVATION_EXPIRED'],
    ],
  ],
  [
    'a period that ends meanwhile, seen by nobody, and then the hold expires',
    daily({ limit: units('10') }),
    [
      ['at 2026-03-15T23:50:00Z'],
      ['use 2'],
      ['reserve R 5 for=3600'],
      ['at 2026-03-17T00:50:00Z'],
      ['use 1', '1 included'],
      ['counters', '2026-03-15 2 closed, 2026-03-17 1'],
    ],
  ],
  [
    'counts in the period in which it was made',
    daily({ limit: units('10') }),
    [
      ['at 2026-03-15T23:50:00Z'],
      ['use 2'],
      ['reserve R 5 for=3600'],
      ['at 2026-03-16T00:10:00Z'],
      ['use 1'],
      ['commit R 3', '3 included'],
      ['counters', '2026-03-15 5 corrected, 2026-03-16 1'],
    ],
  ],
  [
    'a grant that expires before the hold: what comes back is lost',
    calls({ included: 0n }),
    [
      ['grant A 5 until=2026-03-15T12:30:00Z'],
      ['reserve R 5 for=3600', 'open 5 credits'],
      ['at 2026-03-15T14:00:00Z'],
      ['usage', '0 used'],
      ['settle'],
      ['grants', 'A 0 expired'],
    ],
  ],
  [
    'credits that renew before the hold expires, seen in time',
    ROLLING,
    [
      ...HELD_OVER_RENEWAL,
      ['at 2026-04-01T00:10:00Z'],
      ['settle'],
      ['at 2026-04-01T00:40:00Z'],
      ['usage', '0 used, 14 credits'],
    ],
  ],
  [
    'credits that renew before the hold expires, seen late',
    ROLLING,
    [...HELD_OVER_RENEWAL, ['at 2026-04-01T00:40:00Z'], ['usage', '0 used, 14 credits'], ['use 14', '14 credits']],
  ],
  [
    'credits that renew after the hold expired, seen late',
    ROLLING,
    [
      ['at 2026-03-31T22:30:00Z'],
      ['reserve R 6 for=3600', 'open 6 credits'],
      ['at 2026-04-01T00:40:00Z'],
      ['usage', '0 used, 20 credits'],
    ],
  ],
  [
    'a commit below zero does not take what another hold has paid for',
    calls({ included: units('5'), price: perUnit('10'), minLimit: 0n }),
    [
      ['use 5', '5 included'],
      ['reserve R 5', 'open 5 overage (50)'],
      ['reserve S 1', 'open 1 overage (10)'],
      ['commit S -3', '-3 included'],
      ['usage', '2 used, 5 held, 5 overage'],
      ['release R', 'released 5 overage (50)'],
      ['cost', '0'],
    ],
  ],
  [
    'a reversal does not take what a hold has paid for',
    calls({ included: units('5'), price: perUnit('10'), minLimit: 0n }),
    [
      ['use 5', '5 included'],
      ['use 5 as=second', '5 overage (50)'],
      ['use -5', '-5 overage (-50)'],
      ['reserve R 5', 'open 5 overage (50)'],
      ['reverse second', '-5 included'],
      ['usage', '0 used, 5 held, 5 overage'],
      ['release R', 'released 5 overage (50)'],
      ['cost', '0'],
    ],
  ],
];

describeScenes('holds', ROWS);
