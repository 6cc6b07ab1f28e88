/** closing-line-reporter — the last line of a run, for people and scripts alike: `N passed, N failed`. */
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node';

export default class ClosingLineReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly unknown[], _reason: TestRunEndReason): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const count = (state: string) => tests.filter((test) => test.result().state === state).length;
    // A file that does not load, a hook that throws and an error nobody caught fail the run without failing a test.
    const beside = modules.reduce((sum, module) => sum + errorsBeside(module), unhandled.length);
    const skipped = count('skipped');
    const lines = skipped > 0 ? [`${skipped} skipped`] : [];
    process.stdout.write([...lines, `${count('passed')} passed, ${count('failed') + beside} failed`, ''].join('\n'));
  }
}

function errorsBeside(module: TestModule): number {
  const suites = [...module.children.allSuites()];
  return module.errors().length + suites.reduce((sum, suite) => sum + suite.errors().length, 0);
}
