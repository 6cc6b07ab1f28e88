/** Goal: the SDK knows every code that a gateway answers with. Method: its type, and the table in its README. */
import { readFileSync } from 'node:fs';
import { expect, expectTypeOf, it } from 'vitest';
import type { MetergraphErrorCode } from '../../client-sdk/src/index.ts';
import { ERROR_CODES, type ErrorCode } from '../../server/domain/errors.ts';

/** Refusals of the doors, before a call is understood. */
const DOOR_CODES = ['TOO_MANY_SUBSCRIPTIONS'] as const;

it('in its type', () => {
  expectTypeOf<ErrorCode | (typeof DOOR_CODES)[number]>().toExtend<MetergraphErrorCode>();
});

it('in its README', () => {
  const readme = readFileSync(new URL('../../client-sdk/README.md', import.meta.url), 'utf8');
  const [, section = ''] = readme.split('## Errors');
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) => [...row.matchAll(/`([A-Z_]+)`/g)].map(([, code]) => code));
  expect([...Object.keys(ERROR_CODES), ...DOOR_CODES].filter((code) => !named.includes(code))).toEqual([]);
});
