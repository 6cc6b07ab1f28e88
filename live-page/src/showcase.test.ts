/** Goal: few meters that show much. Method: each chosen one spelled as customer/feature. */
import { expect, it } from 'vitest';
import type { ShownCustomer } from './overview.ts';
import { chooseShowcases } from './showcase.ts';
import { customer } from './testing/usages.ts';

const spell = (customers: readonly ShownCustomer[]): string =>
  chooseShowcases(customers)
    .map((chosen) => `${chosen.customer.referenceId}/${chosen.usage.feature.key}`)
    .join(' ');

const SOFT = { enforcement: 'SOFT' } as const;

it('shows other customers and features rather than more of the same', () => {
  const all = [{ key: 'calls' }, { key: 'seats' }, { key: 'mails' }];
  expect(spell([customer('a', all), customer('b', all), customer('c', all)])).toBe('a/calls b/seats c/mails a/seats');
});

it('begins with a hard limit, and shows each kind', () => {
  expect(
    spell([
      customer('a', [{ key: 'w', limit: null }]),
      customer('b', [{ key: 'x', ...SOFT }]),
      customer('d', [{ key: 'z' }]),
      customer('e', [{ key: 'q' }]),
    ]),
  ).toBe('d/z b/x a/w e/q');
});

it('shows the same meters again after some use', () => {
  const used = (a: string, b: string) => spell([customer('a', [{ used: a }]), customer('b', [{ used: b }])]);
  expect(used('10', '100')).toBe(used('100', '10'));
});

it('shows a limit of nothing only where there is nothing else', () => {
  const none = { key: 'none', limit: '0' };
  expect(spell([customer('a', [none]), customer('b', [{ key: 'calls' }])])).toBe('b/calls a/none');
});

it('shows no meter of what is not in the plan', () => {
  expect(spell([customer('a', [{ key: 'exports', limit: null, entitled: false }, {}])])).toBe('a/calls');
});

it('shows at most four, and nothing of nobody', () => {
  expect(chooseShowcases(['a', 'b', 'c', 'd', 'e'].map((id) => customer(id, [{}])))).toHaveLength(4);
  expect(chooseShowcases([])).toEqual([]);
});
