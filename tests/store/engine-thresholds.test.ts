/**
 * Goal: each kind of threshold raises its alert when it is crossed, once in a period, and again where it should. Method: tables
 * worked out by hand, on both engines.
 */
import type { LimitFields } from '../../server/domain/feature.ts';
import type { Threshold } from '../../server/domain/threshold.ts';
import { describeScenes, perUnit, type Row, type Setting, units } from './scene.ts';

const at = (kind: Threshold['kind'], value: string): Threshold => ({ kind, value: units(value) });
const calls = (thresholds: readonly Threshold[], fields: LimitFields = { limit: units('10') }): Setting => ({
  features: { calls: { minLimit: 0n, thresholds, ...fields } },
});

const ROWS: readonly Row[] = [
  [
    'a fraction of the limit, at or above',
    calls([at('fraction', '0.5')]),
    [
      ['use 4.999999999', '4.999999999 included'],
      ['use 0.000000001', '0.000000001 included ! fraction:0.5@10'],
      ['use 1', '1 included'],
      ['use -3'],
      ['use 3', '3 included'],
      ['at 2026-04-01T00:00:00Z'],
      ['use 5', '5 included ! fraction:0.5@10'],
    ],
  ],
  ['units used', calls([at('used', '3')]), [['use 3', '3 included ! used:3']]],
  [
    'units remaining, at or below',
    calls([at('remaining', '2')]),
    [
      ['use 7', '7 included'],
      ['use 1', '1 included ! remaining:2@10'],
    ],
  ],
  [
    'a fraction remaining',
    calls([at('remaining_fraction', '0.1')]),
    [
      ['use 8', '8 included'],
      ['use 1', '1 included ! remaining_fraction:0.1@10'],
    ],
  ],
  [
    'money',
    calls([at('spend', '25')], { included: units('1'), price: perUnit('10') }),
    [
      ['use 3', '1 included + 2 overage (20)'],
      ['use 1', '1 overage (10) ! spend:25'],
    ],
  ],
  [
    'every so many: a step each, and none a second time',
    calls([at('every', '10')], { limit: null }),
    [
      ['use 25', '25 included ! every:10#10 ! every:10#20'],
      ['use 5', '5 included ! every:10#30'],
      ['use -15'],
      ['use 15', '15 included'],
      ['use 10', '10 included ! every:10#40'],
      ['alerts', 'every:10#10, every:10#20, every:10#30, every:10#40'],
    ],
  ],
  [
    'falling',
    calls([{ kind: 'used', value: units('5'), falling: true }]),
    [['use 6', '6 included'], ['use -1', '-1 included ! used:5:falling'], ['use 3'], ['use -4', '-4 included']],
  ],
  [
    'a jump over several raises each, in their order',
    calls([at('fraction', '0.5'), at('used', '7'), at('fraction', '1')]),
    [['use 10', '10 included ! fraction:0.5@10 ! used:7 ! fraction:1@10']],
  ],
  [
    'without a limit, a fraction of what is included and allocated',
    calls([at('fraction', '0.5')], {
      limit: null,
      included: units('10'),
      credits: { allocation: units('10'), onRenewal: 'reset', reset: null, priority: 0 },
    }),
    [
      ['use 9', '9 included'],
      ['use 1', '1 included ! fraction:0.5@20'],
    ],
  ],
  ['without either there is none', calls([at('fraction', '0.5')], { limit: null }), [['use 99', '99 included']]],
  [
    'another limit arms it again',
    {
      ...calls([at('fraction', '0.5')], {}),
      plans: {
        small: { features: new Map([['calls', { limit: units('10') }]]) },
        large: { features: new Map([['calls', { limit: units('20') }]]) },
      },
      plan: 'small',
    },
    [
      ['use 5', '5 included ! fraction:0.5@10'],
      ['plan large'],
      ['use 1', '1 included'],
      ['use 4', '4 included ! fraction:0.5@20'],
      ['plan small immediately'],
      ['use 1 mode=OVERFLOW', '1 overage (0)'],
    ],
  ],
  [
    'what is held has not been used',
    calls([at('used', '3')]),
    [
      ['reserve R 5', 'open 5 included'],
      ['commit R 3', '3 included ! used:3'],
    ],
  ],
  [
    'a commit of more raises each once',
    calls([at('used', '3'), at('used', '6')]),
    [['reserve R 3'], ['commit R 6', '6 included ! used:3 ! used:6'], ['alerts', 'used:3, used:6']],
  ],
];

describeScenes('thresholds', ROWS);
