/**
 * Goal: rate limits of the customer and of a feature hold together, each exactly, and a refusal by one leaves the others as
 * they were. Method: tables worked out by hand, on both engines.
 */
import type { LimitFields } from '../../server/domain/feature.ts';
import type { RateLimit } from '../../server/domain/rate-limit.ts';
import { describeScenes, type Row, type Setting, units } from './scene.ts';

const per = (limit: number, seconds: number): RateLimit => ({ limit, windowMs: seconds * 1_000 });
const limited = (ofPlan: readonly RateLimit[], calls: LimitFields = {}): Setting => ({
  features: { calls: { thresholds: [], ...calls }, jobs: {} },
  plans: {
    pro: {
      rateLimits: ofPlan,
      features: new Map<string, LimitFields>([
        ['calls', {}],
        ['jobs', {}],
      ]),
    },
  },
  plan: 'pro',
});

const ROWS: readonly Row[] = [
  [
    'of the customer: all features together',
    limited([per(3, 60)]),
    [
      ['use 5', '5 included'],
      ['use 1 of=jobs', '1 included'],
      ['at 2026-03-15T12:00:30Z'],
      ['use 1', '1 included'],
      ['use 1', 'RATE_LIMITED'],
      ['use 1 of=jobs', 'RATE_LIMITED'],
      ['use 1 mode=OVERFLOW', 'RATE_LIMITED'],
      ['reserve R 1', 'RATE_LIMITED'],
      ['record 1', '1 included'],
      ['at 2026-03-15T12:00:59.999Z'],
      ['use 1', 'RATE_LIMITED'],
      ['at 2026-03-15T12:01:00Z'],
      ['use 1', '1 included'],
    ],
  ],
  [
    'of a feature alone',
    limited([], { rateLimits: [per(1, 60)] }),
    [
      ['use 1', '1 included'],
      ['use 1', 'RATE_LIMITED'],
      ['use 1 of=jobs', '1 included'],
      ['use 1 of=jobs', '1 included'],
    ],
  ],
  [
    'several at once: a refusal by one leaves the others untouched',
    limited([per(2, 60)], { rateLimits: [per(1, 10)] }),
    [
      ['use 1', '1 included'],
      ['use 1', 'RATE_LIMITED'],
      ['use 1', 'RATE_LIMITED'],
      ['at 2026-03-15T12:00:10Z'],
      ['use 1', '1 included'],
      ['at 2026-03-15T12:00:20Z'],
      ['use 1', 'RATE_LIMITED'],
      ['use 1 of=jobs', 'RATE_LIMITED'],
      ['at 2026-03-15T12:01:00Z'],
      ['use 1', '1 included'],
    ],
  ],
  [
    'two windows of one customer',
    limited([per(2, 1), per(3, 60)]),
    [
      ['use 1'],
      ['use 1'],
      ['use 1', 'RATE_LIMITED'],
      ['at 2026-03-15T12:00:01Z'],
      ['use 1', '1 included'],
      ['use 1', 'RATE_LIMITED'],
      ['at 2026-03-15T12:00:02Z'],
      ['use 1', 'RATE_LIMITED'],
    ],
  ],
  [
    'what is refused for another reason takes no place',
    limited([per(2, 60)], { limit: units('1') }),
    [
      ['use 1', '1 included'],
      ['use 1', 'LIMIT_REACHED'],
      ['use 1', 'LIMIT_REACHED'],
      ['use 1 of=jobs', '1 included'],
      ['use 1', 'RATE_LIMITED'],
    ],
  ],
  [
    'a hold takes one place, and its commit none',
    limited([per(2, 60)]),
    [
      ['reserve R 1', 'open 1 included'],
      ['commit R', '1 included'],
      ['use 1', '1 included'],
      ['use 1', 'RATE_LIMITED'],
    ],
  ],
  [
    'a key that is known is answered again',
    limited([per(1, 60)]),
    [
      ['use 1 key=k', '1 included'],
      ['use 1 key=k', '1 included again'],
      ['use 1 key=l', 'RATE_LIMITED'],
      ['at 2026-03-15T12:01:00Z'],
      ['use 1 key=l', 'RATE_LIMITED'],
      ['use 1 key=m', '1 included'],
    ],
  ],
];

describeScenes('rate limits', ROWS);
