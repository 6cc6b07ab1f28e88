/** Goal: every acceptance in a reply of many is counted once. */
import { expect, it } from 'vitest';
import { countOf } from './count-of.ts';

it.each([
  ['', 'ab', 0],
  ['ab', 'ab', 1],
  ['xabxabab', 'ab', 3],
  ['aaa', 'aa', 1],
  ['"allowed":true,"allowed":false,"allowed":true', '"allowed":true', 2],
])('%j has %j %d times', (text, part, count) => expect(countOf(text, part)).toBe(count));
