/**
 * Goal: the model keeps the promises of the design page before it judges anybody, and its driver notices a difference.
 * Method: random lives of the model alone, each promise asked after every step; then the model as its own subject.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../support/clock.ts';
import type { Book } from './book.ts';
import { BEGINNINGS, FEATURES, u } from './catalog.ts';
import { costOf } from './cost.ts';
import { Disagreement, echo, Life } from './life.ts';
import { balanceOf, entriesIn, partIn, periodOf, policyAt, remainingOf, sumOf, usedIn } from './questions.ts';
import { type Step, step } from './steps.ts';
import type { Told } from './told.ts';

const life = fc.record({
  begin: fc.constantFrom(...BEGINNINGS),
  steps: fc.array(step, { minLength: 1, maxLength: 60, size: 'max' }),
});

async function liveAlone(
  { begin, steps }: { readonly begin: string; readonly steps: readonly Step[] },
  after: (books: readonly Book[], nowMs: number) => void = () => {},
  plant?: (told: Told) => Told,
): Promise<Life> {
  const clock = new ManualClock(begin);
  const lived = await Life.begin(echo(clock, plant), { clock, tenantId: TENANT, suffix: '' });
  for (const one of steps) {
    await lived.live(one);
    after(lived.books, clock.now());
  }
  await lived.catchUp();
  return lived;
}

const TENANT = '6f0c8ca2-6d0b-4c5e-9f5e-0f7c1f9a7d11';

describe('the model alone', () => {
  it('conserves units and money in every life', async () => {
    await fc.assert(
      fc.asyncProperty(life, async (one) => {
        await liveAlone(one, (books, nowMs) => {
          for (const book of books) expect(wrongWith(book, nowMs)).toEqual([]);
        });
      }),
      { numRuns: 60 },
    );
  });

  it('agrees with itself, retries and all', async () => {
    await fc.assert(
      fc.asyncProperty(life, async (one) => {
        await liveAlone(one);
      }),
      { numRuns: 40 },
    );
  });

  it('notices one unit too many, and says where by a script', async () => {
    const plant = (told: Told): Told => (told.used === '2' ? { ...told, used: '3' } : told);
    const use = { feature: 'tokens', amount: u(1), mode: 'REJECT', entity: null, user: 'ann', keyed: false } as const;
    const consume: Step = { act: 'consume', who: 0, hasty: true, ...use };
    const lived = liveAlone({ begin: BEGINNINGS[0], steps: [consume, consume, consume] }, undefined, plant);
    await expect(lived).rejects.toThrow(Disagreement);
    await expect(lived).rejects.toThrow(
      'berlin: consume 1 tokens REJECT … → 1; 1 included\n  used: engine says 3, model says 2',
    );
  });
});

/** Promises of the design page that hold whatever was asked. */
function wrongWith(book: Book, nowMs: number): string[] {
  const wrong: string[] = [];
  for (const { taken, paid } of book.entries) {
    if (paid.included + paid.credits + paid.wallet + paid.overage !== taken)
      wrong.push('a split is not what was taken');
    if (sumOf(paid.draws.map(({ units }) => units)) !== paid.credits) wrong.push('credits are not what was drawn');
    if (paid.walletCharge > paid.cost && taken > 0n) wrong.push('the wallet paid more than it cost');
  }
  for (const grant of book.grants) if (remainingOf(book, grant) < 0n) wrong.push('a grant is overdrawn');
  for (const { key } of FEATURES) {
    const entries = entriesIn(book, key, periodOf(book, key, nowMs));
    const { minLimit } = policyAt(book, key, nowMs);
    if (usedIn(entries) < (minLimit ?? 0n)) wrong.push(`${key} is below its floor`);
    for (const part of ['credits', 'wallet', 'overage'] as const) {
      if (partIn(entries, part) < 0n) wrong.push(`less than no ${part} of ${key}`);
    }
  }
  const charged = sumOf(book.entries.filter(({ state }) => state !== 'undone').map(({ paid }) => paid.walletCharge));
  const put = sumOf(book.money.map(({ amount }) => amount));
  if (book.money.length > 0 && balanceOf(book, nowMs) !== put - charged) wrong.push('money came from nowhere');
  return wrong;
}

describe('the cost function of the model', () => {
  const tiers = [
    { upTo: u(5), unitAmount: u(10), flatAmount: u(3) },
    { upTo: u(12), unitAmount: u('7.5'), flatAmount: 0n },
    { upTo: null, unitAmount: u(4), flatAmount: u(1) },
  ];
  const terms = { currency: 'usd', minimumSpend: null, maximumSpend: null } as const;
  it.each([
    ['nothing', { model: 'per_unit', unitAmount: u(10), ...terms }, 0, '0'],
    ['per unit', { model: 'per_unit', unitAmount: u(10), ...terms }, 2.5, '25'],
    ['per unit, at most', { model: 'per_unit', unitAmount: u(10), ...terms, maximumSpend: u(12) }, 2.5, '12'],
    ['begun packages', { model: 'package', packageAmount: u(25), packageSize: u(3), ...terms }, 6.001, '75'],
    ['whole packages', { model: 'package', packageAmount: u(25), packageSize: u(3), ...terms }, 6, '50'],
    ['percent', { model: 'percentage', percent: u('2.9'), ...terms }, 150, '4.35'],
    ['first tier alone', { model: 'graduated', tiers, ...terms }, 5, '53'],
    ['graduated over two tiers', { model: 'graduated', tiers, ...terms }, 12, '105.5'],
    ['graduated over all tiers', { model: 'graduated', tiers, ...terms }, 14, '114.5'],
    ['volume', { model: 'volume', tiers, ...terms }, 14, '57'],
    ['a step', { model: 'stairstep', tiers, ...terms }, 5, '3'],
  ] as const)('%s', (_, price, quantity, cost) => expect(costOf(price, u(quantity))).toBe(u(cost)));
});
