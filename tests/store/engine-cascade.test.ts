/**
 * Goal: one call is paid by what is included, then grants, wallet, overage, exactly, in each mode; the first bound in the
 * order of refusal is the one reported. Method: tables worked out by hand, on both engines.
 */
import type { LimitFields } from '../../server/domain/feature.ts';
import { describeScenes, perUnit, type Row, type Setting, type Step, units } from './scene.ts';

const calls = (fields: LimitFields): Setting => ({
  features: { calls: { included: units('2'), price: perUnit('10'), thresholds: [], ...fields } },
});
/** 2 included, 3 credits, money for 2 units and a half. */
const FUNDS: readonly Step[] = [['grant A 3'], ['top-up 25']];

const ROWS: readonly Row[] = [
  [
    'a call each, over every boundary',
    calls({}),
    [
      ...FUNDS,
      ['use 1', '1 included'],
      ['use 5', '1 included + 3 credits + 1 wallet (10)'],
      ['use 4', '1 wallet (10) + 3 overage (30)'],
      ['use 1', '1 overage (10)'],
      ['usage', '11 used, 4 overage, 5 in wallet'],
      ['cost', '40'],
    ],
  ],
  [
    'all in one call',
    calls({}),
    [...FUNDS, ['use 8.5', '2 included + 3 credits + 2 wallet (20) + 1.5 overage (15)'], ['wallet', '5']],
  ],
  [
    'given back in the other order',
    calls({ minLimit: 0n }),
    [
      ...FUNDS,
      ['use 8.5', '2 included + 3 credits + 2 wallet (20) + 1.5 overage (15)'],
      ['use -2', '-0.5 wallet (-5) + -1.5 overage (-15)'],
      ['use -2', '-0.5 credits + -1.5 wallet (-15)'],
      ['use -3', '-0.5 included + -2.5 credits'],
      ['usage', '1.5 used, 3 credits, 25 in wallet'],
      ['use 1', '0.5 included + 0.5 credits'],
      ['cost', '0'],
    ],
  ],
  [
    'a hard limit: CLAMP takes what fits under it',
    calls({ limit: units('10'), enforcement: 'hard' }),
    [
      ...FUNDS,
      ['use 15', 'LIMIT_REACHED'],
      ['use 15 mode=CLAMP', '2 included + 3 credits + 2 wallet (20) + 3 overage (30)'],
      ['use 1 mode=CLAMP', 'LIMIT_REACHED'],
      ['use 1 mode=OVERFLOW', '1 overage (10)'],
    ],
  ],
  [
    'a soft limit bounds nothing',
    calls({ limit: units('3'), enforcement: 'soft', included: units('3') }),
    [
      ['use 5', '3 included + 2 overage (20)'],
      ['usage', '5 used, 0 left, 2 overage'],
    ],
  ],
  [
    'prepaid: nothing beyond credits and wallet',
    calls({ billing: 'prepaid' }),
    [
      ...FUNDS,
      ['use 8', 'INSUFFICIENT_FUNDS'],
      ['use 8 mode=CLAMP', '2 included + 3 credits + 2 wallet (20)'],
      ['use 1 mode=OVERFLOW', '1 overage (10)'],
      ['record 1', '1 overage (10)'],
    ],
  ],
  [
    'prepaid: exactly all there is',
    calls({ billing: 'prepaid' }),
    [...FUNDS, ['use 7.5', '2 included + 3 credits + 2.5 wallet (25)'], ['use 0.000000001', 'INSUFFICIENT_FUNDS']],
  ],
  [
    'order of refusal: units, then spend, then funds',
    calls({ included: 0n, limit: units('5'), enforcement: 'hard', spendLimit: units('20'), billing: 'prepaid' }),
    [
      ['top-up 10'],
      ['use 6', 'LIMIT_REACHED'],
      ['use 5', 'SPEND_LIMIT_REACHED'],
      ['use 2', 'INSUFFICIENT_FUNDS'],
      ['use 2 mode=CLAMP', '1 wallet (10)'],
      ['use 1 mode=CLAMP', 'INSUFFICIENT_FUNDS'],
      ['top-up 100'],
      ['use 9 mode=CLAMP', '1 wallet (10)'],
      ['use 1 mode=CLAMP', 'SPEND_LIMIT_REACHED'],
      ['use 6 mode=OVERFLOW', '6 wallet (60)'],
      ['use 1 mode=CLAMP', 'LIMIT_REACHED'],
    ],
  ],
  [
    'what is free passes though the wallet is below zero',
    calls({ billing: 'prepaid' }),
    [
      ['floor -20'],
      ['use 4', '2 included + 2 wallet (20)'],
      ['grant A 1'],
      ['use 1', '1 credits'],
      ['use 1', 'INSUFFICIENT_FUNDS'],
    ],
  ],
  [
    'soft without a price: beyond what is included it is overage that costs nothing',
    { features: { calls: { limit: units('2'), enforcement: 'soft', thresholds: [] } } },
    [['grant A 1'], ['use 4', '2 included + 1 credits + 1 overage (0)']],
  ],
  [
    'every verb by its key says the first answer again',
    calls({ minLimit: 0n }),
    [
      ...FUNDS,
      ['use 6 key=u', '2 included + 3 credits + 1 wallet (10)'],
      ['use 6 key=u', '2 included + 3 credits + 1 wallet (10) again'],
      ['use 7 key=u', 'IDEMPOTENCY_CONFLICT'],
      ['record 1 key=r at=2026-03-15T11:00:00Z', '1 wallet (10)'],
      ['record 1 key=r at=2026-03-15T11:00:00Z', '1 wallet (10) again'],
      ['reserve R 2 key=h', 'open 2 overage (20)'],
      ['reserve S 2 key=h', 'open 2 overage (20) again'],
      ['commit R 1 key=c as=committed', '1 overage (10)'],
      ['commit R 1 key=c', '1 overage (10) again'],
      ['reserve T 2'],
      ['release T key=l', 'released 2 overage (20)'],
      ['release T key=l', 'released 2 overage (20) again'],
      ['reverse committed key=v', '-1 overage (-10)'],
      ['reverse committed key=v', '-1 overage (-10) again'],
      ['reset key=z', '0 used, 5 in wallet'],
      ['reset key=z', '0 used, 5 in wallet again'],
      ['use 1 mode=OVERFLOW key=d', '1 included'],
    ],
  ],
];

describeScenes('the cascade', ROWS);
