/** processes — the two programs of a fan-out run, bundled as the gateway itself is, and asked one thing at a time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { bundle } from '../build.ts';

const FOLDER = fileURLToPath(new URL('.', import.meta.url));
const PROGRAMS = ['gateway', 'watchers'] as const;
type Program = (typeof PROGRAMS)[number];

const ANSWERS_WITHIN_MS = 60_000;
const ENDS_WITHIN_MS = 12_000;

/** Into a folder of their own: the bench builds its other programs anew without these. */
export const buildPrograms = (): Promise<void> =>
  bundle(FOLDER, Object.fromEntries(PROGRAMS.map((program) => [program, `${program}.ts`])), '../dist/fan-out');

export type Process<Question> = {
  readonly pid: number;
  /** What it says by itself when it has started. */
  started<T>(): Promise<T>;
  /** @throws where it fails, ends, or takes longer than a minute. The programs are ours: `T` is what they answer. */
  ask<T>(question: Question): Promise<T>;
  end(): Promise<void>;
};

type Said = { readonly answer?: unknown; readonly failure?: string };

export function startProcess<Question extends object>(
  program: Program,
  env: Readonly<Record<string, string>> = {},
): Process<Question> {
  const { PATH = '', TMPDIR } = process.env;
  const child = spawn(process.execPath, [fileURLToPath(new URL(`../dist/fan-out/${program}.js`, import.meta.url))], {
    env: { PATH, ...(TMPDIR && { TMPDIR }), ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
  const hear = async <T>(): Promise<T> => {
    const { answer, failure } = await nextOf(child, program);
    if (failure !== undefined) throw new Error(`${program}: ${failure}`);
    return answer as T; // as its caller knows the program
  };
  return {
    pid: child.pid ?? 0,
    started: hear,
    ask: (question) => {
      const heard = hear<never>();
      child.send(question);
      return heard;
    },
    end: async () => {
      if (hasEnded(child)) return;
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), ENDS_WITHIN_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

/** By itself, or killed: then it has no exit code. */
const hasEnded = ({ exitCode, signalCode }: ChildProcess): boolean => exitCode !== null || signalCode !== null;

function nextOf(child: ChildProcess, program: Program): Promise<Said> {
  return new Promise((resolve, reject) => {
    const settle = (then: () => void) => {
      clearTimeout(timer);
      child.off('message', hear).off('exit', exited);
      then();
    };
    if (hasEnded(child)) return reject(new Error(`the ${program} process has ended`));
    const hear = (said: Said) => settle(() => resolve(said));
    const exited = () => settle(() => reject(new Error(`the ${program} process has ended`)));
    const late = () => settle(() => reject(new Error(`the ${program} process did not answer within a minute`)));
    const timer = setTimeout(late, ANSWERS_WITHIN_MS);
    child.once('message', hear).once('exit', exited);
  });
}
