/**
 * Goal: an invoice says what is owed and always adds up. Method: invoices written out line by line, one row a case, and
 * laws over any base prices and any use.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type BaseCharge,
  type Invoice,
  type InvoiceLine,
  invoiceOf,
  projectedCharge,
  type UsageCharge,
} from './invoice.ts';
import type { Period } from './period.ts';
import { costOf, type Price } from './price.ts';
import { formatUnits, multiplyUnits, ONE, roundToWhole, type Units, unitsOf } from './units.ts';

const june = { startMs: Date.UTC(2026, 5), endMs: Date.UTC(2026, 6) } as const;
const at = (day: number): number => june.startMs + day * 86_400_000;
const BASICS = { currency: 'usd', minimumSpend: null, maximumSpend: null } as const;
const perUnit = (unitAmount: string): Price => ({ ...BASICS, model: 'per_unit', unitAmount: unitsOf(unitAmount) });
const tiered = (model: 'graduated' | 'volume'): Price => ({
  ...BASICS,
  model,
  tiers: [
    { upTo: unitsOf('100'), unitAmount: unitsOf('10'), flatAmount: 0n },
    { upTo: null, unitAmount: unitsOf('8'), flatAmount: 0n },
  ],
});
const packages: Price = { ...BASICS, model: 'package', packageAmount: unitsOf('500'), packageSize: unitsOf('100') };
const atLeast = (minimumSpend: string, price: Price): Price => ({ ...price, minimumSpend: unitsOf(minimumSpend) });
const atMost = (maximumSpend: string, price: Price): Price => ({ ...price, maximumSpend: unitsOf(maximumSpend) });
const inCurrency = (currency: string, price: Price): Price => ({ ...price, currency });

const base = (amount: string, fields: Partial<BaseCharge> = {}): BaseCharge => ({
  planName: 'Pro',
  price: { amount: unitsOf(amount), currency: 'usd' },
  period: june,
  applied: null,
  ...fields,
});

type Used = { readonly wallet?: string; readonly overage?: string; readonly used?: string };
/** Use of API calls in June, priced by the price alone; wallet units were used first. */
function calls(price: Price, { wallet = '0', overage = '0', used }: Used): UsageCharge {
  const [walletUnits, overageUnits] = [unitsOf(wallet), unitsOf(overage)];
  return {
    featureKey: 'api_calls',
    featureName: 'API calls',
    price,
    period: june,
    used: used === undefined ? walletUnits + overageUnits : unitsOf(used),
    wallet: walletUnits,
    walletCharge: costOf(price, walletUnits),
    overage: overageUnits,
    cost: costOf(price, walletUnits + overageUnits),
  };
}

/** `overage API calls: 5 × 10 = 50 usd`, then `total 50, paid 0, due 50 usd`. */
const spell = ({ parts }: Invoice): string[] =>
  parts.flatMap(({ currency, lines, total, paidFromWallet, due }) => [
    ...lines.map(spellLine),
    `total ${formatUnits(total.amount)}, paid ${formatUnits(paidFromWallet.amount)}, due ${formatUnits(due.amount)} ${currency}`,
  ]);

function spellLine({ kind, description, quantity, unitAmount, amount }: InvoiceLine): string {
  const each = unitAmount === null ? '' : ` × ${formatUnits(unitAmount)}`;
  return `${kind} ${description}: ${formatUnits(quantity)}${each} = ${formatUnits(amount.amount)} ${amount.currency}`;
}

const lineOf = (invoice: Invoice): string | undefined => spell(invoice)[0];

