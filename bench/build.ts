/**
 * build — bundles the programs of a run with the settings the gateway itself is bundled with, so that both run as the
 * same kind of code: what runs TypeScript directly adds work of its own to every closure.
 */
import { fileURLToPath } from 'node:url';
import { build } from 'tsdown';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const PROGRAMS = [
  'leash',
  'leashed',
  'hello',
  'compiled',
  'yoga',
  'constant',
  'unmetered',
  'one-by-one',
  'single-statement',
  'statement',
  'flexible-pg',
  'flexible-redis',
  'no-webhooks',
  'load',
] as const;
export type Program = (typeof PROGRAMS)[number];

export const programFile = (program: Program): string =>
  fileURLToPath(new URL(`./dist/${program}.js`, import.meta.url));

export async function buildPrograms(): Promise<void> {
  await build({
    config: false,
    cwd: FOLDER,
    entry: Object.fromEntries(PROGRAMS.map((program) => [program, `programs/${program}.ts`])),
    outDir: 'dist',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    fixedExtension: false,
    external: [/^[^./]/], // packages stay packages
    dts: false,
    logLevel: 'error',
  });
}
