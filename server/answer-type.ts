/** answer-type — the media type of a plain answer, negotiated as yoga does it. */

const JSON_TYPE = 'application/json';
const RESULT_TYPE = 'application/graphql-response+json';

export type AnswerType = typeof JSON_TYPE | typeof RESULT_TYPE;

/** @returns null where no plain answer is accepted: an event stream, say. */
export function answerTypeOf(accept: string | undefined): AnswerType | null {
  if (!accept || accept === JSON_TYPE || accept === '*/*') return JSON_TYPE;
  for (const part of accept.replace(/\s/g, '').toLowerCase().split(',')) {
    const [type = '', ...parameters] = part.split(';');
    const charset = parameters.find((parameter) => parameter.includes('charset=')) ?? 'charset=utf-8';
    const answer = charset === 'charset=utf-8' ? matching(type) : null;
    if (answer !== null) return answer;
  }
  return null;
}

function matching(type: string): AnswerType | null {
  const [kind, subtype] = type.split('/');
  if (kind !== 'application' && kind !== '*') return null;
  if (subtype === 'json' || subtype === '*') return JSON_TYPE;
  return subtype === 'graphql-response+json' ? RESULT_TYPE : null;
}
