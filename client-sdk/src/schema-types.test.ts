import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { describe, expect, it } from 'vitest';
import { SCHEMA, schemaTypes, TYPES } from '../scripts/schema-types.ts';
import * as documents from './documents.ts';
import * as liveDocuments from './live-documents.ts';

const sdl = readFileSync(SCHEMA, 'utf8');

describe('schema-types.d.ts', () => {
  it('is what schema.graphql says (if not: npm run schema-types -w client-sdk)', () => {
    expect(readFileSync(TYPES, 'utf8') === schemaTypes(sdl)).toBe(true);
  });
});

/** The type checker cannot see everything a gateway refuses, such as an argument that does not exist. */
describe('documents', () => {
  it.each(Object.entries({ ...documents, ...liveDocuments }))('%s is valid', (_, { text }) => {
    expect(validate(buildSchema(sdl), parse(text))).toEqual([]);
  });
});