describe('use', () => {
  it.each([
    // price, use, first line
    [perUnit('10'), { overage: '5' }, 'overage API calls: 5 × 10 = 50 usd'],
    [perUnit('0.5'), { overage: '1' }, 'overage API calls: 1 × 0.5 = 0 usd'], // a tie goes to the even one
    [perUnit('0.5'), { overage: '3' }, 'overage API calls: 3 × 0.5 = 2 usd'],
    [perUnit('0.5'), { overage: '5' }, 'overage API calls: 5 × 0.5 = 2 usd'],
    [perUnit('0.001'), { overage: '500.000000001' }, 'overage API calls: 500.000000001 × 0.001 = 0 usd'], // 0.500000000001 is rounded to a tie
    [perUnit('0.001'), { overage: '500.000001' }, 'overage API calls: 500.000001 × 0.001 = 1 usd'],
    [perUnit('0'), { overage: '5' }, 'overage API calls: 5 × 0 = 0 usd'],
    [tiered('graduated'), { overage: '100' }, 'overage API calls: 100 × 10 = 1000 usd'],
    [tiered('graduated'), { overage: '101' }, 'overage API calls: 101 = 1008 usd'], // at two rates
    [tiered('volume'), { overage: '101' }, 'overage API calls: 101 × 8 = 808 usd'],
    [packages, { overage: '101' }, 'overage API calls: 101 = 1000 usd'],
    [atMost('45', perUnit('10')), { overage: '5' }, 'overage API calls: 5 = 45 usd'],
    [inCurrency('jpy', perUnit('0.5')), { overage: '3' }, 'overage API calls: 3 × 0.5 = 2 jpy'],
    [inCurrency('kwd', perUnit('0.5')), { overage: '3' }, 'overage API calls: 3 × 0.5 = 2 kwd'], // of a thousandth each
    [perUnit('10'), { used: '5' }, undefined], // all of it included
    [perUnit('10'), {}, undefined],
  ] as const)('%#: %o', (price, used, expected) => {
    expect(lineOf(invoiceOf({ base: [], usage: [calls(price, used)] }))).toBe(expected);
  });

  it.each([
    // price, use, invoice
    [
      perUnit('10'),
      { wallet: '3', overage: '5' },
      [
        'wallet API calls, paid from the wallet: 3 × 10 = 30 usd',
        'overage API calls: 5 × 10 = 50 usd',
        'total 80, paid 30, due 50 usd',
      ],
    ],
    [
      tiered('graduated'),
      { wallet: '100', overage: '10' },
      [
        'wallet API calls, paid from the wallet: 100 = 1000 usd',
        'overage API calls: 10 × 8 = 80 usd',
        'total 1080, paid 1000, due 80 usd',
      ],
    ],
    [
      tiered('volume'), // 1000 was paid for what costs 808 in the end
      { wallet: '100', overage: '1' },
      [
        'wallet API calls, paid from the wallet: 100 = 1000 usd',
        'overage API calls: 1 = -192 usd',
        'total 808, paid 1000, due -192 usd',
      ],
    ],
    [
      perUnit('0.5'), // each line by itself: what is due never depends on what the wallet has paid
      { wallet: '1', overage: '1' },
      [
        'wallet API calls, paid from the wallet: 1 × 0.5 = 0 usd',
        'overage API calls: 1 × 0.5 = 0 usd',
        'total 0, paid 0, due 0 usd',
      ],
    ],
  ] as const)('the wallet has paid: %#', (price, used, expected) => {
    expect(spell(invoiceOf({ base: [], usage: [calls(price, used)] }))).toEqual(expected);
  });

  it.each([
    // what the counter says, its lines: money that changed hands is never left out
    [
      { wallet: 100n * ONE, walletCharge: 1000n * ONE, cost: 990n * ONE },
      ['wallet 100 × 10 = 1000', 'overage 0 = -10'],
    ],
    [{ walletCharge: 3n * ONE, cost: 3n * ONE }, ['wallet 0 = 3']],
    [{ overage: 5n * ONE }, ['overage 5 = 0']],
    [{ wallet: 5n * ONE }, ['wallet 5 = 0']],
  ] as const)('units without money, money without units: %#', (counted, expected) => {
    const { parts } = invoiceOf({ base: [], usage: [{ ...calls(perUnit('10'), {}), ...counted }] });
    const lines = parts.flatMap((part) => part.lines).map((line) => spellLine({ ...line, description: '' }));
    expect(lines.map((line) => line.replace(' :', '').replace(' usd', ''))).toEqual(expected);
  });
});

