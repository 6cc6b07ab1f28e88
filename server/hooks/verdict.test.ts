/**
 * Goal: every answer of a `before` hook means one thing, and a refusal is text that can be stored and shown.
 * Method: a table of answers; sentences that are too long, empty, or not text at all.
 */
import { describe, expect, it } from 'vitest';
import type { BeforeVerdict } from '../hooks.ts';
import { DEFAULT_REFUSAL, refusalOf } from './verdict.ts';

/** Configs may be JavaScript: then nothing holds a hook to its type. */
const untyped = (value: unknown) => value as BeforeVerdict;

describe('a verdict', () => {
  it.each<readonly [string, BeforeVerdict, string | null]>([
    ['nothing', undefined, null],
    ['null', null, null],
    ['true', true, null],
    ['allow: true', { allow: true }, null],
    ['allow: true with a sentence', { allow: true, message: 'Fine.' }, null],
    ['an object that says nothing of it', untyped({ refuse: 'No.' }), null],
    ['a number', untyped(0), null],
    ['a list', untyped([false]), null],
    ['a sentence', 'Too many at night.', 'Too many at night.'],
    ['false', false, DEFAULT_REFUSAL],
    ['allow: false', { allow: false }, DEFAULT_REFUSAL],
    ['allow: false with a sentence', { allow: false, message: 'Not today.' }, 'Not today.'],
    ['allow: false with what is no sentence', untyped({ allow: false, message: 5 }), DEFAULT_REFUSAL],
    ['an empty sentence', '', DEFAULT_REFUSAL],
    ['a blank sentence', ' \n', DEFAULT_REFUSAL],
    ['a sentence with control characters', 'a\u0000b\r\n\u001bc', 'a b c'],
    ['a sentence with half a character', 'a\ud83d!', 'a !'],
    ['a sentence with a whole one', 'a \u{1f600}!', 'a \u{1f600}!'],
  ])('%s', (_, verdict, refusal) => expect(refusalOf(verdict)).toBe(refusal));

  it('ends a sentence after 500 characters, between two of them', () => {
    expect(refusalOf('\u{1f600}'.repeat(500))).toBe('\u{1f600}'.repeat(500));
    expect(refusalOf('\u{1f600}'.repeat(501))).toBe(`${'\u{1f600}'.repeat(499)}…`);
  });
});
