/** Goal: grants burn in one order, whatever order they come in. Method: a table of pairs; laws over random grants. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { byBurnOrder } from './grant.ts';
import { grantOf } from './testing/grants.ts';

describe('of two grants, the first burns first', () => {
  it.each([
    // why                                  first                                    second
    ['a lower priority number', { priority: 0, expiresAtMs: 90 }, { priority: 1, expiresAtMs: 10 }],
    ['sooner to expire', { expiresAtMs: 10, createdAtMs: 5 }, { expiresAtMs: 11, createdAtMs: 1 }],
    ['expiring at all', { expiresAtMs: 10, createdAtMs: 5 }, { expiresAtMs: null, createdAtMs: 1 }],
    ['older, when both expire together', { expiresAtMs: 10, createdAtMs: 1 }, { expiresAtMs: 10, createdAtMs: 2 }],
    ['older, when neither expires', { createdAtMs: 1, id: 'z' }, { createdAtMs: 2, id: 'a' }],
    ['the plan’s, before what was bought', { source: 'plan', id: 'z' }, { source: 'purchase', id: 'a' }],
    ['by the smaller id that was given first', { originId: 'a', id: 'z' }, { originId: 'b', id: 'y' }],
    ['the smaller id, when all is the same', { id: 'a' }, { id: 'b' }],
  ] as const)('%s', (_why, first, second) => {
    const [a, b] = [grantOf(first), grantOf(second)];
    expect([b, a].toSorted(byBurnOrder)).toEqual([a, b]);
    expect(Math.sign(byBurnOrder(a, b))).toBe(-1);
  });
});

it('has one order of many, however they are shuffled', () => {
  const some = fc.uniqueArray(
    fc.record({
      id: fc.uuid(),
      priority: fc.integer({ min: 0, max: 2 }),
      expiresAtMs: fc.option(fc.integer({ min: 0, max: 3 })),
      createdAtMs: fc.integer({ min: 0, max: 2 }),
    }),
    { selector: ({ id }) => id, maxLength: 12 },
  );
  fc.assert(
    fc.property(
      some.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => {
        const [a, b] = [all, shuffled].map((grants) => grants.map((grant) => grantOf(grant)).toSorted(byBurnOrder));
        expect(a).toEqual(b);
      },
    ),
  );
});
