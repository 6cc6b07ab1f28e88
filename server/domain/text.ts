/** text — what a line of text may hold, whoever wrote it. */

const CONTROL = /\p{Cc}/u;
/** No database keeps it. With the flag `u` a whole pair is none. */
const HALF_PAIR = /\p{Cs}/u;

/** What is wrong with a line of 1 to `lengthMax` characters, to be read after its name; null when nothing is. */
export function problemOfLine(text: string, lengthMax: number): string | null {
  if (text.length === 0) return `is empty; write 1 to ${lengthMax} characters`;
  if (text.length > lengthMax) return `is ${text.length} characters long; at most ${lengthMax} fit`;
  if (CONTROL.test(text)) return 'has a control character in it; only printable characters are allowed';
  if (HALF_PAIR.test(text)) return 'has half of a surrogate pair in it; only whole characters are allowed';
  if (text.trim() === '') return 'has nothing but blanks in it; write something';
  return null;
}
