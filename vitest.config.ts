/**
 * vitest.config — `npm test` is everything. Files run in two processes at once; the browser tests after all others.
 *
 * The files of a process share the modules they load, for loading takes longer than most of them run. So what a file
 * changes it puts back, and a hook that every file needs is in `tests/support/each-file.ts`.
 */
import { fileURLToPath } from 'node:url';
import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config';

type ProjectConfig = NonNullable<TestProjectInlineConfiguration['test']>;

const globalSetup = ['tests/support/global-setup.ts'];
const setupFiles = ['tests/support/each-file.ts'];

/** Tests of a room that stands on real things: a Postgres, a gateway, sockets. */
const onRealThings = (name: string, include: string[], more: ProjectConfig = {}) => ({
  extends: true as const,
  test: { name, include, globalSetup, setupFiles, testTimeout: 30_000, hookTimeout: 60_000, ...more },
});

/** These measure the memory of their process, which therefore no other file has used. */
const MEMORY = [
  'tests/api/document-flood.test.ts',
  'tests/api/memory.test.ts',
  'tests/realtime/stalled-reader.test.ts',
];

export default defineConfig({
  // Workspace packages are read from their sources, so that no test ever sees a stale build.
  resolve: {
    conditions: ['@metergraph/source', 'module', 'node', 'development'],
    // One copy of graphql, as in production: Vite would read its `module` field, and Node reads `main` for our dependencies.
    alias: [{ find: /^graphql$/, replacement: fileURLToPath(import.meta.resolve('graphql')) }],
  },
  ssr: { resolve: { conditions: ['@metergraph/source', 'module', 'node', 'development'] } },
  test: {
    pool: 'forks',
    isolate: false,
    maxWorkers: 2,
    experimental: { fsModuleCache: true }, // projects that load the same modules transform them once
    reporters: ['default', './tests/support/closing-line-reporter.ts'],
    unstubEnvs: true,
    restoreMocks: true,
    coverage: { provider: 'v8', include: ['server/**', 'client-sdk/src/**', 'web-widget/src/**'] },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            '{server,bench}/**/*.test.ts',
            '{client-sdk,web-widget,live-page}/**/*.test.{ts,tsx}',
            'tests/{domain,architecture}/**/*.test.ts',
          ],
          exclude: ['**/node_modules/**', '**/dist/**'],
          testTimeout: 30_000,
        },
      },
      onRealThings('gateway', ['tests/{store,model,support,api,realtime,start,billing,stripe,notices}/**/*.test.ts'], {
        exclude: MEMORY,
      }),
      onRealThings('memory', MEMORY, { isolate: true }),
      onRealThings('e2e', ['tests/e2e/**/*.test.ts'], {
        testTimeout: 60_000,
        maxWorkers: 1,
        sequence: { groupOrder: 1 },
      }),
    ],
  },
});
