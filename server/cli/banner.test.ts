/** Goal: what the banner says can be opened and pasted as it stands. Method: the banner of each kind of start. */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import type { Started } from '../start.ts';
import { banner } from './banner.ts';

const KEY = `mg_test_abcdefgh_${'x'.repeat(32)}`;
const started = (more: Partial<Started> = {}): Started => ({
  url: 'http://127.0.0.1:4000',
  place: 'the embedded database in .metergraph',
  key: { kind: 'demo', text: KEY },
  example: { referenceId: 'acme', featureKey: 'api_calls', isRegistered: true },
  close: async () => {},
  ...more,
});
const plain = (text: string) => text;
const said = (more?: Partial<Started>) => banner(started(more), plain);

/** The arguments that a shell makes of the call, with a `curl` that only says them. */
function curlArguments(text: string): readonly string[] {
  const script = `curl() { printf '%s\\0' "$@"; }\n${text.slice(text.indexOf('  curl '))}`;
  const env = { METERGRAPH_KEY: 'from the environment' };
  return execFileSync('/bin/sh', ['-c', script], { encoding: 'utf8', env }).split('\0').slice(0, -1);
}

it('has a call that a shell understands', () => {
  const [url, , authorization, , , , body] = curlArguments(said());
  expect(url).toBe('http://127.0.0.1:4000/graphql');
  expect(authorization).toBe(`Authorization: Bearer ${KEY}`);
  expect(JSON.parse(body ?? '').query).toContain('consume(input: { referenceId: "acme", featureKey: "api_calls" })');
});

it('has one that registers first, where nobody is registered', () => {
  const example = { referenceId: 'acme', featureKey: 'api_calls', isRegistered: false };
  const body = curlArguments(said({ example })).at(-1) ?? '';
  expect(JSON.parse(body).query).toMatch(
    /^mutation \{ registerCustomer\(input: \{ referenceId: "acme" \}\) .* consume/,
  );
});

it('leaves room for a key that was shown before', () => {
  expect(curlArguments(said({ key: null }))).toContain('Authorization: Bearer from the environment');
  expect(said({ key: null })).not.toContain(' key ');
});

it.each([
  ['http://0.0.0.0:4000', 'http://localhost:4000/'],
  ['http://[::]:4000', 'http://localhost:4000/'],
  ['http://[::1]:4000', 'http://[::1]:4000/'],
])('for %s has a page to open at %s', (url, page) => expect(said({ url })).toContain(`Live page   ${page}\n`));

it('says what to do where there are no features', () => {
  expect(said({ example: null })).toContain('There are no features yet: write a metergraph.config.ts');
  expect(said({ example: null })).not.toContain('curl');
});
