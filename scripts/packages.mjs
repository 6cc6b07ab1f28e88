// @ts-check
/**
 * packages — looks at what would be published, exactly as it would be: packs each public package, then checks that its
 * entries exist and are what they say (publint), that types resolve for those who import it (attw), that what the
 * gateway serves is inside, and that sizes keep to their budgets. Run after `npm run build`.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const ATTW = createRequire(import.meta.url)
  .resolve('@arethetypeswrong/cli/package.json')
  .replace('package.json', 'dist/index.js');
const run = promisify(execFile);

/** Public packages, and files that must travel in them. @type {Record<string, string[]>} */
const PACKAGES = {
  'client-sdk': ['dist/index.js', 'dist/index.d.ts', 'LICENSE'],
  'web-widget': ['dist/index.js', 'dist/index.d.ts', 'dist/widget.js', 'LICENSE'],
  server: [
    'dist/main.js',
    'dist/cli.js',
    'dist/index.js',
    'dist/index.d.ts',
    'dist/assets/widget.js',
    'dist/assets/live-page/index.html',
    'dist/drizzle/meta/_journal.json',
    'LICENSE',
  ],
};

/** @param {string} folder @param {string} scratch @returns {Promise<string[]>} what is wrong */
async function problemsOf(folder, scratch) {
  const pkgDir = join(ROOT, folder);
  const { stdout } = await run('npm', ['pack', '--json', '--silent', `--pack-destination=${scratch}`], { cwd: pkgDir });
  const [packed] = JSON.parse(stdout);
  const inside = new Set(packed.files.map((/** @type {{ path: string }} */ file) => file.path));
  const missing = (PACKAGES[folder] ?? []).filter((file) => !inside.has(file)).map((file) => `${file} is not packed`);
  const stray = [...inside].filter((file) => /\.test\.|(^|\/)src\//.test(file)).map((file) => `${file} is packed`);
  const pkg = JSON.parse(readFileSync(join(pkgDir, 'package.json'), 'utf8'));
  const { messages } = await publint({ pkgDir, strict: true });
  const entries = messages.map((message) => formatMessage(message, pkg, { color: false }) ?? message.code);
  console.log(`${packed.name}: ${inside.size} files, ${(packed.size / 1_000).toFixed(0)} kB packed`);
  return [...missing, ...stray, ...entries, ...(await wrongTypes(join(scratch, packed.filename)))];
}

/** @param {string} tarball @returns {Promise<string[]>} */
async function wrongTypes(tarball) {
  try {
    await run(process.execPath, [ATTW, tarball, '--profile', 'esm-only', '--no-color', '--no-emoji']);
    return [];
  } catch (error) {
    const said = error instanceof Error && 'stdout' in error ? String(error.stdout) : String(error);
    return [said.trim()];
  }
}

const scratch = mkdtempSync(join(tmpdir(), 'metergraph-packages-'));
try {
  for (const folder of Object.keys(PACKAGES)) {
    for (const problem of await problemsOf(folder, scratch)) {
      console.error(`${folder}: ${problem}`);
      process.exitCode = 1;
    }
  }
  const { stdout } = await run('npm', ['run', '--silent', 'size', '--workspaces', '--if-present'], { cwd: ROOT });
  process.stdout.write(stdout);
} catch (error) {
  console.error(error instanceof Error && 'stdout' in error ? `${error.stdout}${error.message}` : error);
  process.exitCode = 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
