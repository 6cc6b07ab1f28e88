/** refuse-first — the problems of an input as the one error that a mutation answers with. */
import type { Problem } from '../domain/definition-bounds.ts';
import { invalidInput } from '../domain/errors.ts';

/** @throws {MeterError} `INVALID_INPUT` for the first problem, if there is any. */
export function refuseFirst(problems: readonly Problem[]): void {
  const [problem] = problems;
  if (problem) throw invalidInput(['input', ...problem.path], `\`${problem.path.join('.')}\` ${problem.sentence}.`);
}
