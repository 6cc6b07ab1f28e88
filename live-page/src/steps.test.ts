import { expect, it } from 'vitest';
import { stepsFor } from './steps.ts';
import { usage } from './testing/usages.ts';

it.each([
  // limit, used, the buttons
  ['1000', '0', ['1', '50']],
  ['20000000', '0', ['1', '1000000']],
  ['100', '0', ['1', '5']],
  ['10', '0', ['1', '5']],
  ['3', '0', ['1', '2']],
  ['0.5', '0', ['1', '2']],
  [null, '0', ['1', '5']],
  [null, '4000', ['1', '200']],
] as const)('a limit of %s with %s used offers %o', (limit, used, steps) =>
  expect(stepsFor(usage({ limit, used }))).toEqual(steps),
);

it('offers one alone where events are counted', () => {
  expect(stepsFor(usage({ limit: '1000', aggregation: 'COUNT' }))).toEqual(['1']);
});
