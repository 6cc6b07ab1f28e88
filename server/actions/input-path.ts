/** input-path — where a problem stands in an input of the API, whose words are not always those of the config file. */
import type { Problem } from '../domain/problem.ts';

/** By the field around it: what an input has its unit in the name of, or spells out. */
const NAMES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  price: { per: 'packageSize' },
  autoTopUp: { coolOff: 'coolOffSeconds' },
};

/** A rollover stands beside `onRenewal` in an input, not in it. */
export const inputPath = (path: Problem['path']): Problem['path'] =>
  path
    .map((part, i) => {
      if (part === 'window' && path[i - 2] === 'rateLimits') return 'windowSeconds';
      return NAMES[path[i - 1] ?? '']?.[part] ?? part;
    })
    .filter((part, i) => part !== 'onRenewal' || path[i + 1] !== 'rollover');

/** The same problems, where they stand in an input. */
export const inInput = (problems: readonly Problem[]): readonly Problem[] =>
  problems.map((problem) => ({ ...problem, path: inputPath(problem.path) }));
