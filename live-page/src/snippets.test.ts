import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { buildSchema, parse, validate } from 'graphql';
import { expect, it } from 'vitest';
import { consumeCurl, embedSnippet } from './snippets.ts';

const ORIGIN = 'http://localhost:4000';
const schema = buildSchema(readFileSync(new URL('../../schema.graphql', import.meta.url), 'utf8'));

/** What curl would be given by a shell: a function of that name prints its arguments instead. */
function argumentsInAShell(command: string): string[] {
  const script = `curl() { printf '%s\\0' "$@"; }; ${command}`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8', env: { METERGRAPH_KEY: 'mine' } }).split('\0');
}

it.each([
  ['acme', 'mg_test_a_b', 'Authorization: Bearer mg_test_a_b'],
  ['O\'Hara & "Sons" $HOME', null, 'Authorization: Bearer mine'],
])('the curl for %s reaches the API as it is meant', (referenceId, demoKey, authorization) => {
  const [url, , header, , , , body = ''] = argumentsInAShell(
    consumeCurl({ origin: ORIGIN, demoKey, referenceId, featureKey: 'calls' }),
  );
  expect([url, header]).toEqual([`${ORIGIN}/graphql`, authorization]);
  const { query } = JSON.parse(body) as { query: string };
  expect(query).toContain(JSON.stringify(referenceId));
  expect(validate(schema, parse(query))).toEqual([]);
});

it('embeds the meter of this gateway in ten lines', () => {
  const snippet = embedSnippet(ORIGIN, 'calls');
  expect(snippet).toContain(`<script src="${ORIGIN}/widget.js" async></script>`);
  expect(snippet).toContain('<usage-meter feature="calls"');
  expect(snippet.split('\n')).toHaveLength(10);
});
