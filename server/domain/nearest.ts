/** nearest — the known word a misspelt one was probably meant to be. */
import { distance } from 'fastest-levenshtein';

/** @returns the closest of `known`, if at most a third of its letters (and at least two) differ. */
export function nearest(word: string, known: Iterable<string>): string | undefined {
  let best: { word: string; distance: number } | undefined;
  for (const candidate of known) {
    const apart = distance(word.toLowerCase(), candidate.toLowerCase());
    if (!best || apart < best.distance) best = { word: candidate, distance: apart };
  }
  return best && best.distance <= Math.max(2, Math.floor(best.word.length / 3)) ? best.word : undefined;
}
