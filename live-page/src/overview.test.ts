import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import { namesOf, OVERVIEW } from './overview.ts';
import { customer } from './testing/usages.ts';

it('asks only for what the schema has', () => {
  const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));
  expect(validate(schema, parse(OVERVIEW))).toEqual([]);
});

it("calls a customer by name, or else by the app's own id", () => {
  const nameOf = namesOf([{ ...customer('acme', []), name: 'Acme' }, customer('org_7', [])]);
  expect(['acme', 'org_7', 'unknown'].map(nameOf)).toEqual(['Acme', 'org_7', 'unknown']);
});