it.each([
  // price, use, last line before the totals
  [atLeast('500', perUnit('10')), { overage: '5' }, 'minimum API calls, up to the minimum spend: 1 = 450 usd'],
  [atLeast('500', perUnit('10')), { overage: '49' }, 'minimum API calls, up to the minimum spend: 1 = 10 usd'],
  [atLeast('500', perUnit('10')), { overage: '50' }, 'overage API calls: 50 × 10 = 500 usd'],
  [atLeast('500', perUnit('10')), { overage: '51' }, 'overage API calls: 51 × 10 = 510 usd'],
  [atLeast('500', perUnit('10')), { used: '1' }, 'minimum API calls, up to the minimum spend: 1 = 500 usd'], // any use
  [atLeast('500', perUnit('10')), {}, undefined], // none
  [atLeast('500', perUnit('10')), { used: '0', overage: '5' }, 'overage API calls: 5 × 10 = 50 usd'], // held, not used yet
  [
    atLeast('500', perUnit('10')),
    { wallet: '20', overage: '5' }, // what the wallet has paid counts
    'minimum API calls, up to the minimum spend: 1 = 250 usd',
  ],
  [atLeast('0', perUnit('10')), { used: '1' }, undefined],
  [atLeast('2.5', perUnit('1')), { overage: '1' }, 'minimum API calls, up to the minimum spend: 1 = 2 usd'],
  [atLeast('500', atMost('500', perUnit('10'))), { overage: '99' }, 'overage API calls: 99 = 500 usd'],
] as const)('a minimum spend: %#', (price, used, expected) => {
  expect(spell(invoiceOf({ base: [], usage: [calls(price, used)] })).at(-2)).toBe(expected);
});

it.each([
  // base price, line, its period
  [base('2000'), 'base Pro: 1 × 2000 = 2000 usd', [at(0), at(30)]],
  [base('0'), 'base Pro: 1 × 0 = 0 usd', [at(0), at(30)]],
  [base('1999.5'), 'base Pro: 1 × 1999.5 = 2000 usd', [at(0), at(30)]],
  [base('3000', { applied: june }), 'base Pro: 1 × 3000 = 3000 usd', [at(0), at(30)]],
  [
    base('3000', { applied: { startMs: at(0), endMs: at(10) } }),
    'base Pro, 33.33 % of the period: 1 = 1000 usd',
    [at(0), at(10)],
  ],
  [
    base('1000', { applied: { startMs: at(10), endMs: at(99) } }),
    'base Pro, 66.67 % of the period: 1 = 667 usd',
    [at(10), at(30)],
  ],
  [
    base('3000', { applied: { startMs: at(0), endMs: at(15) } }),
    'base Pro, 50 % of the period: 1 = 1500 usd',
    [at(0), at(15)],
  ],
  [
    base('3000', { applied: { startMs: at(1), endMs: at(1) + 1_000 } }), // a part is never nothing …
    'base Pro, 0.01 % of the period: 1 = 0 usd',
    [at(1), at(1) + 1_000],
  ],
  [
    base('3000', { applied: { startMs: at(0) + 1_000, endMs: at(30) } }), // … nor all
    'base Pro, 99.99 % of the period: 1 = 3000 usd',
    [at(0) + 1_000, at(30)],
  ],
  [base('3000', { applied: { startMs: at(-9), endMs: at(99) } }), 'base Pro: 1 × 3000 = 3000 usd', [at(0), at(30)]],
] as const)('a base price: %#', (charge, line, [startMs, endMs]) => {
  const invoice = invoiceOf({ base: [charge], usage: [] });
  expect(lineOf(invoice)).toBe(line);
  expect(invoice.parts[0]?.lines[0]?.period).toEqual({ startMs, endMs });
});

