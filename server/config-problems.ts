/** config-problems — what is wrong with a config file, each with its path, what was found and what is allowed. */
import { nearest } from './domain/nearest.ts';

export type ConfigProblem = {
  /** From the top of the file inwards, e.g. `plans.pro.features.api_cals`; empty for the file as a whole. */
  readonly path: string;
  /** Reads on from the path: `is 5; …`. */
  readonly sentence: string;
};

/** A config that can't be used; the message lists every problem. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly ConfigProblem[];

  constructor(source: string, problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    super([`The config ${source} has ${count}:`, ...problems.map(lineOf)].join('\n'));
    this.problems = problems;
  }
}

const lineOf = ({ path, sentence }: ConfigProblem): string => `  - ${path === '' ? 'the config' : path} ${sentence}`;

/** `is no field of a plan; did you mean "features"? …` */
export const unknownField = (field: string, owner: string, allowed: readonly string[]): string =>
  `is no field of ${owner}; ${didYouMean(field, allowed)}allowed are ${allowed.join(', ')}`;

/** `is "weekley"; did you mean "weekly"? …` */
export const unknownValue = (found: unknown, allowed: readonly string[]): string =>
  `is ${shown(found)}; ${typeof found === 'string' ? didYouMean(found, allowed) : ''}allowed are ${allowed.join(', ')}`;

/** `names a feature that is not defined; did you mean "api_calls"? …` */
export const danglingName = (name: string, noun: string, defined: readonly string[]): string => {
  const known = defined.length === 0 ? `no ${noun} is defined` : `defined are ${defined.join(', ')}`;
  return `names a ${noun} that is not defined; ${didYouMean(name, defined)}${known}`;
};

const didYouMean = (word: string, known: readonly string[]): string => {
  const meant = nearest(word, known);
  return meant === undefined ? '' : `did you mean "${meant}"? `;
};

/** A found value in a few words. */
export function shown(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null || typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value);
  return Array.isArray(value) ? 'a list' : `a ${typeof value === 'object' ? 'group of fields' : typeof value}`;
}
