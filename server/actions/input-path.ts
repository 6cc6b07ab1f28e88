/** input-path — where a problem stands in an input of the API, whose words are not always those of the config file. */
import type { Problem } from '../domain/problem.ts';

/** The window of a rate limit has its unit in its name there. */
export const inputPath = (path: Problem['path']): Problem['path'] =>
  path.map((part, i) => (part === 'window' && path[i - 2] === 'rateLimits' ? 'windowSeconds' : part));

/** The same problems, where they stand in an input. */
export const inInput = (problems: readonly Problem[]): readonly Problem[] =>
  problems.map((problem) => ({ ...problem, path: inputPath(problem.path) }));
