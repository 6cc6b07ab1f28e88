/**
 * Goal: a refusal that a call brings along takes its place in the order of refusal: first, or last.
 * Method: a table.
 */
import { expect, it } from 'vitest';
import type { Allowed } from './decision.ts';
import { lastWord, type Refusal, refusedOutright } from './hook.ts';

const PROPOSAL = { outcome: 'allowed' } as Allowed; // no hook of this test looks at it
const NOT_AUTHORIZED: Refusal = { reason: 'NOT_AUTHORIZED', message: 'Not you.' };
const REFUSED: Refusal = { reason: 'REFUSED_BY_HOOK', message: 'Not now.' };
const asked = () => 'asked';

it.each([
  // brought along   asked inside  before decide                            the last word
  [null, null, null, null],
  [null, asked, null, 'asked'],
  [NOT_AUTHORIZED, asked, { ...NOT_AUTHORIZED, retryAtMs: null }, 'asked'],
  [REFUSED, null, null, 'Not now.'],
  [REFUSED, asked, null, 'Not now.'],
] as const)('%j with hook %j', (refusal, hook, first, last) => {
  expect(refusedOutright(refusal)).toEqual(first);
  expect(lastWord(refusal, hook)?.(PROPOSAL) ?? null).toBe(last);
});
