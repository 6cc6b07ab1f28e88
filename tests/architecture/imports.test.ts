/**
 * Goal: imports go one way, and every line that says so holds. Method: the rules are run on the tree as it is, then on
 * a small tree where each of them is broken once.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cruise, type IConfiguration } from 'dependency-cruiser';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const { forbidden = [], options = {} }: IConfiguration = createRequire(import.meta.url)(
  '../../.dependency-cruiser.cjs',
);

/** `rule: file → what it imports`, one for each violation. */
async function violations(baseDir: string, folders: string[]): Promise<string[]> {
  const { output } = await cruise(folders, { ...options, baseDir, validate: true, ruleSet: { forbidden } });
  if (typeof output === 'string') throw new Error(output);
  return output.summary.violations.map(({ rule, from, to }) => `${rule.name}: ${from} → ${to}`);
}

/** It reads every source there is, which a busy machine takes its time for. */
const PATIENCE = { timeout: 60_000 };

it('every import of the workspace goes the right way', PATIENCE, async () => {
  expect(await violations(ROOT, ['server', 'client-sdk', 'web-widget', 'live-page', 'tests'])).toEqual([]);
});

it('every room of the server has its line', () => {
  const folders = readdirSync(join(ROOT, 'server'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const rooms = folders.map(({ name }) => name).filter((name) => !['cli', 'dist', 'node_modules'].includes(name));
  const ruled = forbidden.map(({ name }) => /^server\/(\w+) imports/.exec(name ?? '')?.[1]);
  expect(rooms.filter((room) => !ruled.includes(room))).toEqual([]);
});

describe('a broken rule is named', () => {
  const planted: [file: string, imported: string, violation: string][] = [
    ['server/domain/a.ts', '../db/z.ts', 'server/domain imports no other room: server/domain/a.ts → server/db/z.ts'],
    [
      'server/execution/a.ts',
      '../db/z.ts',
      'server/execution imports no other room: server/execution/a.ts → server/db/z.ts',
    ],
    ['server/db/a.ts', '../metering/z.ts', 'server/db imports domain: server/db/a.ts → server/metering/z.ts'],
    ['server/events/a.ts', '../db/z.ts', 'server/events imports domain: server/events/a.ts → server/db/z.ts'],
    [
      'server/billing/a.ts',
      '../metering/z.ts',
      'server/billing imports domain, db: server/billing/a.ts → server/metering/z.ts',
    ],
    [
      'server/exports/a.ts',
      '../metering/z.ts',
      'server/exports imports domain, db, auth: server/exports/a.ts → server/metering/z.ts',
    ],
    [
      'server/notices/a.ts',
      '../metering/z.ts',
      'server/notices imports domain, db: server/notices/a.ts → server/metering/z.ts',
    ],
    ['server/auth/a.ts', '../schema/z.ts', 'server/auth imports domain, db: server/auth/a.ts → server/schema/z.ts'],
    [
      'server/metering/a.ts',
      '../schema/z.ts',
      'server/metering imports domain, db, events, billing: server/metering/a.ts → server/schema/z.ts',
    ],
    [
      'server/actions/a.ts',
      '../gateway.ts',
      'server/actions imports domain, db, events, billing, auth: server/actions/a.ts → server/gateway.ts',
    ],
    ['server/hooks/a.ts', '../db/z.ts', 'server/hooks imports domain, metering: server/hooks/a.ts → server/db/z.ts'],
    [
      'server/schema/a.ts',
      '../db/z.ts',
      'server/schema imports domain, metering, actions, events: server/schema/a.ts → server/db/z.ts',
    ],
    [
      'server/demo/a.ts',
      '../schema/z.ts',
      'server/demo imports domain, db, metering, actions: server/demo/a.ts → server/schema/z.ts',
    ],
    [
      'server/b.ts',
      '../client-sdk/src/z.ts',
      'server imports no other package of the workspace: server/b.ts → client-sdk/src/z.ts',
    ],
    [
      'client-sdk/src/a.ts',
      '../../server/gateway.ts',
      'client-sdk imports no other package of the workspace: client-sdk/src/a.ts → server/gateway.ts',
    ],
    [
      'web-widget/src/a.ts',
      '../../server/gateway.ts',
      'web-widget imports client-sdk: web-widget/src/a.ts → server/gateway.ts',
    ],
    [
      'live-page/src/a.ts',
      '../../server/gateway.ts',
      'live-page imports client-sdk, web-widget: live-page/src/a.ts → server/gateway.ts',
    ],
    ['server/db/c.ts', './d.ts', 'no cycles: server/db/c.ts → server/db/d.ts'],
    ['server/db/e.ts', './nowhere.ts', 'imports resolve: server/db/e.ts → ./nowhere.ts'],
    ['server/domain/f.ts', 'node:fs', 'the domain is pure: server/domain/f.ts → fs'],
    [
      'server/metering/g.ts',
      'stripe',
      'only billing knows stripe: server/metering/g.ts → node_modules/stripe/index.js',
    ],
    ['server/db/h.ts', 'node:process', 'only config reads the environment: server/db/h.ts → process'],
    ['server/i.ts', '../tests/z.ts', 'the product does without tests: server/i.ts → tests/z.ts'],
    ['server/j.ts', 'dev-tool', 'what is imported is installed: server/j.ts → node_modules/dev-tool/index.js'],
  ];
  /** What a rule must let pass. */
  const sound: [file: string, imported: string][] = [
    ['server/db/d.ts', './c.ts'], // closes the cycle, which is named once
    ['server/schema/k.ts', '../metering/z.ts'],
    ['server/schema/l.ts', '../context.ts'],
    ['server/billing/m.ts', 'stripe'],
    ['server/metering/n.test.ts', '../../tests/z.ts'],
    ['web-widget/src/o.ts', '../../client-sdk/src/z.ts'],
    ['server/config.ts', 'node:process'],
  ];

  it('and nothing else is', async () => {
    const tree = plant([...planted, ...sound]);
    try {
      const found = await violations(tree, ['server', 'client-sdk', 'web-widget', 'live-page', 'tests']);
      expect(found.sort()).toEqual(planted.map(([, , violation]) => violation).sort());
    } finally {
      rmSync(tree, { recursive: true });
    }
  });

  it('and no rule is without a planted breach', () => {
    const broken = new Set(planted.map(([, , violation]) => violation.split(': ')[0]));
    expect(forbidden.map(({ name }) => name).filter((name) => !broken.has(name))).toEqual([]);
  });

  function plant(files: readonly (readonly [file: string, imported: string, ...unknown[]])[]): string {
    const tree = mkdtempSync(join(tmpdir(), 'metergraph-imports-'));
    const put = (file: string, text: string) => {
      mkdirSync(dirname(join(tree, file)), { recursive: true });
      writeFileSync(join(tree, file), text);
    };
    const rooms = ['db', 'metering', 'schema'].map((room) => `server/${room}/z.ts`);
    for (const file of [...rooms, 'server/gateway.ts', 'server/context.ts', 'client-sdk/src/z.ts', 'tests/z.ts']) {
      put(file, 'export const z = 1;\n');
    }
    for (const [file, imported] of files) put(file, `import * as z from '${imported}';\nexport default z;\n`);
    for (const name of ['stripe', 'dev-tool']) {
      put(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
      put(`node_modules/${name}/index.js`, 'module.exports = {};\n');
    }
    const dependencies = { dependencies: { stripe: '1.0.0' }, devDependencies: { 'dev-tool': '1.0.0' } };
    put('package.json', JSON.stringify({ name: 'planted', type: 'module' }));
    put('server/package.json', JSON.stringify({ name: 'server', type: 'module', ...dependencies }));
    return tree;
  }
});
