// @ts-check
/**
 * start — `npm start`: builds what is stale, then becomes the gateway.
 *
 * The gateway runs in this very process, and the script begins with `exec`, so that no shell and no second process
 * stands between it and npm: npm passes SIGTERM to its direct child only, and tells its exit code on.
 */
import { fileURLToPath } from 'node:url';
import { build } from './build.mjs';

try {
  await build({ say: (line) => console.error(line) });
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
}
const main = new URL('../server/dist/main.js', import.meta.url);
process.argv[1] = fileURLToPath(main);
process.setSourceMapsEnabled(true);
await import(main.href);
