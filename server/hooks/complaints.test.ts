/**
 * Goal: a hook that is wrong with every call fills no log, and each thing that is wrong is still told.
 * Method: a clock that the test moves.
 */
import { expect, it } from 'vitest';
import { createComplain } from './complaints.ts';

function rig() {
  let nowMs = 1_000_000;
  const lines: unknown[][] = [];
  const complain = createComplain({ warn: (...line: unknown[]) => lines.push(line) }, { now: () => nowMs });
  return { complain, lines, advance: (ms: number) => (nowMs += ms) };
}

it('tells the same once a minute, with how often it was left untold', () => {
  const { complain, lines, advance } = rig();
  for (let i = 0; i < 3; i += 1) complain('threw', 'It threw.', { err: i });
  advance(59_999);
  complain('threw', 'It threw.');
  expect(lines).toEqual([[{ err: 0 }, 'It threw.']]);
  advance(1);
  complain('threw', 'It threw.', { err: 9 });
  expect(lines[1]).toEqual([{ err: 9, untold: 3 }, 'It threw.']);
});

it('gives each thing a minute of its own', () => {
  const { complain, lines } = rig();
  complain('threw', 'It threw.');
  complain('late', 'It was late.');
  expect(lines).toEqual([
    [{}, 'It threw.'],
    [{}, 'It was late.'],
  ]);
});

it('is not silenced by a clock that is set back', () => {
  const { complain, lines, advance } = rig();
  complain('threw', 'It threw.');
  advance(-3_600_000);
  complain('threw', 'It threw.');
  expect(lines).toHaveLength(2);
});
