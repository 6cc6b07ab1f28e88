/** Goal: a SQLSTATE is told from the other codes that errors carry. */
import { expect, it } from 'vitest';
import { sqlStateOf } from './client.ts';

const withCode = (code: unknown) => Object.assign(new Error('it failed'), { code });

it.each([
  [withCode('23505'), '23505'],
  [withCode('0A000'), '0A000'],
  [withCode('XX000'), 'XX000'],
  [new Error('a wrapper', { cause: withCode('40P01') }), '40P01'],
  [withCode('EPIPE'), null], // five capital letters too, but of the operating system: the connection is gone
  [withCode('ECONNRESET'), null],
  [withCode(23_505), null],
  [new Error('no code'), null],
  ['23505', null],
])('%o: %s', (error, state) => expect(sqlStateOf(error)).toBe(state));
