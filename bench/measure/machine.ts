/** machine — what the figures were measured on. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, totalmem, type } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from '../samples.ts';
import type { Postgres } from '../world.ts';

const GIBIBYTE = 2 ** 30;

export function describeMachine(postgres: Postgres): Machine {
  const cores = cpus();
  return {
    cpu: cores[0]?.model.trim() ?? 'unknown',
    cores: cores.length,
    memoryGiB: Math.round(totalmem() / GIBIBYTE),
    system: `${type()} ${release()}`,
    node: process.versions.node,
    postgres: postgres.version,
    postgresSettings: postgres.settings,
    pglite: versionOf('@electric-sql/pglite'),
    commit: commit(),
  };
}

/** The package's main file lies somewhere below the package.json that names it. */
function versionOf(name: string): string {
  for (let folder = dirname(createRequire(import.meta.url).resolve(name)); ; folder = dirname(folder)) {
    const about = packageIn(folder);
    if (about?.name === name && about.version) return about.version;
    if (folder === dirname(folder)) return 'unknown';
  }
}

function packageIn(folder: string): { name?: string; version?: string } | null {
  try {
    return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  } catch {
    return null;
  }
}

function commit(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: fileURLToPath(new URL('../..', import.meta.url)), encoding: 'utf8' }).trim();
  try {
    return `${git('rev-parse', '--short', 'HEAD')}${git('status', '--porcelain', '--', 'server', 'bench') === '' ? '' : '+'}`;
  } catch {
    return 'unknown'; // not a checkout
  }
}
