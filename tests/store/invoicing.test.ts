/**
 * Goal: every billing period that is over becomes one invoice, whatever happened in it, and however late anybody looks.
 * Method: a customer's months in short commands, by a clock that is moved, and the invoices that come of them; on both
 * databases.
 */
import { beforeAll, expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import type { PlanDefinition } from '../../server/domain/definitions.ts';
import type { LimitFields } from '../../server/domain/feature.ts';
import type { BillingInterval } from '../../server/domain/plan.ts';
import type { Price } from '../../server/domain/price.ts';
import { describeEngines } from '../support/engines.ts';
import { makeInvoices, openInvoiced, told } from './invoicing.ts';
import { perUnit, type Setting, units } from './scene.ts';

const plan = (
  amount: string,
  calls: LimitFields = {},
  { interval = 'month', currency = 'usd' }: { interval?: BillingInterval; currency?: string } = {},
): Omit<PlanDefinition, 'key'> => ({
  ...(amount !== '0' && { prices: [{ amount: units(amount), currency, interval }] }),
  features: new Map([['calls', calls]]),
});

const graduated: Price = {
  ...perUnit('0'),
  model: 'graduated',
  tiers: [
    { upTo: units('100'), unitAmount: units('10'), flatAmount: 0n },
    { upTo: null, unitAmount: units('8'), flatAmount: 0n },
  ],
} as Price;

const ten = { price: perUnit('10') };
const pro = (features: Setting['features'], calls: LimitFields = ten): Setting => ({
  features,
  plans: { pro: plan('2000', calls), max: plan('9000', calls), free: plan('0', { limit: units('5') }) },
  plan: 'pro',
  since: '2026-03-01T00:00:00Z',
});

type Months = readonly [title: string, setting: Setting, steps: readonly string[], invoices: readonly string[]];

const MONTHS: readonly Months[] = [
  [
    '150 calls at 10 cents and a base price of $20.00',
    pro({ calls: {} }),
    ['use 150', 'at 2026-04-01T01:00:00Z', 'bill'],
    ['1: 2026-03-01 – 2026-04-01, 3500 usd: base 2000, calls 150 × 10 = 1500'],
  ],
  [
    '130 GB where 100 are included',
    {
      ...pro({ storage: { aggregation: 'latest' } }),
      plans: {
        pro: { features: new Map([['storage', { included: units('100'), minLimit: 0n, price: perUnit('10') }]]) },
      },
    },
    ['use 130', 'at 2026-04-01T01:00:00Z', 'bill'],
    ['1: 2026-03-01 – 2026-04-01, 300 usd: storage 30 × 10 = 300'],
  ],
  ['nothing before the delay is over', pro({ calls: {} }), ['use 1', 'at 2026-04-01T00:59:59.999Z', 'bill'], []],
  [
    'nothing to pay, no invoice; numbers without a gap',
    { ...pro({ calls: {} }), plan: 'free' },
    ['use 5', 'at 2026-04-01T01:00:00Z', 'bill', 'plan pro', 'use 1', 'at 2026-05-01T01:00:00Z', 'bill'],
    ['1: 2026-04-01 – 2026-05-01, 2007 usd: base 1997, calls 1 × 10 = 10'],
  ],
  [
    'what the wallet has paid is on it, and not due',
    pro({ calls: {} }),
    ['top-up 40', 'use 10', 'at 2026-04-01T01:00:00Z', 'bill'],
    ['1: 2026-03-01 – 2026-04-01, 2100 usd, due 2060: base 2000, calls wallet 4 × 10 = 40, calls 6 × 10 = 60'],
  ],
  [
    'tiers',
    pro({ calls: {} }, { price: graduated }),
    ['use 150', 'at 2026-04-01T01:00:00Z', 'bill'],
    ['1: 2026-03-01 – 2026-04-01, 3400 usd: base 2000, calls 150 = 1400'],
  ],
  [
    'up to the minimum spend, also when more comes late',
    pro({ calls: {} }, { price: { ...perUnit('10'), minimumSpend: units('500') } }),
    [
      'use 10',
      'at 2026-04-01T01:00:00Z',
      'bill',
      'record 60 at=2026-03-20T00:00:00Z',
      'at 2026-05-01T01:00:00Z',
      'bill',
    ],
    [
      '1: 2026-03-01 – 2026-04-01, 2500 usd: base 2000, calls 10 × 10 = 100, calls minimum 400',
      '2: 2026-04-01 – 2026-05-01, 2200 usd: base 2000, adjusted calls 60 × 10 = 600, adjusted calls minimum -400',
    ],
  ],
  [
    'an upgrade and a downgrade in the month',
    pro({ calls: {} }),
    [
      'at 2026-03-11T00:00:00Z',
      'plan max',
      'use 2',
      'at 2026-04-01T01:00:00Z',
      'bill',
      'plan pro at_renewal',
      'at 2026-06-01T01:00:00Z',
      'bill',
    ],
    [
      '1: 2026-03-01 – 2026-04-01, 6762 usd: base 645, base 6097, calls 2 × 10 = 20',
      '2: 2026-04-01 – 2026-05-01, 9000 usd: base 9000',
      '3: 2026-05-01 – 2026-06-01, 2000 usd: base 2000',
    ],
  ],
  [
    'late use is an adjustment on the next invoice, and what is taken back as well',
    pro({ calls: {} }),
    [
      'use 150 as=it',
      'at 2026-04-01T01:00:00Z',
      'bill',
      'record 7 at=2026-03-31T12:00:00Z',
      'at 2026-05-01T01:00:00Z',
      'bill',
      'reverse it',
      'at 2026-06-01T01:00:00Z',
      'bill',
    ],
    [
      '1: 2026-03-01 – 2026-04-01, 3500 usd: base 2000, calls 150 × 10 = 1500',
      '2: 2026-04-01 – 2026-05-01, 2070 usd: base 2000, adjusted calls 7 × 10 = 70',
      '3: 2026-05-01 – 2026-06-01, 500 usd: base 2000, adjusted calls -150 × 10 = -1500',
    ],
  ],
  [
    'late use within the delay is on the invoice itself',
    pro({ calls: {} }),
    [
      'use 1',
      'at 2026-04-01T00:30:00Z',
      'record 2 at=2026-03-31T23:00:00Z',
      'use 5',
      'at 2026-04-01T01:00:00Z',
      'bill',
    ],
    ['1: 2026-03-01 – 2026-04-01, 2030 usd: base 2000, calls 3 × 10 = 30'],
  ],
  [
    'late use where there was none, by one who has nothing else to pay',
    { ...pro({ calls: {} }, ten), plans: { pro: plan('0', ten) } },
    ['at 2026-04-01T01:00:00Z', 'bill', 'record 3 at=2026-03-31T12:00:00Z', 'at 2026-05-01T01:00:00Z', 'bill'],
    ['1: 2026-04-01 – 2026-05-01, 30 usd: adjusted calls 3 × 10 = 30'],
  ],
  [
    'a hold counts, and is taken off where it was not used',
    pro({ calls: {} }),
    [
      'at 2026-03-31T23:50:00Z',
      'reserve A 4 for=7200',
      'at 2026-04-01T01:00:00Z',
      'bill',
      'release A',
      'at 2026-05-01T01:00:00Z',
      'bill',
    ],
    [
      '1: 2026-03-01 – 2026-04-01, 2040 usd: base 2000, calls 4 × 10 = 40',
      '2: 2026-04-01 – 2026-05-01, 1960 usd: base 2000, adjusted calls -4 × 10 = -40',
    ],
  ],
  [
    'fractions of a cent are rounded once, however often a period is adjusted',
    { ...pro({ calls: {} }), plans: { pro: plan('0', { price: perUnit('0.4') }) } },
    [
      'use 1',
      'at 2026-04-01T01:00:00Z',
      'bill',
      'record 1 at=2026-03-31T12:00:00Z',
      'at 2026-05-01T01:00:00Z',
      'bill',
      'record 3 at=2026-04-05T12:00:00Z',
      'at 2026-06-01T01:00:00Z',
      'bill',
    ],
    [
      '1: 2026-04-01 – 2026-05-01, 1 usd: adjusted calls 2 × 0.4 = 1',
      '2: 2026-05-01 – 2026-06-01, 1 usd: adjusted calls 3 × 0.4 = 1',
    ],
  ],
  [
    'two currencies, an invoice each',
    {
      ...pro({ calls: {}, exports: {} }),
      plans: {
        pro: {
          prices: [{ amount: units('2000'), currency: 'eur', interval: 'month' }],
          features: new Map([
            ['calls', ten],
            ['exports', { price: { ...perUnit('3'), currency: 'eur' } }],
          ]),
        },
      },
    },
    ['use 2', 'use 5 of=exports', 'at 2026-04-01T01:00:00Z', 'bill'],
    [
      '1: 2026-03-01 – 2026-04-01, 2015 eur: base 2000, exports 5 × 3 = 15',
      '2: 2026-03-01 – 2026-04-01, 20 usd: calls 2 × 10 = 20',
    ],
  ],
  [
    'months anchored to the 31st, in a zone whose clocks change',
    { ...pro({ calls: { anchor: 'subscription' } }), since: '2026-01-30T23:00:00Z', timeZone: 'Europe/Berlin' },
    ['use 1', 'at 2026-05-01T00:00:00Z', 'use 1', 'bill'],
    [
      '1: 2026-01-30T23:00 – 2026-02-27T23:00, 2010 usd: base 2000, calls 1 × 10 = 10',
      '2: 2026-02-27T23:00 – 2026-03-30T22:00, 2000 usd: base 2000',
      '3: 2026-03-30T22:00 – 2026-04-29T22:00, 2000 usd: base 2000',
    ],
  ],
  [
    'months that nobody looked at, one after the other, with a level that went on',
    {
      ...pro({ storage: { aggregation: 'latest' } }),
      plans: {
        pro: { features: new Map([['storage', { included: units('100'), minLimit: 0n, price: perUnit('10') }]]) },
      },
    },
    ['use 130', 'at 2026-07-01T05:00:00Z', 'bill'],
    [
      '1: 2026-03-01 – 2026-04-01, 300 usd: storage 30 × 10 = 300',
      '2: 2026-04-01 – 2026-05-01, 300 usd: storage 30 × 10 = 300',
      '3: 2026-05-01 – 2026-06-01, 300 usd: storage 30 × 10 = 300',
      '4: 2026-06-01 – 2026-07-01, 300 usd: storage 30 × 10 = 300',
    ],
  ],
  [
    'a counter that never resets, bit by bit',
    { ...pro({ calls: { reset: 'never' } }), plans: { pro: plan('0', ten) } },
    [
      'use 3',
      'at 2026-04-01T01:00:00Z',
      'bill',
      'use 4',
      'at 2026-05-01T01:00:00Z',
      'bill',
      'at 2026-06-01T01:00:00Z',
      'bill',
    ],
    ['1: 2026-03-01 – 2026-04-01, 30 usd: calls 3 × 10 = 30', '2: 2026-04-01 – 2026-05-01, 40 usd: calls 4 × 10 = 40'],
  ],
  [
    'a feature whose months are not those of the bill, when each is over',
    { ...pro({ calls: {} }), since: '2026-03-10T00:00:00Z' },
    ['use 3', 'at 2026-04-05T00:00:00Z', 'use 4', 'at 2026-05-10T01:00:00Z', 'bill'],
    [
      '1: 2026-03-10 – 2026-04-10, 2030 usd: base 2000, calls 3 × 10 = 30',
      '2: 2026-04-10 – 2026-05-10, 2040 usd: base 2000, calls 4 × 10 = 40',
    ],
  ],
  [
    'a plan of another interval, from where it begins',
    {
      ...pro({ calls: {} }),
      plans: {
        pro: plan('3100', ten),
        yearly: plan('36500', ten, { interval: 'year' }),
        weekly: plan('700', ten, { interval: 'week' }),
      },
    },
    [
      'use 1',
      'at 2026-03-11T00:00:00Z',
      'plan yearly immediately',
      'use 2',
      'at 2026-04-10T00:00:00Z',
      'plan weekly immediately',
      'at 2026-04-16T12:00:00Z',
      'bill',
    ],
    [
      '1: 2026-03-01 – 2026-03-11, 1000 usd: base 1000',
      '2: 2026-03-11 – 2026-04-10, 3030 usd: base 3000, calls 3 × 10 = 30',
      '3: 2026-04-10 – 2026-04-12, 200 usd: base 200',
    ],
  ],
  [
    'what a plan charged in another currency stays in it',
    {
      ...pro({ calls: {} }),
      plans: { pro: plan('0', { price: { ...perUnit('7'), currency: 'eur' } }), max: plan('0', ten) },
    },
    ['use 2', 'at 2026-03-11T00:00:00Z', 'plan max immediately', 'at 2026-04-01T01:00:00Z', 'bill'],
    ['1: 2026-03-01 – 2026-04-01, 14 eur: calls 2 = 14'],
  ],
];

describeEngines('invoices', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  it.each(MONTHS)('%s', async (_, setting, steps, invoices) => {
    const scene = await openInvoiced(database, setting);
    await makeInvoices(scene); // begins the tenant's book
    for (const step of steps) {
      if (step === 'bill') await makeInvoices(scene);
      else await scene.tell(step);
    }
    expect(await told(scene)).toEqual(invoices);
    expect(await makeInvoices(scene)).toBe(0);
  });
});
