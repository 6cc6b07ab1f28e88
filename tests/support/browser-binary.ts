/** browser-binary — the Chromium of this machine, or the one that comes inside an npm package. */
import { execFile, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

/** Why no browser can run here; the message is the reason shown beside a skipped test. */
export class BrowserUnavailableError extends Error {
  override readonly name = 'BrowserUnavailableError';
}

export type BrowserBinary = { readonly path: string; readonly env: Record<string, string> };

const CACHE = fileURLToPath(new URL('../../node_modules/.cache/metergraph/', import.meta.url));
const NAMES_ON_PATH = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome', 'chrome'];
const WELL_KNOWN = [
  '/usr/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  ...['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((root) => {
    const folder = process.env[root];
    return folder ? [join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe')] : [];
  }),
];

/**
 * `CHROME_PATH` wins, then an installed browser, then the packaged one.
 *
 * @throws BrowserUnavailableError where none of them starts, with what each of them said.
 */
export async function findBrowserBinary(): Promise<BrowserBinary> {
  const chosen = process.env.CHROME_PATH;
  if (chosen) return tried({ path: chosen, env: {} });
  const installed = installedBrowser();
  if (installed) return { path: installed, env: {} };
  return packagedBrowser();
}

function installedBrowser(): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const onPath = NAMES_ON_PATH.flatMap((name) => folders.map((folder) => join(folder, name)));
  return [...onPath, ...WELL_KNOWN].find(
    (path) => isExecutable(path) && whyNotRunning({ path, env: {} }) === undefined,
  );
}

async function packagedBrowser(): Promise<BrowserBinary> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new BrowserUnavailableError('no Chromium or Chrome found: install one, or set CHROME_PATH');
  }
  const folder = await unpackedPackage();
  const path = join(folder, 'chromium');
  const env: Record<string, string> = existsSync('/etc/fonts') ? {} : { FONTCONFIG_PATH: join(folder, 'fonts') };
  const plain = { path, env };
  if (whyNotRunning(plain) === undefined) return plain;
  // A bare system lacks the few shared libraries that a browser wants; the package brings those too.
  return tried({ path, env: { ...env, LD_LIBRARY_PATH: join(folder, 'al2023', 'lib') } });
}

function tried(binary: BrowserBinary): BrowserBinary {
  const reason = whyNotRunning(binary);
  if (reason !== undefined) throw new BrowserUnavailableError(`${binary.path} does not start: ${reason}`);
  return binary;
}

function whyNotRunning({ path, env }: BrowserBinary): string | undefined {
  const run = spawnSync(path, ['--version', '--no-sandbox'], { env: { ...process.env, ...env }, timeout: 20_000 });
  if (run.status === 0) return undefined;
  return run.error?.message ?? (run.stderr.toString().trim() || `it ended with ${run.signal ?? run.status}`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Unpacks beside the final place and moves it there in one step: half an archive is never mistaken for a browser. */
async function unpackedPackage(): Promise<string> {
  const entry = createRequire(import.meta.url).resolve('@sparticuz/chromium');
  const root = join(dirname(entry), '..', '..'); // the entry is build/cjs/index.cjs
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const folder = join(CACHE, `chromium-${version}`);
  if (existsSync(join(folder, 'chromium'))) return folder;
  mkdirSync(CACHE, { recursive: true });
  const scratch = mkdtempSync(join(CACHE, 'unpacking-'));
  try {
    await unpackInto(scratch, join(root, 'build', 'esm', 'index.js'));
    writeFileSync(join(scratch, 'fonts', 'fonts.conf'), fontSettings(join(folder, 'fonts')));
    renameSync(scratch, folder);
  } catch (error) {
    rmSync(scratch, { recursive: true, force: true });
    if (!existsSync(join(folder, 'chromium'))) throw error; // otherwise another run was quicker
  }
  return folder;
}

/** The package unpacks to the temp folder, wherever that is: in a child, the temp folder can be one of our own. */
async function unpackInto(folder: string, entry: string): Promise<void> {
  const script = `import chromium from ${JSON.stringify(pathToFileURL(entry).href)}; await chromium.executablePath();`;
  // The variable makes it unpack the shared libraries as well.
  const env = { ...process.env, TMPDIR: folder, AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs20.x', LD_LIBRARY_PATH: '' };
  await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script], { env });
}

function fontSettings(folder: string): string {
  const cache = join(folder, 'cache');
  return `<?xml version="1.0"?>\n<fontconfig><dir>${folder}</dir><cachedir>${cache}</cachedir></fontconfig>\n`;
}
