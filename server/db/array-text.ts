/** array-text — arrays of parameters as one text. */
import type { Parameter } from './client.ts';

/** Arrays as Postgres writes them, since the driver does not know their types. */
export const withoutArrays = (param: Parameter) => (isArray(param) ? `{${param.map(element).join()}}` : param);

function element(text: string | null): string {
  if (text === null) return 'NULL';
  if (PLAIN.test(text)) return text; // ids, numbers, instants: nearly all there is
  return ESCAPED_OTHERWISE.test(text) ? `"${text.replace(/["\\]/g, '\\$&')}"` : JSON.stringify(text);
}

/** What needs no quotes in an array: it does not spell NULL. */
const PLAIN = /^(?!null$)[\w.:+-]+$/i;
/** Control characters and halves of pairs: all others JSON quotes as Postgres does, and far quicker than we can. */
const ESCAPED_OTHERWISE = /[^\u0020-\ud7ff\ue000-\uffff]/;

/** As `Array.isArray`, which does not tell read-only arrays from the rest. */
const isArray = (param: Parameter): param is readonly (string | null)[] => Array.isArray(param);
