/** after-use — closes what a test has opened when that test ends; what a hook has opened, when the file does. */
import { expect, onTestFinished, TestRunner } from 'vitest';

const openForTheFile: (() => unknown)[] = [];
let file: string | undefined;

/** @param close Called once, after what was opened later has been closed. */
export function afterUse(close: () => unknown): void {
  if (TestRunner.getCurrentTest()) onTestFinished(async () => void (await close()));
  else afterFile(close);
}

/** As `afterUse`, but kept open until the tests of the file have ended, whoever opened it. */
export function afterFile(close: () => unknown): void {
  const { testPath } = expect.getState();
  if (openForTheFile.length > 0 && file !== testPath)
    throw new Error(`What ${file} opened is still open: is each-file.ts among the setupFiles of vitest.config.ts?`);
  file = testPath;
  openForTheFile.push(close);
}

/** For `each-file.ts`, which says when a file has ended. */
export async function closeAllOfTheFile(): Promise<void> {
  const failures: unknown[] = [];
  // The last opened is closed first: a gateway before its database.
  for (const close of openForTheFile.splice(0).reverse()) {
    try {
      await close();
    } catch (failure) {
      failures.push(failure);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, 'what the tests had opened did not close');
}
