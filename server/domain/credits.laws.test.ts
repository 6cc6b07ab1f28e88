/**
 * Goal: no credit appears from nowhere or is lost, and it makes no difference when somebody looks.
 * Method: random repetitions settled late and in time; random lives of a customer's grants (time, draws, returns, rules,
 * voiding), with every movement booked and the books checked after each step.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyDraws, drawFrom, giveBack } from './burn.ts';
import type { CreditRule, OnRenewal } from './credit-rule.ts';
import { nextDueMs } from './credits.ts';
import { byBurnOrder, type Draw, type Grant, type GrantChange } from './grant.ts';
import { voidGrant } from './grant-change.ts';
import { newGrant } from './new-grant.ts';
import { newestOf } from './plan-allocation.ts';
import { changedBy, type Grants, periodsIn, type SettledAt, settled } from './testing/grants.ts';
import { ONE, type Units } from './units.ts';

const DAY_MS = 86_400_000;
const STARTS_MS = Date.parse('2026-01-05T10:00Z');
const TIME_ZONE = 'Europe/Berlin';

const unitsUpTo = (max: bigint) => fc.bigInt({ min: 0n, max: max * ONE });
const amounts = fc.bigInt({ min: 1n, max: 100n * ONE });
const resets = fc.constantFrom('daily', 'weekly', 'monthly', 'every 5 day', 'every 36 hour');
const renewals: fc.Arbitrary<OnRenewal> = fc.oneof(
  fc.constantFrom('reset', 'add'),
  fc.record({
    max: fc.option(amounts),
    maxFraction: fc.constant(null),
    expiresAfter: fc.option(fc.constantFrom('every 10 day', 'every 1 month', 'every 12 hour')),
  }),
  fc.record({
    max: fc.constant(null),
    maxFraction: fc.constantFrom(ONE / 2n, ONE / 3n, 2n * ONE),
    expiresAfter: fc.option(fc.constantFrom('every 10 day', 'every 2 month')),
  }),
);
const rules: fc.Arbitrary<CreditRule> = fc.record({
  allocation: amounts,
  onRenewal: renewals,
  reset: fc.option(resets),
  priority: fc.constantFrom(0, 50, 200),
});
const instants = fc.nat({ max: 120 * 24 }).map((hours) => STARTS_MS + hours * 3_600_000);

/** A purchase that comes again, or nothing yet where a plan's rule gives. */
const beginnings = fc.oneof(
  rules.map((rule) => ({ rule, grants: new Map() as Grants })),
  fc
    .record({ amount: amounts, reset: resets, onRenewal: renewals, from: instants, until: fc.option(instants) })
    .map(({ amount, reset, onRenewal, from, until }) => ({
      rule: null,
      grants: changedBy(new Map(), [bought({ amount, recurring: { reset, onRenewal } }, STARTS_MS, from, until)]),
    })),
);

describe('settling late is the same as settling in time', () => {
  const times = fc.tuple(instants, instants, instants).map((all) => all.toSorted((a, b) => a - b));

  it('in what is live, until when, and when the next comes, also after it has gone on', () => {
    fc.assert(
      fc.property(beginnings, unitsUpTo(150n), times, ({ rule, grants }, drawn, [t1 = 0, t2 = 0, t3 = 0]) => {
        const at = (nowMs: number): SettledAt => ({ nowMs, rule, timeZone: TIME_ZONE, grantedFromMs: STARTS_MS });
        const start = drawnFrom(settled(grants, at(STARTS_MS)).grants, drawn);
        const stepwise = settled(settled(start, at(t1)).grants, at(t2)).grants;
        const atOnce = settled(start, at(t2)).grants;
        expect(balances(atOnce)).toEqual(balances(stepwise));
        expect(balances(settled(atOnce, at(t3)).grants)).toEqual(balances(settled(stepwise, at(t3)).grants));
      }),
      { numRuns: 500 },
    );
  });

  it('for a customer whom nobody has touched yet', () => {
    fc.assert(
      fc.property(rules, times, (rule, [t1 = 0, t2 = 0]) => {
        const at = (nowMs: number): SettledAt => ({ nowMs, rule, timeZone: TIME_ZONE, grantedFromMs: STARTS_MS });
        const stepwise = settled(settled(new Map(), at(t1)).grants, at(t2)).grants;
        expect(balances(settled(new Map(), at(t2)).grants)).toEqual(balances(stepwise));
      }),
    );
  });
});

