/**
 * Goal: units are drawn in burn order and given back to where they came from; none appears, none is lost.
 * Method: grants a (60 left), b (40), c (5, expires first but burns last); vary what is asked. Laws over random grants.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyDraws, drawFrom, giveBack } from './burn.ts';
import { byBurnOrder, type Draw, type Grant } from './grant.ts';
import { grantOf, spellDraws } from './testing/grants.ts';
import { formatUnits, type Units, unitsOf } from './units.ts';

const A = grantOf({ id: 'a', remaining: unitsOf('60'), priority: 0 });
const B = grantOf({ id: 'b', remaining: unitsOf('40'), priority: 1, expiresAtMs: 9 });
const C = grantOf({ id: 'c', amount: unitsOf('5'), priority: 2, expiresAtMs: 1 });
const ALL = [C, A, B].toSorted(byBurnOrder);

describe('drawing', () => {
  it.each([
    // asked  takes                 leaves
    ['0', '', 'a60 b40 c5'],
    ['0.000000001', 'a0.000000001', 'a59.999999999 b40 c5'],
    ['59', 'a59', 'a1 b40 c5'],
    ['60', 'a60', 'a0 b40 c5'], // exactly empties a
    ['61', 'a60 b1', 'a0 b39 c5'],
    ['105', 'a60 b40 c5', 'a0 b0 c0'],
    ['1000', 'a60 b40 c5', 'a0 b0 c0'], // no more than there is
  ])('%s takes "%s"', (asked, takes, leaves) => {
    const drawn = drawFrom(ALL, unitsOf(asked));
    expect(spellDraws(drawn.draws)).toBe(takes);
    expect(drawn.taken).toBe(sum(drawn.draws));
    expect(left(after(ALL, drawn.grants))).toBe(leaves);
  });

  it('spends a grant that it empties, and passes over one that is empty', () => {
    const empty = grantOf({ id: 'e', remaining: 0n, state: 'spent' });
    const { draws, grants } = drawFrom([empty, ...ALL], unitsOf('70'));
    expect(spellDraws(draws)).toBe('a60 b10');
    expect(grants.map(({ id, state }) => `${id} ${state}`)).toEqual(['a spent', 'b live']);
  });

  it('looks at no more grants than it needs, so that a hundred thousand cost what one does', () => {
    let seen = 0;
    function* many() {
      for (let i = 0; i < 100_000; i += 1) {
        seen += 1;
        yield grantOf({ id: `g${i}`, amount: unitsOf('1') });
      }
    }
    expect(drawFrom(many(), unitsOf('2')).draws).toHaveLength(2);
    expect(seen).toBeLessThanOrEqual(3);
  });
});

describe('giving back', () => {
  it.each([
    // drawn                  units   gives back         so many
    ['a60 b10', '0', '', '0'],
    ['a60 b10', '4', 'b-4', '4'],
    ['a60 b10', '10', 'b-10', '10'],
    ['a60 b10', '12', 'b-10 a-2', '12'], // last in, first out
    ['a60 b10', '500', 'b-10 a-60', '70'], // no more than was drawn
    ['', '5', '', '0'],
    ['a1 a1 a1 b2', '4', 'b-2 a-2', '4'], // returns in a row to one grant are one
    ['a5 b3 b-2', '4', 'b-1 a-3', '4'], // 2 of b's are back already
    ['a5 b3 b-3 a-1', '9', 'a-4', '4'],
    ['a5 a-5 a2', '9', 'a-2', '2'], // a return counts against what was drawn before it, not after
  ])('of %s, %s → "%s"', (drawn, units, says, given) => {
    const back = giveBack(draws(drawn), unitsOf(units));
    expect(spellDraws(back.draws)).toBe(says);
    expect(formatUnits(back.given)).toBe(given);
  });
});

describe('applying draws', () => {
  it.each([
    // state       remaining  draw     becomes          lost
    ['live', '60', 'g20', 'live 40', ''],
    ['live', '60', 'g60', 'spent 0', ''],
    ['live', '60', 'g-5', 'live 65', ''],
    ['spent', '0', 'g-5', 'live 5', ''], // revived
    ['live', '60', 'g60 g-1', 'live 1', ''],
    ['expired', '0', 'g-5', 'expired 0', 'expired 5'],
    ['voided', '0', 'g-5', 'voided 0', 'voided 5'],
  ] as const)('%s with %s left, %s → %s %s', (state, remaining, drawn, becomes, says) => {
    const grant = grantOf({ state, remaining: unitsOf(remaining) });
    const { grants, lost } = applyDraws(new Map([[grant.id, grant]]), draws(drawn));
    const now = grants[0] ?? grant;
    expect(`${now.state} ${formatUnits(now.remaining)}`).toBe(becomes);
    expect(lost.map(({ kind, units }) => `${kind} ${formatUnits(units)}`).join(' ')).toBe(says);
  });

  // biome-ignore format: a table
  it.each([
    // gives  state     amount  left  draws        becomes            lost
    ['100',   'live',   '100',  '40', 'g-10',      'live 50 of 100',  ''],
    ['20',    'spent',  '80',   '0',  'g-70',      'live 10 of 20',   'withdrawn 60'],
    ['20',    'spent',  '80',   '0',  'g-60',      'spent 0 of 20',   'withdrawn 60'],
    ['20',    'spent',  '80',   '0',  'g-50 g-20', 'live 10 of 20',   'withdrawn 50 withdrawn 10'],
    ['20',    'voided', '80',   '0',  'g-30',      'voided 0 of 50',  'voided 30'], // 50 stay drawn
  ] as const)('a plan’s allocation of %s, %s, amount %s, %s left, %s → %s %s', (gives, state, amount, left, drawn, becomes, says) => {
    const grant = grantOf({
      source: 'plan',
      renewal: { reset: 'monthly', onRenewal: 'reset', amount: unitsOf(gives), untilMs: null },
      renewsAtMs: state === 'voided' ? null : 1,
      state,
      amount: unitsOf(amount),
      remaining: unitsOf(left),
    });
    const { grants, lost } = applyDraws(new Map([[grant.id, grant]]), draws(drawn));
    const [now = grant] = grants;
    expect(`${now.state} ${formatUnits(now.remaining)} of ${formatUnits(now.amount)}`).toBe(becomes);
    expect(lost.map(({ kind, units }) => `${kind} ${formatUnits(units)}`).join(' ')).toBe(says);
  });

  it('names each changed grant once, and no other', () => {
    const { grants } = applyDraws(byId(ALL), draws('a1 b2 a3'));
    expect(grants.map(({ id, remaining }) => `${id}${formatUnits(remaining)}`)).toEqual(['a56', 'b38']);
  });

  it.each([
    ['x1', 'there is no grant x to draw from'],
    ['c6', 'grant c holds less than is drawn from it'],
    ['c5 c1', 'grant c holds less than is drawn from it'],
  ])('refuses %s: %s', (drawn, sentence) => {
    expect(() => applyDraws(byId(ALL), draws(drawn))).toThrow(new RangeError(sentence));
  });
});

describe('laws', () => {
  const units = fc.bigInt({ min: 0n, max: unitsOf('30') });
  const someGrants = fc
    .array(fc.record({ remaining: units, priority: fc.nat(3), expiresAtMs: fc.option(fc.nat(3)) }), { maxLength: 6 })
    .map((all) =>
      all
        .map((some, i) => grantOf({ ...some, id: `g${i}`, state: some.remaining === 0n ? 'spent' : 'live' }))
        .toSorted(byBurnOrder),
    );

  it('what is drawn is what is asked, or all there is; and it leaves the grants', () => {
    fc.assert(
      fc.property(someGrants, units, (grants, asked) => {
        const drawn = drawFrom(grants, asked);
        const held = total(grants);
        expect(drawn.taken).toBe(asked < held ? asked : held);
        expect(total(after(grants, drawn.grants))).toBe(held - drawn.taken);
        expect(applyDraws(byId(grants), drawn.draws).grants).toEqual(drawn.grants);
      }),
    );
  });

  it('giving back all that was drawn restores every grant', () => {
    fc.assert(
      fc.property(someGrants, units, (grants, asked) => {
        const drawn = drawFrom(grants, asked);
        const now = after(grants, drawn.grants);
        const back = applyDraws(byId(now), giveBack(drawn.draws, drawn.taken).draws);
        expect(after(now, back.grants)).toEqual(grants);
      }),
    );
  });

  it('two draws and two returns come to the same as one of each', () => {
    fc.assert(
      fc.property(someGrants, units, units, (grants, a, b) => {
        const first = drawFrom(grants, a);
        const second = drawFrom(after(grants, first.grants), b);
        const once = drawFrom(grants, a + b);
        const all = [...first.draws, ...second.draws];
        expect(after(after(grants, first.grants), second.grants)).toEqual(after(grants, once.grants));
        const earlier = giveBack(all, a);
        const later = giveBack([...all, ...earlier.draws], b);
        expect(totals([...earlier.draws, ...later.draws])).toEqual(totals(giveBack(once.draws, a + b).draws));
      }),
    );
  });
});

function draws(text: string): readonly Draw[] {
  const words = text === '' ? [] : text.split(' ');
  return words.map((word) => ({ grantId: word.slice(0, 1), units: unitsOf(word.slice(1)) }));
}

const byId = (grants: readonly Grant[]) => new Map(grants.map((grant) => [grant.id, grant]));
const sum = (all: readonly { readonly units: Units }[]): Units => all.reduce((so, { units }) => so + units, 0n);
const total = (grants: readonly Grant[]): Units => grants.reduce((so, { remaining }) => so + remaining, 0n);
const left = (grants: readonly Grant[]): string =>
  grants.map(({ id, remaining }) => `${id}${formatUnits(remaining)}`).join(' ');

const after = (grants: readonly Grant[], changed: readonly Grant[]): readonly Grant[] =>
  grants.map((grant) => changed.find(({ id }) => id === grant.id) ?? grant);

/** By grant, in order of the id: how the returns are cut is no matter. */
function totals(all: readonly Draw[]): readonly (readonly [string, Units])[] {
  const byGrant = new Map<string, Units>();
  for (const { grantId, units } of all) byGrant.set(grantId, (byGrant.get(grantId) ?? 0n) + units);
  return [...byGrant].toSorted(([a], [b]) => (a < b ? -1 : 1));
}
