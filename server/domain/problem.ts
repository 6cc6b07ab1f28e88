/** problem — what is wrong with something that was written, told so that its author can put it right. */

/** Where, from the definition inwards, and a sentence on what was found and what is allowed, read after that place. */
export type Problem = { readonly path: readonly string[]; readonly sentence: string };