describe('the books of a customer', () => {
  it('balance for every grant, whatever happens', () => {
    fc.assert(
      fc.property(fc.array(steps(), { minLength: 1, maxLength: 30 }), (script) => {
        const books = new Books();
        for (const step of script) {
          step(books);
          books.check();
        }
      }),
      { numRuns: 500 },
    );
  });
});

/** All grants of a customer with all that ever moved, and what is drawn and not given back. */
class Books {
  grants: Grants = new Map();
  rule: CreditRule | null = null;
  nowMs = STARTS_MS;
  draws: readonly Draw[] = [];
  readonly moved: { readonly grantId: string; readonly kind: string; readonly units: Units }[] = [];

  settle(): void {
    const at = { nowMs: this.nowMs, rule: this.rule, timeZone: TIME_ZONE };
    const { changes } = settled(this.grants, at);
    const ofNeeded = settled(this.#needed(), at);
    expect(ofNeeded.changes).toEqual(changes); // which the caller need not have loaded changes nothing
    expect(new Set(changes.map(({ grant }) => grant.id)).size).toBe(changes.length);
    this.book(changes);
    expect(settled(this.grants, at).changes).toEqual([]);
    for (const grant of this.grants.values()) {
      const dueMs = nextDueMs(grant);
      if (dueMs !== null) expect(dueMs).toBeGreaterThan(this.nowMs);
    }
  }

  /** What the caller of `settleCredits` must hand in. */
  #needed(): Grants {
    const all = [...this.grants.values()];
    const newest = newestOf(all);
    const isNeeded = (grant: Grant): boolean =>
      (nextDueMs(grant) ?? Number.POSITIVE_INFINITY) <= this.nowMs ||
      grant === newest ||
      (grant.rolledOver && grant.state === 'live') ||
      (this.rule === null && grant.source === 'plan' && (grant.state === 'live' || grant.state === 'spent'));
    return new Map(all.filter(isNeeded).map((grant) => [grant.id, grant]));
  }

  book(changes: readonly GrantChange[]): void {
    for (const { grant, isNew, movements } of changes) {
      expect(this.grants.has(grant.id)).toBe(!isNew); // no id is given twice
      for (const { kind, units } of movements) this.moved.push({ grantId: grant.id, kind, units });
    }
    this.grants = changedBy(this.grants, changes);
  }

  draw(units: Units): void {
    const live = [...this.grants.values()].filter(({ state }) => state === 'live').toSorted(byBurnOrder);
    const drawn = drawFrom(live, units);
    this.#apply(drawn.draws);
  }

  giveBack(units: Units): void {
    this.#apply(giveBack(this.draws, units).draws);
  }

  #apply(draws: readonly Draw[]): void {
    const { grants, lost } = applyDraws(this.grants, draws);
    this.moved.push(...lost);
    this.draws = [...this.draws, ...draws];
    this.grants = changedBy(
      this.grants,
      grants.map((grant) => ({ grant })),
    );
  }

  check(): void {
    const sum = (kind: string, id?: string): Units =>
      this.moved.reduce((so, m) => (m.kind === kind && (id === undefined || m.grantId === id) ? so + m.units : so), 0n);
    const drawnOf = (id?: string): Units =>
      this.draws.reduce((so, { grantId, units }) => (id === undefined || grantId === id ? so + units : so), 0n);
    for (const { id, remaining, amount, state } of this.grants.values()) {
      const gone = ['expired', 'withdrawn', 'voided', 'rolled_over'].reduce((so, kind) => so + sum(kind, id), 0n);
      expect(sum('granted', id) - drawnOf(id) - gone).toBe(remaining);
      expect(remaining >= 0n && remaining <= amount).toBe(true);
      expect(state === 'live' || state === 'pending').toBe(remaining > 0n);
    }
    expect(sum('rolled_over')).toBe(0n);
    expect(drawnOf() <= sum('granted')).toBe(true);
  }
}

