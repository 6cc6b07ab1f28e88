/**
 * Goal: prepaid money pays for whole units and nothing of it is lost: top-ups, refunds, floors, price models, spend limits,
 * top-ups asked for. Method: tables worked out by hand, on both engines.
 */
import type { LimitFields } from '../../server/domain/feature.ts';
import type { Price, Tier } from '../../server/domain/price.ts';
import type { WalletRule } from '../../server/domain/wallet.ts';
import { describeScenes, perUnit, type Row, type Setting, units } from './scene.ts';

const prepaid = (price: Price, fields: LimitFields = {}): Setting => ({
  features: { calls: { price, billing: 'prepaid', thresholds: [], ...fields } },
});
const postpaid = (price: Price, fields: LimitFields = {}): Setting => ({
  features: { calls: { price, thresholds: [], ...fields } },
});

const usd = { currency: 'usd', minimumSpend: null, maximumSpend: null } as const;
const tier = (upTo: string | null, unitAmount: string, flatAmount = '0'): Tier => ({
  upTo: upTo === null ? null : units(upTo),
  unitAmount: units(unitAmount),
  flatAmount: units(flatAmount),
});
const GRADUATED: Price = { ...usd, model: 'graduated', tiers: [tier('2', '10'), tier(null, '5')] };
const VOLUME: Price = { ...usd, model: 'volume', tiers: [tier('2', '10'), tier(null, '5')] };
const STAIRS: Price = { ...usd, model: 'stairstep', tiers: [tier('2', '0', '10'), tier(null, '0', '25')] };
const PACKAGE: Price = { ...usd, model: 'package', packageAmount: units('100'), packageSize: units('10') };
const PERCENT: Price = { ...usd, model: 'percentage', percent: units('2.9') };

const WALLET: WalletRule = {
  currency: 'usd',
  floor: 0n,
  autoTopUp: { threshold: units('50'), amount: units('100'), maxPerMonth: 2, coolOffMs: 24 * 3_600_000 },
};

