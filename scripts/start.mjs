// @ts-check
/**
 * start — `npm start`: builds what is stale, then becomes the gateway.
 *
 * The gateway runs in this very process, so that its flags, its signals and its exit code are npm's without anything in
 * between: a shell or a second process would swallow the SIGTERM that npm passes on.
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
