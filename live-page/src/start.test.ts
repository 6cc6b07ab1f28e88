import { expect, it } from 'vitest';
import { readStart } from './start.ts';

it.each([
  ['{"demoKey":"mg_test_a_b"}', 'mg_test_a_b'],
  ['{"demoKey":null}', null],
  ['{"demoKey":7}', null],
  ['[]', null],
  ['{', null],
  [undefined, null],
])('%s starts with the key %s', (json, demoKey) => expect(readStart(json)).toEqual({ demoKey }));
