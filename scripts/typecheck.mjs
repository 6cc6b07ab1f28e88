// @ts-check
/** typecheck — every TypeScript project of the workspace, two at a time; all are checked, also when one fails. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const TSC = createRequire(import.meta.url).resolve('typescript/bin/tsc');
const AT_ONCE = 2;

const projects = ['.', 'tests', 'client-sdk', 'web-widget', 'live-page', 'examples'].filter((folder) =>
  existsSync(join(ROOT, folder, 'tsconfig.json')),
);

/** @param {string} project @returns {Promise<boolean>} whether it is sound */
function check(project) {
  const args = [TSC, '--project', project, '--noEmit', '--pretty'];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'inherit' });
  return new Promise((resolve) => child.once('close', (code) => resolve(code === 0)));
}

async function worker() {
  for (let project = projects.shift(); project !== undefined; project = projects.shift()) {
    if (!(await check(project))) process.exitCode = 1;
  }
}

await Promise.all(Array.from({ length: AT_ONCE }, worker));
