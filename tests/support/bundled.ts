/** bundled — a program of the tests in one file, as the gateway itself is: from its sources it takes four times as long to start. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundle } from '../../bench/build.ts';
import { afterFile } from './after-use.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Here the packages are found that it imports. */
const CACHE = join(ROOT, 'node_modules/.cache/metergraph');

/** @returns the file, to be run by Node; it is there until the file ends. */
export async function bundled(program: string): Promise<string> {
  mkdirSync(CACHE, { recursive: true });
  const folder = mkdtempSync(join(CACHE, 'bundled-'));
  afterFile(() => rmSync(folder, { recursive: true, force: true }));
  await bundle(ROOT, { program }, folder);
  return join(folder, 'program.js');
}
