/** text — what a line of text may hold, whoever wrote it. */

/** Control characters, and halves of surrogate pairs, which no database keeps. */
const UNPRINTABLE = /[\p{Cc}\p{Cs}]/u;

/** What is wrong with a line of 1 to `lengthMax` characters, to be read after its name; null when nothing is. */
export function problemOfLine(text: string, lengthMax: number): string | null {
  if (text.length === 0) return `is empty; write 1 to ${lengthMax} characters`;
  if (text.length > lengthMax) return `is ${text.length} characters long; at most ${lengthMax} fit`;
  if (UNPRINTABLE.test(text)) return 'has a control character in it; only printable characters are allowed';
  return null;
}
