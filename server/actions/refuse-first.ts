/** refuse-first — the problems of an input as the one error that a mutation answers with. */

import { invalidInput } from '../domain/errors.ts';
import type { Problem } from '../domain/problem.ts';

/** @throws {MeterError} `INVALID_INPUT` for the first problem, if there is any. */
export function refuseFirst(problems: readonly Problem[]): void {
  const [problem] = problems;
  if (problem) throw invalidInput(['input', ...problem.path], `\`${problem.path.join('.')}\` ${problem.sentence}.`);
}
