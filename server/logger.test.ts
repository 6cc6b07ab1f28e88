/** Goal: no secret gets into a log, in whatever field or sentence it comes. Method: log them all, read the lines. */
import { expect, it } from 'vitest';
import { createLogger } from './logger.ts';

const SECRET = 'Zq3'.repeat(11).slice(0, 32);
const TOKEN = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhY21lIn0.c2lnbmF0dXJl';

it.each([
  ['a key in a sentence', [`key mg_live_abcdefgh_${SECRET} was refused`]],
  ['a key in a header', [{ req: { headers: { authorization: `Bearer mg_test_abcdefgh_${SECRET}` } } }, 'refused']],
  ['a field by its name', [{ token: SECRET, setting: { secret: SECRET }, password: SECRET }, 'settings']],
  ['a token in an error', [{ err: new Error(`bad token ${TOKEN}`) }, 'refused']],
  ['a password in a URL', [{ err: new Error(`cannot reach postgres://meter:${SECRET}@db:5432/meter`) }, 'down']],
  ['a password without a user', [`postgres://:${SECRET}@db/meter`]],
] as const)('keeps back %s', (_, [first, ...rest]) => {
  const lines: string[] = [];
  const logger = createLogger('info', (line) => lines.push(line));
  if (typeof first === 'string') logger.info(first);
  else logger.info(first, ...rest);
  expect(lines).toHaveLength(1);
  expect(lines[0]).not.toContain(SECRET);
  expect(lines[0]).not.toContain(TOKEN);
  expect(lines[0]).toContain('[secret]');
});

it('tells which key it was, and where the database is', () => {
  const lines: string[] = [];
  const logger = createLogger('info', (line) => lines.push(line));
  logger.info(`mg_live_abcdefgh_${SECRET} at postgres://meter:${SECRET}@db:5432/meter`);
  expect(lines[0]).toContain('mg_live_abcdefgh_[secret] at postgres://meter:[secret]@db:5432/meter');
});