it.each([
  ['later', at(40), at(50)],
  ['for less than a second', at(1), at(1) + 999],
])('a plan that did not apply within the period has no line: %s', (_when, startMs, endMs) => {
  expect(invoiceOf({ base: [base('3000', { applied: { startMs, endMs } })], usage: [] })).toEqual({ parts: [] });
});

it('an invoice of nothing has no parts', () => expect(invoiceOf({ base: [], usage: [] })).toEqual({ parts: [] }));

it('currencies are told apart, in the order in which they occur', () => {
  const invoice = invoiceOf({
    base: [base('2000'), base('300', { price: { amount: unitsOf('300'), currency: 'jpy' } })],
    usage: [calls(inCurrency('eur', perUnit('10')), { overage: '1' }), calls(perUnit('10'), { overage: '2' })],
  });
  expect(spell(invoice)).toEqual([
    'base Pro: 1 × 2000 = 2000 usd',
    'overage API calls: 2 × 10 = 20 usd',
    'total 2020, paid 0, due 2020 usd',
    'base Pro: 1 × 300 = 300 jpy',
    'total 300, paid 0, due 300 jpy',
    'overage API calls: 1 × 10 = 10 eur',
    'total 10, paid 0, due 10 eur',
  ]);
});

it('use is of its own period, which may never end', () => {
  const period: Period = { startMs: at(3), endMs: null };
  const invoice = invoiceOf({ base: [], usage: [{ ...calls(perUnit('10'), { overage: '1' }), period }] });
  expect(invoice.parts[0]?.lines[0]).toMatchObject({ featureKey: 'api_calls', period });
});

it('what was used at an earlier price costs that, and shows no unit price', () => {
  const charge = { ...calls(perUnit('10'), { overage: '5' }), cost: unitsOf('43') };
  expect(lineOf(invoiceOf({ base: [], usage: [charge] }))).toBe('overage API calls: 5 = 43 usd');
});

describe('a forecast', () => {
  it.each([
    // price, use so far, more use, overage of that, line
    [perUnit('10'), { overage: '5' }, '10', '10', 'overage API calls: 15 × 10 = 150 usd'],
    [perUnit('10'), { used: '3' }, '10', '4', 'overage API calls: 4 × 10 = 40 usd'],
    [tiered('graduated'), { overage: '90' }, '20', '20', 'overage API calls: 110 = 1080 usd'],
    [packages, { overage: '90' }, '10', '10', 'overage API calls: 100 = 500 usd'],
    [atMost('100', perUnit('10')), { overage: '9' }, '99', '99', 'overage API calls: 108 = 100 usd'],
    [perUnit('10'), { overage: '5' }, '0', '0', 'overage API calls: 5 × 10 = 50 usd'],
  ] as const)('%#', (price, used, more, overage, line) => {
    const charge = projectedCharge(calls(price, used), { used: unitsOf(more), overage: unitsOf(overage) });
    expect(lineOf(invoiceOf({ base: [], usage: [charge] }))).toBe(line);
  });

  it('continues behind what the wallet has paid, at the rates of there', () => {
    const charge = projectedCharge(calls(tiered('graduated'), { wallet: '100' }), {
      used: 10n * ONE,
      overage: 10n * ONE,
    });
    expect(spell(invoiceOf({ base: [], usage: [charge] })).at(-1)).toBe('total 1080, paid 1000, due 80 usd');
    expect(charge.used).toBe(110n * ONE);
  });

  it('of a price that was changed leaves alone what was used before', () => {
    const before = { ...calls(perUnit('10'), { overage: '5' }), cost: unitsOf('40') };
    const charge = projectedCharge(before, { used: 2n * ONE, overage: 2n * ONE });
    expect(formatUnits(charge.cost)).toBe('60');
  });
});

