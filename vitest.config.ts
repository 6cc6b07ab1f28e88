/** vitest.config — `npm test` is everything. Files run in two processes at once; the browser tests after all others. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const globalSetup = ['tests/support/global-setup.ts'];

/** Tests of a room that stands on real things: a Postgres, a gateway, sockets. */
const onRealThings = (name: string, include: string[]) => ({
  extends: true as const,
  test: { name, include, globalSetup, testTimeout: 30_000, hookTimeout: 60_000 },
});

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
    maxWorkers: 2,
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
          testTimeout: 10_000,
        },
      },
      onRealThings('store', ['tests/{store,model,support}/**/*.test.ts']),
      onRealThings('api', ['tests/api/**/*.test.ts']),
      onRealThings('realtime', ['tests/realtime/**/*.test.ts']),
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['tests/e2e/**/*.test.ts'],
          globalSetup,
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: 1,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
