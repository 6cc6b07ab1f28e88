/**
 * command — `metergraph …` in this process: as quick as what it does, where a process of its own takes three seconds to
 * load. It opens the database itself, like the real one; what it prints and its exit code are caught.
 */
import { vi } from 'vitest';
import { createProgram } from '../../server/cli/program.ts';

export type Said = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** One at a time: a process has one environment, one output and one exit code. @param env These variables and no others of ours. */
export async function runCommand(env: Readonly<Record<string, string>>, ...args: readonly string[]): Promise<Said> {
  for (const name of Object.keys(process.env)) if (OURS.test(name)) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const [stdout, stderr] = [catchWrites(process.stdout), catchWrites(process.stderr)];
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return { code: Number(process.exitCode ?? 0), stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    process.exitCode = before;
    stdout.end();
    stderr.end();
    vi.unstubAllEnvs();
  }
}

const OURS = /^(METERGRAPH|STRIPE|SMTP|ALERT)_|^(DATABASE_URL|HOST|PORT|LOG_LEVEL)$/;

function catchWrites(stream: NodeJS.WriteStream) {
  let text = '';
  const spy = vi.spyOn(stream, 'write').mockImplementation((chunk) => {
    text += chunk;
    return true;
  });
  return { text: () => text, end: () => spy.mockRestore() };
}