describe('laws', () => {
  const currency = fc.constantFrom('usd', 'jpy', 'kwd');
  const amount = fc.oneof(
    fc.bigInt({ min: 0n, max: 10_000n * ONE }),
    fc.integer({ min: 0, max: 9 }).map((n) => (BigInt(n) * ONE) / 2n),
  );
  const spend = fc.option(amount, { nil: null });
  const price: fc.Arbitrary<Price> = fc.oneof(
    fc.record({
      model: fc.constant('per_unit' as const),
      unitAmount: amount,
      currency,
      minimumSpend: spend,
      maximumSpend: fc.constant(null),
    }),
    fc.constantFrom(tiered('graduated'), tiered('volume'), packages, atLeast('500', packages), atMost('700', packages)),
  );
  const usage = fc.tuple(price, amount, amount, amount).map(
    ([rates, wallet, overage, included]): UsageCharge => ({
      ...calls(rates, { wallet: formatUnits(wallet), overage: formatUnits(overage) }),
      used: wallet + overage + included,
    }),
  );
  const day = fc.integer({ min: -5, max: 35 });
  const baseCharge = fc.tuple(amount, currency, fc.option(fc.tuple(day, day))).map(
    ([price, code, days]): BaseCharge => ({
      planName: 'Pro',
      price: { amount: price, currency: code },
      period: june,
      applied: days && { startMs: at(Math.min(...days)), endMs: at(Math.max(...days)) },
    }),
  );
  const input = fc.record({
    base: fc.array(baseCharge, { maxLength: 3 }),
    usage: fc.array(usage, { maxLength: 4 }),
  });
  const total = (lines: readonly InvoiceLine[]): Units => lines.reduce((sum, line) => sum + line.amount.amount, 0n);

  it('adds up, in whole minor units, currency by currency', () => {
    fc.assert(
      fc.property(input, (charges) => {
        for (const part of invoiceOf(charges).parts) {
          expect(part.lines.length).toBeGreaterThan(0);
          expect(new Set(part.lines.map((line) => line.amount.currency))).toEqual(new Set([part.currency]));
          expect(part.total.amount).toBe(total(part.lines));
          expect(part.paidFromWallet.amount).toBe(total(part.lines.filter(({ kind }) => kind === 'wallet')));
          expect(part.due.amount + part.paidFromWallet.amount).toBe(part.total.amount);
          for (const line of part.lines) expect(line.amount.amount % ONE).toBe(0n);
        }
      }),
    );
  });

  it('a feature costs its price, or its minimum if that is more and there was use: to half a minor unit a line', () => {
    fc.assert(
      fc.property(usage, (charge) => {
        const lines = invoiceOf({ base: [], usage: [charge] }).parts.flatMap((part) => part.lines);
        const { minimumSpend } = charge.price;
        const least = charge.used > 0n && minimumSpend !== null ? minimumSpend : 0n;
        const exact = charge.cost > least ? charge.cost : least;
        const off = 2n * (total(lines) - exact);
        const most = BigInt(lines.length) * ONE;
        expect(off <= most && off >= -most).toBe(true);
      }),
    );
  });

  it('a unit price that is shown explains the amount', () => {
    fc.assert(
      fc.property(input, (charges) => {
        for (const { quantity, unitAmount, amount: shown } of invoiceOf(charges).parts.flatMap((part) => part.lines)) {
          if (unitAmount !== null) expect(shown.amount).toBe(roundToWhole(multiplyUnits(quantity, unitAmount)));
        }
      }),
    );
  });

  it('a forecast in steps is the forecast in one', () => {
    fc.assert(
      fc.property(usage, amount, amount, (charge, one, other) => {
        const more = (units: Units) => ({ used: units, overage: units });
        expect(projectedCharge(projectedCharge(charge, more(one)), more(other))).toEqual(
          projectedCharge(charge, more(one + other)),
        );
      }),
    );
  });
});
