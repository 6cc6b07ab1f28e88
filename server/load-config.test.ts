/** Goal: a config file is found, run and read as its author meant it. Method: real files in a folder of their own. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { loadConfig } from './load-config.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'metergraph-config-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

it('runs TypeScript that imports this package from a folder without it', async () => {
  const path = write(
    'metergraph.config.ts',
    `import { defineConfig } from 'metergraph';
     const perDay: number = 10 * 100;
     export default defineConfig({ features: { api_calls: { limit: perDay } }, plans: {} });`,
  );
  expect(await loadConfig(path)).toMatchObject({
    definition: { features: [{ key: 'api_calls', limit: 1_000_000_000_000n }] },
  });
});

it('keeps every null: it means unlimited', async () => {
  const path = write('meter.json', '{ "features": { "api_calls": { "limit": null } } }');
  expect(await loadConfig(path)).toMatchObject({ definition: { features: [{ key: 'api_calls', limit: null }] } });
});

it('looks for the default file in the working directory, and does without', async () => {
  vi.spyOn(process, 'cwd').mockReturnValue(folder);
  expect(await loadConfig(null)).toBeNull();
  write('metergraph.config.ts', 'export default { features: {} }');
  expect(await loadConfig(null)).toEqual({
    definition: { features: [], plans: [], defaultPlanKey: null },
    hooks: { before: null, after: null, authorizeReference: null },
    billing: { creditPacks: [], redirectOrigins: [], dunningGraceMs: 7 * 24 * 3_600_000, defaultCurrency: 'usd' },
    invoicing: null,
    notices: [],
  });
});

it('hands out the functions of the file as they are', async () => {
  const path = write(
    'metergraph.config.ts',
    `export default {
       features: {},
       hooks: { before: async ({ amount }: { amount: string }) => amount + ' is too much' },
       authorizeReference: () => false,
     };`,
  );
  const { before, authorizeReference } = (await loadConfig(path))?.hooks ?? {};
  expect(before).toMatchObject({ mode: 'async', deadlineMs: 250, onFailure: 'deny' });
  const call = { amount: '5' } as Parameters<NonNullable<typeof before>['run']>[0]; // the rest is not looked at
  expect(await before?.run(call)).toBe('5 is too much');
  expect(await authorizeReference?.({ apiKey: { id: 'k', name: null, scopes: [] }, referenceId: 'acme' })).toBe(false);
});

it.each([
  ['is not there', 'other.config.ts', null, /other\.config\.ts has a problem:\n {2}- the config does not exist; check/],
  [
    'does not compile',
    'a.config.ts',
    'export default {',
    /a\.config\.ts has a problem:\n {2}- the config could not be read: /,
  ],
  ['throws', 'b.config.ts', 'throw new Error("no moon tonight")', /could not be read: no moon tonight/],
  [
    'exports nothing',
    'c.config.ts',
    'const config = { features: {} }; config;',
    /c\.config\.ts has a problem:\n {2}- features is missing/,
  ],
  [
    'says something wrong',
    'd.config.ts',
    'export default { features: { a: { limt: 1 } } }',
    /features\.a\.limt is no field of a feature/,
  ],
])('refuses a file that %s', async (_, name, content, says) => {
  if (content !== null) write(name, content);
  await expect(loadConfig(join(folder, name))).rejects.toThrow(says);
});
