/** verdict — what a `before` hook answered, as the sentence of a denial. */
import type { BeforeVerdict } from '../hooks.ts';

const LENGTH_MAX = 500;

export const DEFAULT_REFUSAL = 'The app refused this call; ask its makers why.';

/** For calls whose hook could not be heard: it says nothing of the reason, which is the operator's to read in the log. */
export const FAILED_REFUSAL =
  'The app could not be asked whether it allows this call, so it is refused; try again, with a new idempotency key.';

/** @returns the sentence that refuses, or null to let the call pass. */
export function refusalOf(verdict: BeforeVerdict): string | null {
  if (verdict === false) return DEFAULT_REFUSAL;
  if (typeof verdict === 'string') return sentenceOf(verdict);
  if (typeof verdict === 'object' && verdict !== null && verdict.allow === false) return sentenceOf(verdict.message);
  return null;
}

/** Whatever a hook says is stored and sent: it has an end, and only characters that any database holds. */
function sentenceOf(message: unknown): string {
  if (typeof message !== 'string') return DEFAULT_REFUSAL;
  const text = message.replace(/[\p{Cc}\p{Cs}]+/gu, ' ').trim(); // control characters, and halves of surrogate pairs
  if (text === '') return DEFAULT_REFUSAL;
  const characters = [...text];
  return characters.length <= LENGTH_MAX ? text : `${characters.slice(0, LENGTH_MAX - 1).join('')}…`;
}
