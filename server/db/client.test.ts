/** Goal: a SQLSTATE is told from the other codes that errors carry, and a lost database from a failed query. */
import { expect, it } from 'vitest';
import { isUnreachable, sqlStateOf } from './client.ts';

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

it.each([
  [withCode('57P01'), true], // an administrator ended the connection
  [withCode('53300'), true], // too many connections
  [withCode('CONNECTION_CLOSED'), true],
  [withCode('ECONNREFUSED'), true],
  [new Error('a wrapper', { cause: withCode('CONNECT_TIMEOUT') }), true],
  [withCode('23505'), false],
  [withCode('ERR_INVALID_ARG_TYPE'), false], // a bug of ours
  [new Error('no code'), false],
])('%o means that the database is not there: %s', (error, answer) => expect(isUnreachable(error)).toBe(answer));