type Step = (books: Books) => void;

function steps(): fc.Arbitrary<Step> {
  return fc.oneof(
    fc.nat({ max: 40 * 24 }).map(
      (hours): Step =>
        (books) => {
          books.nowMs += hours * 3_600_000;
          books.settle();
        },
    ),
    fc.option(rules).map(
      (rule): Step =>
        (books) => {
          books.settle();
          books.rule = rule;
          books.settle();
        },
    ),
    amounts.map(
      (amount): Step =>
        (books) => {
          if (books.rule === null) return;
          books.rule = { ...books.rule, allocation: amount };
          books.settle();
        },
    ),
    unitsUpTo(80n).map(
      (units): Step =>
        (books) =>
          books.draw(units),
    ),
    unitsUpTo(80n).map(
      (units): Step =>
        (books) =>
          books.giveBack(units),
    ),
    fc.nat().map(
      (pick): Step =>
        (books) => {
          const grant = [...books.grants.values()][pick % Math.max(books.grants.size, 1)];
          if (grant) books.book([voidGrant(grant)]);
          books.settle();
        },
    ),
    fc
      .record({
        amount: amounts,
        recurring: fc.option(fc.record({ reset: resets, onRenewal: renewals })),
        inDays: fc.nat({ max: 20 }),
        forDays: fc.option(fc.integer({ min: 1, max: 60 })),
      })
      .map(
        ({ amount, recurring, inDays, forDays }): Step =>
          (books) => {
            const fromMs = books.nowMs + inDays * DAY_MS;
            const untilMs = forDays === null ? null : fromMs + forDays * DAY_MS;
            books.book([bought({ amount, recurring }, books.nowMs, fromMs, untilMs, books.grants.size)]);
          },
      ),
  );
}

type Bought = Pick<Parameters<typeof newGrant>[0], 'amount' | 'recurring'>;

function bought(asked: Bought, nowMs: number, fromMs: number, untilMs: number | null, count = 0): GrantChange {
  return newGrant(
    {
      id: `00000000-0000-4000-8000-${String(count).padStart(12, '0')}`,
      featureKey: 'tokens',
      source: 'purchase',
      priority: null,
      effectiveFromMs: fromMs,
      expiresAtMs: untilMs === null ? null : Math.max(untilMs, fromMs + DAY_MS),
      ...asked,
    },
    { periodAt: periodsIn(TIME_ZONE, 'monthly'), featureReset: 'monthly', nowMs },
  );
}

/** Live units by when they expire, and when the next come: all that a customer can tell. */
function balances(grants: Grants): readonly string[] {
  const live = [...grants.values()].filter(({ state }) => state === 'live');
  const byExpiry = new Map<number | null, Units>();
  for (const { remaining, expiresAtMs } of live) {
    byExpiry.set(expiresAtMs, (byExpiry.get(expiresAtMs) ?? 0n) + remaining);
  }
  const nexts = [...grants.values()].flatMap(({ state, renewsAtMs }) =>
    renewsAtMs !== null && state !== 'expired' ? [`next ${renewsAtMs}`] : [],
  );
  return [...[...byExpiry].map(([until, units]) => `${units} until ${until}`), ...nexts].toSorted();
}

function drawnFrom(grants: Grants, units: Units): Grants {
  const live = [...grants.values()].filter(({ state }) => state === 'live').toSorted(byBurnOrder);
  return changedBy(
    grants,
    drawFrom(live, units).grants.map((grant) => ({ grant })),
  );
}
