/** problem — what is wrong with something that was written, told so that its author can put it right. */

/** Where, from the definition inwards, and a sentence on what was found and what is allowed, read after that place. */
export type Problem = { readonly path: readonly string[]; readonly sentence: string };

/** One problem at a path, or none where there is no sentence. */
export const problemAt = (path: readonly string[], sentence: string | null): readonly Problem[] =>
  sentence === null ? [] : [{ path, sentence }];

/** The same problems, seen from further out. */
export const under = (outer: readonly string[], problems: readonly Problem[]): readonly Problem[] =>
  problems.map(({ path, sentence }) => ({ path: [...outer, ...path], sentence }));

export const problemsOfCount = (path: readonly string[], count: number, max: number, noun: string) =>
  problemAt(path, count <= max ? null : `has ${count} ${noun}; at most ${max} are allowed`);
