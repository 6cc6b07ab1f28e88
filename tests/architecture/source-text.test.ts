/** Goal: what no import can show: who reads the environment and the clock, and that no file knows one machine. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Not ours, or not kept. */
const PASSED_OVER = new Set(['node_modules', '.git', 'dist', 'artifacts', 'coverage', '.metergraph']);

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (PASSED_OVER.has(entry.name)) return [];
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return filesBelow(path);
    return entry.isFile() ? [path] : [];
  });
}

type Finding = { readonly file: string; readonly line: number; readonly text: string };

/** Where the pattern occurs; comments count only when asked for. */
function find(pattern: RegExp, name: string, source: string, { comments }: { comments: boolean }): Finding[] {
  const read = comments ? source : withoutComments(source);
  return read.split('\n').flatMap((text, index) => {
    const match = pattern.exec(text);
    return match ? [{ file: name, line: index + 1, text: match[0] }] : [];
  });
}

/** Lines stay where they are. A `//` within a string would be cut too, which hides nothing of what is looked for. */
const withoutComments = (source: string): string =>
  source.replace(/\/\*[\s\S]*?\*\//g, (comment) => comment.replace(/[^\n]/g, '')).replace(/(^|\s)\/\/.*$/gm, '$1');

const files = filesBelow(ROOT).map((path) => ({
  name: relative(ROOT, path).split(sep).join('/'),
  source: readFileSync(path, 'utf8'),
}));
const text = files.filter(({ source }) => !source.includes('\0'));
const product = text.filter(({ name }) => /^server\/.*\.ts$/.test(name) && !/\.(test|process)\.ts$/.test(name));

const ENVIRONMENT = /\bprocess\s*(\?\.|\.)\s*env\b|\bprocess\s*\[|\{[^}]*\benv\b[^}]*\}\s*=\s*process\b/;
const IMPURE = new RegExp(
  [
    '\\bDate\\.now\\b',
    '\\bnew Date\\(\\s*\\)',
    '\\bperformance\\.now\\b',
    '\\bTemporal\\.Now\\b',
    '\\bMath\\.random\\b',
    // A source of chance may be handed in under this name; it may not be fetched.
    '\\bcrypto\\.(random\\w+|getRandomValues)\\b',
    '\\bimport\\b.*\\brandom(UUID|Bytes|Int)\\b',
  ].join('|'),
);
/** Built from pieces, so that this file passes its own test. */
const HOMES = ['root', 'work', 'home/[a-z][\\w-]*', 'Users/[A-Za-z][\\w-]*'].join('|');
const MACHINE_PATH = new RegExp(`(?<=^|[\\s"'\`(=:,]|file://)/(${HOMES})(?![\\w-])`);
const REGISTRY = new RegExp(
  ['(registry|npm)\\.(npmjs|yarnpkg|npmmirror)', '//[\\w.-]*(registry|artifactory|nexus)[\\w.-]*[:/]'].join('|'),
  'i',
);

it('only server/config.ts reads process.env', () => {
  const readers = product.filter(({ name }) => name !== 'server/config.ts' && !/\.config\.ts$/.test(name));
  expect(readers.flatMap(({ name, source }) => find(ENVIRONMENT, name, source, { comments: false }))).toEqual([]);
});

it('the domain asks neither a clock nor chance', () => {
  const domain = product.filter(({ name }) => name.startsWith('server/domain/') && name !== 'server/domain/clock.ts');
  expect(domain.flatMap(({ name, source }) => find(IMPURE, name, source, { comments: false }))).toEqual([]);
});

it('no file names a path of one machine', () => {
  expect(text.flatMap(({ name, source }) => find(MACHINE_PATH, name, source, { comments: true }))).toEqual([]);
});

it('no file names a package registry, the lockfile included', () => {
  expect(text.map(({ name }) => name)).toContain('package-lock.json');
  expect(text.flatMap(({ name, source }) => find(REGISTRY, name, source, { comments: true }))).toEqual([]);
});

describe('each of these would be found', () => {
  const comments = { comments: false };
  it.each(['process.env.PORT', "process['env']", 'const { env } = process;', 'process?.env'])('%s', (source) => {
    expect(find(ENVIRONMENT, 'a.ts', source, comments)).toHaveLength(1);
  });
  it.each([
    'const at = Date.now();',
    'new Date()',
    'Math.random()',
    'crypto.randomUUID()',
    "import { randomBytes } from 'node:crypto'",
  ])('%s', (source) => {
    expect(find(IMPURE, 'a.ts', source, comments)).toHaveLength(1);
  });
  it.each([`cd /${'root'}/x`, `"/${'work'}/main"`, `file:///${'home'}/me/a`, `(/${'Users'}/me)`])('%s', (source) => {
    expect(find(MACHINE_PATH, 'a.ts', source, { comments: true })).toHaveLength(1);
  });
  it.each([`https://${'registry'}.npmjs.org/a`, `http://my-${'registry'}.example:4873/a`])('%s', (source) => {
    expect(find(REGISTRY, 'a.ts', source, { comments: true })).toHaveLength(1);
  });
  it.each([
    '// process.env',
    '/* new Date() */',
    'new Date(ms)',
    'randomBytes(length)',
    '/graphql/work/x',
    'https://example.com/root',
  ])('not %s', (source) => {
    const found = [ENVIRONMENT, IMPURE, MACHINE_PATH, REGISTRY].flatMap((pattern) =>
      find(pattern, 'a.ts', source, comments),
    );
    expect(found).toEqual([]);
  });
});
