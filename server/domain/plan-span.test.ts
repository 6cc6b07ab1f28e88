/**
 * Goal: a base price is billed for as long as its plan was had, to the second, and for the whole where it never changed.
 * Method: histories of one June, written out with what they come to; and laws over any history.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PendingPlan } from './customer.ts';
import { invoiceOf } from './invoice.ts';
import { type BillingInterval, type Catalog, type Plan, type PlanHeld, planOfCustomer } from './plan.ts';
import { baseChargesOf, knownSpans, type PlanSpan, spansOfChange } from './plan-span.ts';
import { formatUnits, ONE, unitsOf } from './units.ts';

const june = { startMs: Date.UTC(2026, 5), endMs: Date.UTC(2026, 6) } as const;
const at = (day: number): number => june.startMs + day * 86_400_000;

/** `20 usd/month`, and so on. */
function planOf(key: string, ...prices: readonly string[]): Plan {
  return {
    tenantId: 'tenant',
    key,
    displayName: key,
    version: 1,
    prices: prices.map((text) => {
      const [amount = '', currency = '', interval] = text.split(/[ /]/);
      return { amount: unitsOf(amount), currency, interval: interval as BillingInterval }; // as the rows below say it
    }),
    rateLimits: [],
    spendLimit: null,
    wallet: null,
    features: new Map(),
    archivedAtMs: null,
  };
}

const PLANS = new Map(
  [
    planOf('free'),
    planOf('pro', '3000 usd/month'),
    planOf('max', '9000 usd/month', '90000 usd/year'),
    planOf('yearly', '60000 usd/year'),
    planOf('both', '60000 usd/year', '6000 eur/month', '6000 usd/month'),
  ].map((plan) => [plan.key, plan]),
);
/** The second version of `pro` costs what the first did; the third 600 more. */
const planHeld = ({ planKey, planVersion }: PlanHeld): Plan | null => {
  const plan = planKey === null ? null : (PLANS.get(planKey) ?? null);
  return plan && planVersion === 3 ? { ...plan, prices: planOf('', '3600 usd/month').prices } : plan;
};

const span = (sinceMs: number, planKey: string | null, planVersion: number | null = 1): PlanSpan => ({
  sinceMs,
  planKey,
  planVersion,
});

/** `pro 0–15 = 1500 usd`: days of June. */
function linesOf(spans: readonly PlanSpan[], interval: BillingInterval = 'month'): readonly string[] {
  const base = baseChargesOf(spans, june, interval, planHeld);
  const lines = invoiceOf({ base, usage: [] }).parts.flatMap((part) => part.lines);
  const day = (ms: number | null) => Math.round(((ms ?? Number.NaN) - june.startMs) / 864_000) / 100;
  return lines.map(({ description, amount, period }) => {
    const [name] = description.split(',');
    return `${name} ${day(period.startMs)}–${day(period.endMs)} = ${formatUnits(amount.amount)} ${amount.currency}`;
  });
}

describe('base prices', () => {
  it.each<[name: string, spans: readonly PlanSpan[], lines: readonly string[]]>([
    ['never changed', [span(at(-40), 'pro')], ['pro 0–30 = 3000 usd']],
    ['registered within the period', [span(at(12), 'pro')], ['pro 0–30 = 3000 usd']],
    [
      'upgraded at mid-month',
      [span(at(-40), 'pro'), span(at(15), 'max')],
      ['pro 0–15 = 1500 usd', 'max 15–30 = 4500 usd'],
    ],
    [
      'registered and upgraded',
      [span(at(5), 'pro'), span(at(15), 'max')],
      ['pro 0–15 = 1500 usd', 'max 15–30 = 4500 usd'],
    ],
    [
      'changed twice',
      [span(at(0), 'pro'), span(at(10), 'max'), span(at(20), 'pro')],
      ['pro 0–10 = 1000 usd', 'max 10–20 = 3000 usd', 'pro 20–30 = 1000 usd'],
    ],
    ['changed when the period began', [span(at(-40), 'max'), span(at(0), 'pro')], ['pro 0–30 = 3000 usd']],
    ['changed before and after it', [span(at(-9), 'pro'), span(at(40), 'max')], ['pro 0–30 = 3000 usd']],
    ['had no plan at first', [span(at(-9), null), span(at(10), 'pro')], ['pro 10–30 = 2000 usd']],
    ['went to one without a price', [span(at(-9), 'pro'), span(at(10), 'free')], ['pro 0–10 = 1000 usd']],
    ['a plan that is not there any more', [span(at(-9), 'gone'), span(at(10), 'pro')], ['pro 10–30 = 2000 usd']],
    ['another version at the same price', [span(at(-9), 'pro'), span(at(10), 'pro', 2)], ['pro 0–30 = 3000 usd']],
    [
      'another version at another price',
      [span(at(-9), 'pro'), span(at(10), 'pro', 3)],
      ['pro 0–10 = 1000 usd', 'pro 10–30 = 2400 usd'],
    ],
    [
      'away and back',
      [span(at(-9), 'pro'), span(at(10), 'free'), span(at(20), 'pro')],
      ['pro 0–10 = 1000 usd', 'pro 20–30 = 1000 usd'],
    ],
    ['only paid by the year before', [span(at(-9), 'yearly'), span(at(15), 'pro')], ['pro 15–30 = 1500 usd']],
    [
      'the first of the prices by the month', // and parts in their own currencies
      [span(at(-9), 'both'), span(at(15), 'pro')],
      ['both 0–15 = 3000 eur', 'pro 15–30 = 1500 usd'],
    ],
    [
      'for less than a second',
      [span(at(-9), 'pro'), span(at(10), 'max'), span(at(10) + 999, 'pro')],
      ['pro 0–10 = 1000 usd', 'pro 10–30 = 2000 usd'],
    ],
    ['of nothing', [], []],
  ])('%s', (_name, spans, lines) => {
    expect(linesOf(spans)).toEqual(lines);
  });

  it('are those for the interval of the period', () => {
    expect(linesOf([span(at(-9), 'max'), span(at(15), 'yearly')], 'year')).toEqual([
      'max 0–15 = 45000 usd',
      'yearly 15–30 = 30000 usd',
    ]);
  });
});

