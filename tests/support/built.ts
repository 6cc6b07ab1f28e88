/** built — the command, the page and the widget as people have them, built from the sources of now where they are not. Import first. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

// Not awaited: the gateway looks for these files while it is imported.
execFileSync(process.execPath, [fileURLToPath(new URL('../../scripts/build.mjs', import.meta.url))], {
  stdio: ['ignore', 'ignore', 'inherit'],
});
