/** Goal: the bar is true to the numbers. Method: a table of levels and marks, and laws over random usages. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { usage } from '../playground/fixtures.ts';
import { compare } from './decimal.ts';
import { scaleOf } from './scale.ts';
import type { MeterThreshold, MeterUsage } from './types.ts';

const at = (kind: MeterThreshold['kind'], value: string): MeterThreshold => ({ kind, value });
const spell = (changes: Partial<MeterUsage>): string => {
  const { level, end, within, filled, ticks } = scaleOf(usage(changes));
  return `${level} ${within}/${filled} of ${end}: ${ticks.map((tick) => `${tick.at}${tick.reached ? '!' : ''}`).join(' ')}`;
};

describe('scale', () => {
  it.each([
    [{ used: '0' }, 'calm 0/0 of 1000: 800 1000'],
    [{ used: '799.999999999' }, 'calm 0.799999/0.799999 of 1000: 800 1000'],
    [{ used: '800' }, 'notice 0.8/0.8 of 1000: 800! 1000'],
    [{ used: '1000' }, 'full 1/1 of 1000: 800! 1000!'],
    [{ used: '1250' }, 'over 0.8/1 of 1250: 800! 1000!'],
    [{ used: '1250', thresholds: [] }, 'over 0.8/1 of 1250: 1000!'],
    [{ used: '0', limit: '0' }, 'none 0/0 of null: '],
    [{ used: '5', limit: '0' }, 'over 0/1 of 5: '],
    [{ used: '10', limit: null }, 'calm 0/0 of null: '],
    [{ used: '10', limit: null, thresholds: [at('USED', '8')] }, 'notice 1/1 of 10: 8!'],
    [{ used: '900', thresholds: [at('REMAINING', '100'), at('USED', '950')] }, 'notice 0.9/0.9 of 1000: 900! 950'],
    [
      { used: '900', thresholds: [at('REMAINING_FRACTION', '0.1'), at('SPEND', '5'), at('EVERY', '5')] },
      'notice 0.9/0.9 of 1000: 900!',
    ],
    [{ used: '900', thresholds: [{ ...at('USED', '100'), falling: true }] }, 'calm 0.9/0.9 of 1000: '],
    [{ used: '1', thresholds: [at('FRACTION', '0.5'), at('USED', '500')] }, 'calm 0.001/0.001 of 1000: 500'],
  ])('%j → %s', (changes, says) => expect(spell(changes)).toBe(says));

  const quantities = fc.bigInt({ min: 0n, max: 10n ** 12n }).map((units) => `${units / 1000n}.${units % 1000n}`);
  const thresholds = fc.array(
    fc.record({ kind: fc.constantFrom('FRACTION', 'USED', 'REMAINING'), value: quantities }),
    { maxLength: 6 },
  );

  it('marks stand in order on the bar, and use within the limit is never longer than all use', () => {
    fc.assert(
      fc.property(quantities, fc.option(quantities), thresholds, (used, limit, marks) => {
        const { ticks, within, filled } = scaleOf(usage({ used, limit, thresholds: marks }));
        const positions = ticks.map(({ position }) => position);
        expect(positions).toEqual([...positions].sort((a, b) => a - b));
        expect(positions.every((position) => position > 0 && position <= 1)).toBe(true);
        expect(within).toBeLessThanOrEqual(filled);
      }),
    );
  });

  it('more use never makes it look less serious', () => {
    const ranks = ['none', 'calm', 'notice', 'full', 'over'];
    fc.assert(
      fc.property(quantities, quantities, quantities, thresholds, (a, b, limit, marks) => {
        const [less, more] = compare(a, b) <= 0 ? [a, b] : [b, a];
        const rank = (used: string): number => ranks.indexOf(scaleOf(usage({ used, limit, thresholds: marks })).level);
        expect(rank(less)).toBeLessThanOrEqual(rank(more));
      }),
    );
  });
});