it('customers who were moved to a later version pay its price, for the whole period', () => {
  const third = { ...planOf('pro', '3600 usd/month'), version: 3 };
  const catalog: Catalog = {
    version: 3,
    features: new Map(),
    plans: new Map([['pro', third]]),
    planVersions: new Map([['pro', { movedVersion: 3, byNumber: new Map([[3, third]]) }]]),
    defaultPlanKey: null,
  };
  const planNow = (held: PlanHeld) => planOfCustomer(catalog, { tenantId: 'tenant', ...held });
  const spans = [span(at(-9), 'pro', 1), span(at(10), 'pro', 2), span(at(20), 'pro', 3)];
  const charges = baseChargesOf(spans, june, 'month', planNow);
  expect(charges).toEqual([{ planName: 'pro', price: third.prices[0], period: june, applied: june }]);
});

describe('laws', () => {
  const second = fc.integer({ min: -1_000_000, max: 30 * 86_400 + 1_000_000 });
  const history = fc
    .uniqueArray(second, { minLength: 1, maxLength: 6 })
    .map((seconds) => seconds.toSorted((a, b) => a - b).map((s) => june.startMs + s * 1_000));

  it('plans of one price come to that price, to a minor unit a line; lines follow each other without a gap', () => {
    fc.assert(
      fc.property(history, fc.bigInt({ min: 0n, max: 10_000n }), (instants, price) => {
        const spans = instants.map((sinceMs, i) => span(sinceMs, `plan ${i}`));
        const charges = baseChargesOf(spans, june, 'month', ({ planKey }) =>
          planOf(planKey ?? '', `${price} usd/month`),
        );
        const bounds = charges.flatMap(({ applied }) => (applied ? [applied.startMs, applied.endMs] : []));
        expect([bounds[0], bounds.at(-1)]).toEqual([june.startMs, june.endMs]);
        for (let i = 1; i + 1 < bounds.length; i += 2) expect(bounds[i]).toBe(bounds[i + 1]);
        const lines = invoiceOf({ base: charges, usage: [] }).parts.flatMap((part) => part.lines);
        const sum = lines.reduce((total, { amount }) => total + amount.amount, 0n);
        const off = sum - price * ONE;
        expect(off < 0n ? -off : off).toBeLessThanOrEqual(BigInt(lines.length) * (ONE / 2n));
      }),
    );
  });

  it('a plan that never changes in what it costs is one line, at its price', () => {
    fc.assert(
      fc.property(history, (instants) => {
        expect(linesOf(instants.map((sinceMs, i) => span(sinceMs, 'pro', (i % 2) + 1)))).toEqual([
          'pro 0–30 = 3000 usd',
        ]);
      }),
    );
  });
});

describe('a history', () => {
  const held = (planKey: string, pendingPlan: PendingPlan | null = null) => ({ planKey, planVersion: 1, pendingPlan });
  const pending = (day: number): PendingPlan => ({ planKey: 'free', planVersion: 1, atMs: at(day) });

  it.each([
    ['another plan', held('pro'), held('max'), [span(at(9), 'max')]],
    ['another version', held('pro'), { ...held('pro'), planVersion: 2 }, [span(at(9), 'pro', 2)]],
    ['the same', held('pro'), held('pro'), []],
    ['one that waits', held('pro'), held('pro', pending(20)), []],
    ['what waited is called off', held('pro', pending(20)), held('pro'), []],
    ['something else, with one due', held('pro', pending(5)), held('pro', pending(5)), [span(at(5), 'free')]],
    ['what was due is stored', held('pro', pending(5)), held('free'), [span(at(5), 'free')]],
    ['another plan than what was due', held('pro', pending(5)), held('max'), [span(at(5), 'free'), span(at(9), 'max')]],
    ['back from what was due', held('pro', pending(5)), held('pro'), [span(at(5), 'free'), span(at(9), 'pro')]],
  ])('begins a span with %s', (_name, before, after, spans) => {
    expect(spansOfChange(before, after, at(9))).toEqual(spans);
  });

  it.each([
    ['what is stored', [span(at(1), 'pro')], held('pro'), [span(at(1), 'pro')]],
    ['what came due since', [span(at(1), 'pro')], held('pro', pending(5)), [span(at(1), 'pro'), span(at(5), 'free')]],
    ['not what still waits', [span(at(1), 'pro')], held('pro', pending(20)), [span(at(1), 'pro')]],
    ['what came due once', [span(at(5), 'free')], held('pro', pending(5)), [span(at(5), 'free')]],
    ['the plan that is had, if nothing else', [], held('pro'), [span(Number.NEGATIVE_INFINITY, 'pro')]],
  ])('is %s', (_name, stored, customer, spans) => {
    expect(knownSpans(stored, customer, at(9))).toEqual(spans);
  });
});
