// @ts-check
/**
 * build — builds the packages of the workspace, each after those it is made from, and none without need.
 *
 * What a package was built from is remembered as one hash over the contents of its sources and of what it needs, so a
 * checkout, a merge or a touched date builds nothing, and a changed byte builds what depends on it.
 *
 *     node scripts/build.mjs            builds what is stale
 *     node scripts/build.mjs --force    builds everything
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} Target
 * @property {string} workspace  The package whose `build` script is run.
 * @property {string[]} sources  Files and folders it is made from.
 * @property {string[]} needs    Targets that are built first.
 * @property {string[]} products Files that must be there afterwards; one missing means stale.
 */

/** In an order in which each comes after what it needs. @type {Record<string, Target>} */
const TARGETS = {
  'client-sdk': {
    workspace: '@metergraph/client-sdk',
    sources: ['client-sdk', 'schema.graphql', 'tsconfig.json'],
    needs: [],
    products: ['client-sdk/dist/index.js'],
  },
  'web-widget': {
    workspace: '@metergraph/web-widget',
    sources: ['web-widget', 'tsconfig.json'],
    needs: ['client-sdk'],
    products: ['web-widget/dist/index.js', 'web-widget/dist/widget.js'],
  },
  'live-page': {
    workspace: '@metergraph/live-page',
    sources: ['live-page', 'tsconfig.json'],
    needs: ['client-sdk', 'web-widget'],
    products: ['live-page/dist/index.html'],
  },
  server: {
    workspace: 'metergraph',
    sources: ['server', 'drizzle', 'tsconfig.json'],
    needs: ['web-widget', 'live-page'],
    products: ['server/dist/main.js', 'server/dist/cli.js', 'server/dist/index.js'],
  },
};

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const REMEMBERED = join(ROOT, 'node_modules/.cache/metergraph/built');
const PASSED_OVER = new Set(['node_modules', 'dist', 'README.md', 'CHANGELOG.md']);
const TEST = /\.(test|process)\.tsx?$/;

/**
 * @param {{ force?: boolean, say?: (line: string) => void }} [options]
 * @throws {Error} with all that a failed build has said.
 */
export async function build({ force = false, say = () => {} } = {}) {
  /** @type {Map<string, string>} */
  const hashes = new Map();
  for (const [name, target] of Object.entries(TARGETS)) {
    const hash = hashOf(target, hashes);
    hashes.set(name, hash);
    if (!force && isFresh(name, target, hash)) continue;
    const startedAt = performance.now();
    await runBuild(target.workspace);
    remember(name, hash);
    say(`built ${name} in ${((performance.now() - startedAt) / 1_000).toFixed(1)} s`);
  }
}

/** @param {Target} target @param {Map<string, string>} hashes of what was built before */
function hashOf(target, hashes) {
  const hash = createHash('sha256');
  for (const need of target.needs) hash.update(hashes.get(need) ?? '');
  for (const file of ['package-lock.json', ...target.sources.flatMap(filesOf)]) {
    hash
      .update(file)
      .update('\0')
      .update(readFileSync(join(ROOT, file)))
      .update('\0');
  }
  return hash.digest('hex');
}

/** @param {string} path @returns {string[]} below it, in a fixed order */
function filesOf(path) {
  if (!statSync(join(ROOT, path)).isDirectory()) return [path];
  const entries = readdirSync(join(ROOT, path), { withFileTypes: true });
  return entries
    .filter(({ name }) => !PASSED_OVER.has(name) && !TEST.test(name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() || entry.isFile() ? filesOf(`${path}/${entry.name}`) : []));
}

/** @param {string} name @param {Target} target @param {string} hash */
function isFresh(name, target, hash) {
  const known = join(REMEMBERED, name);
  if (!existsSync(known) || readFileSync(known, 'utf8') !== hash) return false;
  return target.products.every((product) => existsSync(join(ROOT, product)));
}

/** @param {string} name @param {string} hash */
function remember(name, hash) {
  mkdirSync(REMEMBERED, { recursive: true });
  writeFileSync(join(REMEMBERED, name), hash);
}

/** @param {string} workspace */
async function runBuild(workspace) {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const child = spawn(npm, ['run', 'build', '--silent', `--workspace=${workspace}`], {
    cwd: ROOT,
    // The same whoever asks: by a test runner's NODE_ENV it would be a development build, which preact can't run.
    env: { ...process.env, NODE_ENV: 'production' },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  const stop = endWith(child);
  try {
    const code = await new Promise((resolve, reject) => child.once('error', reject).once('close', resolve));
    if (code !== 0) throw new Error(`${said.trim()}\n\nbuilding ${workspace} failed`);
  } finally {
    stop();
  }
}

/** Being told to end, ends the build as well. @param {import('node:child_process').ChildProcess} child */
function endWith(child) {
  /** @param {NodeJS.Signals} signal */
  const end = (signal) => {
    child.kill(signal);
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  return () => process.off('SIGINT', end).off('SIGTERM', end);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    await build({ force: process.argv.includes('--force'), say: console.log });
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}
