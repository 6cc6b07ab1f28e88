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

export const buildPrograms = (): Promise<void> =>
  bundle(FOLDER, Object.fromEntries(PROGRAMS.map((program) => [program, `programs/${program}.ts`])), 'dist');

/** As the gateway itself is bundled: what runs TypeScript directly adds work to every closure. */
export async function bundle(cwd: string, entry: Readonly<Record<string, string>>, outDir: string): Promise<void> {
  await build({
    config: false,
    cwd,
    entry: { ...entry },
    outDir,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    fixedExtension: false,
    external: [/^[^./]/], // packages stay packages
    dts: false,
    logLevel: 'error',
  });
}