const ROWS: readonly Row[] = [
  [
    'whole units; all that is asked where the money suffices; the rest of it stays',
    prepaid(perUnit('10')),
    [
      ['use 1', 'INSUFFICIENT_FUNDS'],
      ['top-up 35', '35'],
      ['use 3', '3 wallet (30)'],
      ['use 1', 'INSUFFICIENT_FUNDS'],
      ['use 1 mode=CLAMP', 'INSUFFICIENT_FUNDS'],
      ['top-up 10', '15'],
      ['use 5 mode=CLAMP', '1 wallet (10)'],
      ['use 0.5', '0.5 wallet (5)'],
      ['wallet', '0'],
      ['usage', '4.5 used, 0 in wallet'],
      ['use 2 mode=OVERFLOW', '2 overage (20)'],
      ['cost', '20'],
    ],
  ],
  [
    'what is spent on several features is a sum that must fit',
    { features: { calls: { price: perUnit('1'), thresholds: [] }, jobs: { price: perUnit('1'), thresholds: [] } } },
    [
      ['use 99999999999999999999999999999', '99999999999999999999999999999 overage (99999999999999999999999999999)'],
      ['use 1 of=jobs', 'INVALID_AMOUNT'],
      ['use 0.999999999 of=jobs', '0.999999999 overage (0.999999999)'],
      ['use 0.000000001 of=jobs', 'INVALID_AMOUNT'],
      ['at 2026-04-01T00:00:00Z'],
      ['use 1 of=jobs', '1 overage (1)'],
    ],
  ],
  [
    'what is put in is a sum that must fit',
    prepaid(perUnit('1')),
    [
      ['top-up 99999999999999999999999999999', '99999999999999999999999999999'],
      ['use 1', '1 wallet (1)'],
      ['top-up 2', 'INVALID_AMOUNT'],
      ['top-up 1.999999999', '99999999999999999999999999999.999999999'],
      ['top-up 0.000000001', 'INVALID_AMOUNT'],
      ['wallet', '99999999999999999999999999999.999999999'],
    ],
  ],
  [
    'money is paid out only as far as it is there',
    prepaid(perUnit('10')),
    [
      ['top-up -5', 'INSUFFICIENT_BALANCE'],
      ['top-up 20', '20'],
      ['top-up -21', 'INSUFFICIENT_BALANCE'],
      ['top-up -20', '0'],
      ['wallet', '0'],
    ],
  ],
  [
    'the same key moves money once',
    prepaid(perUnit('10')),
    [
      ['top-up 20 key=k', '20'],
      ['top-up 20 key=k', '20 again'],
      ['top-up 30 key=k', 'IDEMPOTENCY_CONFLICT'],
      ['floor -5 key=f', '20'],
      ['floor -5 key=f', '20 again'],
      ['wallet', '20'],
    ],
  ],
  [
    'a floor below zero is a credit line',
    prepaid(perUnit('10')),
    [
      ['floor -100', '0'],
      ['use 11', 'INSUFFICIENT_FUNDS'],
      ['use 10', '10 wallet (100)'],
      ['wallet', '-100'],
      ['use 1', 'INSUFFICIENT_FUNDS'],
      ['top-up -1', 'INSUFFICIENT_BALANCE'],
      ['floor plan', '-100'],
      ['top-up 105', '5'],
      ['use 1', 'INSUFFICIENT_FUNDS'],
      ['top-up 5', '10'],
      ['use 1', '1 wallet (10)'],
    ],
  ],
  [
    'graduated: each unit at its own tier',
    prepaid(GRADUATED),
    [
      ['top-up 27'],
      ['use 4', 'INSUFFICIENT_FUNDS'],
      ['use 4 mode=CLAMP', '3 wallet (25)'],
      ['top-up 3', '5'],
      ['use 1', '1 wallet (5)'],
    ],
  ],
  [
    'volume, billed at the end: the tier of the total holds for all',
    postpaid(VOLUME),
    [
      ['use 2', '2 overage (20)'],
      ['use 1', '1 overage (-5)'],
      ['cost', '15'],
      ['use 1', '1 overage (5)'],
      ['cost', '20'],
    ],
  ],
  [
    'stairstep: a flat fee for each step',
    prepaid(STAIRS),
    [
      ['top-up 30'],
      ['use 1', '1 wallet (10)'],
      ['use 1', '1 wallet (0)'],
      ['use 1', '1 wallet (15)'],
      ['use 7', '7 wallet (0)'],
      ['wallet', '5'],
    ],
  ],
  [
    'package: every begun one',
    prepaid(PACKAGE),
    [
      ['top-up 150'],
      ['use 4', '4 wallet (100)'],
      ['use 7', 'INSUFFICIENT_FUNDS'],
      ['use 7 mode=CLAMP', '6 wallet (0)'],
      ['wallet', '50'],
    ],
  ],
  [
    'percentage of an amount of money',
    postpaid(PERCENT),
    [
      ['top-up 30'],
      ['use 1000', '1000 wallet (29)'],
      ['use 100', '34 wallet (0.986) + 66 overage (1.914)'],
      ['wallet', '0.014'],
    ],
  ],
  [
    'most a period costs',
    postpaid({ ...perUnit('10'), maximumSpend: units('25') }),
    [
      ['use 2', '2 overage (20)'],
      ['use 2', '2 overage (5)'],
      ['use 9', '9 overage (0)'],
      ['cost', '25'],
    ],
  ],
  [
    'billed at the end: the wallet first, then overage',
    postpaid(perUnit('10')),
    [
      ['top-up 25'],
      ['use 5', '2 wallet (20) + 3 overage (30)'],
      ['cost', '30'],
      ['usage', '5 used, 3 overage, 5 in wallet'],
      ['at 2026-04-01T00:00:00Z'],
      ['cost', '0'],
      ['usage', '0 used, 5 in wallet'],
    ],
  ],
  [
    'a reversed use puts its money back',
    postpaid(perUnit('10')),
    [
      ['top-up 45'],
      ['use 3 as=first', '3 wallet (30)'],
      ['use 3', '1 wallet (10) + 2 overage (20)'],
      ['reverse first', '-3 wallet (-30)'],
      ['wallet', '35'],
      ['cost', '20'],
    ],
  ],
  [
    'asks for money when it runs low, no more often than it may',
    {
      ...prepaid(perUnit('10')),
      plans: { pro: { wallet: WALLET, features: new Map([['calls', {}]]) } },
      plan: 'pro',
    },
    [
      ['top-up 60'],
      ['use 1'],
      ['top-ups', 'none'],
      ['use 1'],
      ['top-ups', 'asked 100'],
      ['use 1'],
      ['top-ups', 'asked 100'],
      ['top-up-was paid', '130'],
      ['top-up-was paid', '130 again'],
      ['use 9'],
      ['top-ups', 'paid 100, asked 100'],
      ['top-up-was failed', '40'],
      ['top-up 20'],
      ['use 2'],
      ['top-ups', 'paid 100, failed 100'],
      ['at 2026-03-17T12:00:00Z'],
      ['use 1'],
      ['top-ups', 'paid 100, failed 100'],
      ['at 2026-04-01T00:00:00Z'],
      ['use 1'],
      ['top-ups', 'paid 100, failed 100, asked 100'],
    ],
  ],
  [
    'what was asked for is what is put in, whatever the plan says by then',
    {
      ...prepaid(perUnit('10')),
      plans: {
        pro: { wallet: WALLET, features: new Map([['calls', {}]]) },
        plain: { features: new Map([['calls', {}]]) },
      },
      plan: 'pro',
    },
    [
      ['top-up 55'],
      ['use 1'],
      ['top-ups', 'asked 100'],
      ['plan plain IMMEDIATELY'],
      ['top-up-was paid', '145'],
      ['top-ups', 'paid 100'],
    ],
  ],
  [
    'a feature that is billed at the end asks for none',
    {
      ...postpaid(perUnit('10')),
      plans: {
        pro: {
          wallet: WALLET,
          features: new Map<string, LimitFields>([
            ['calls', {}],
            ['jobs', { price: perUnit('10'), billing: 'prepaid' }],
          ]),
        },
      },
      features: { calls: { price: perUnit('10'), thresholds: [] }, jobs: {} },
      plan: 'pro',
    },
    [['top-up 20'], ['use 1', '1 wallet (10)'], ['top-ups', 'none'], ['use 1 of=jobs'], ['top-ups', 'asked 100']],
  ],
  [
    'a spend limit of the feature, for a period',
    postpaid(perUnit('10'), { spendLimit: units('55') }),
    [
      ['use 6', 'SPEND_LIMIT_REACHED'],
      ['use 6 mode=CLAMP', '5 overage (50)'],
      ['use 0.5', '0.5 overage (5)'],
      ['use 0.1', 'SPEND_LIMIT_REACHED'],
      ['use 1 mode=OVERFLOW', '1 overage (10)'],
      ['record 1', '1 overage (10)'],
      ['at 2026-04-01T00:00:00Z'],
      ['use 5', '5 overage (50)'],
    ],
  ],
  [
    'a spend limit of the customer, for all features and a calendar month',
    {
      features: {
        calls: { price: perUnit('10'), thresholds: [], reset: 'daily' },
        jobs: { price: perUnit('20'), thresholds: [] },
      },
      plans: {
        pro: {
          spendLimit: { amount: units('50'), currency: 'usd' },
          features: new Map([
            ['calls', {}],
            ['jobs', {}],
          ]),
        },
      },
      plan: 'pro',
    },
    [
      ['top-up 10'],
      ['use 3 as=first', '1 wallet (10) + 2 overage (20)'],
      ['use 2 of=jobs', 'SPEND_LIMIT_REACHED'],
      ['use 2 of=jobs mode=CLAMP', '1 overage (20)'],
      ['at 2026-03-16T12:00:00Z'],
      ['use 1', 'SPEND_LIMIT_REACHED'],
      ['reverse first', '-1 wallet (-10) + -2 overage (-20)'],
      ['use 3', '1 wallet (10) + 2 overage (20)'],
      ['at 2026-04-01T00:00:00Z'],
      ['use 5', '5 overage (50)'],
    ],
  ],
];

describeScenes('the wallet', ROWS);
