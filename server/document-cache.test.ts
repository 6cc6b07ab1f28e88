/**
 * Goal: a flood of documents leaves those that are in use where they are, and the memory bounded. Method: 100,000 that
 * are sent once, 100,000 that are sent twice, and one that everybody uses.
 */
import { type DocumentNode, parse } from 'graphql';
import { beforeEach, describe, expect, it } from 'vitest';
import { DOCUMENT_BOUNDS, DocumentCache } from './document-cache.ts';

const FLOOD = 100_000;
const HOT = '{ hot }';

let documents: DocumentCache;

beforeEach(() => {
  documents = new DocumentCache();
});

/** As the doors do with what somebody sends whom we know. */
function use(text: string): DocumentNode {
  const known = documents.get(text);
  if (known) documents.keep(text);
  else documents.set(text, parse(text));
  return known ?? use(text);
}

describe('a flood', () => {
  it.each([
    ['once', 1],
    ['twice', 2],
    ['three times', 3],
  ])('of documents sent %s leaves the one in use, and few others', (_, times) => {
    const hot = use(HOT);
    for (let i = 0; i < FLOOD; i += 1) {
      for (let time = 0; time < times; time += 1) {
        if (documents.get(`{ f${i} }`)) documents.keep(`{ f${i} }`);
        else documents.set(`{ f${i} }`, hot);
      }
      if (i % 100 === 0) expect(use(HOT)).toBe(hot);
    }
    expect(documents.size).toBeLessThanOrEqual(2 * DOCUMENT_BOUNDS.documentsMax);
  });

  it('of documents that nobody sends again leaves even those that are seldom used', () => {
    const seldom = use(HOT);
    for (let i = 0; i < FLOOD; i += 1) documents.set(`{ f${i} }`, seldom);
    expect(documents.get(HOT)).toBe(seldom);
  });
});

it('keeps no more characters than it may', () => {
  const document = parse(HOT);
  const text = (i: number) => `{ f${i} } #${'x'.repeat(10_000)}`;
  for (let i = 0; i < 100; i += 1) documents.set(text(i), document);
  for (let i = 0; i < 100; i += 1) documents.keep(text(i));
  expect(documents.size * text(0).length).toBeLessThanOrEqual(2 * DOCUMENT_BOUNDS.charactersMax);
  expect(documents.get(text(99))).toBe(document);
});

it('does not keep what is too long', () => {
  const text = `{ a } #${'x'.repeat(DOCUMENT_BOUNDS.documentCharactersMax)}`;
  documents.set(text, parse(text));
  documents.keep(text);
  expect(documents.get(text)).toBeUndefined();
});

it('forgets what it is told to, kept or not', () => {
  const document = use(HOT);
  documents.set('{ other }', document);
  documents.delete(HOT);
  documents.delete('{ other }');
  expect([documents.get(HOT), documents.get('{ other }'), documents.size]).toEqual([undefined, undefined, 0]);
});

it('knows nothing of a document that it was never given', () => {
  documents.keep(HOT);
  expect(documents.get(HOT)).toBeUndefined();
});
