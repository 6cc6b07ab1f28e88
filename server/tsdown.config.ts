/**
 * Three doors into one package: `main.js` runs the gateway, `cli.js` is the `metergraph` command, `index.js` is what a
 * config file imports. What the gateway serves and applies travels beside them, so that the published package is whole.
 */
import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { main: 'main.ts', cli: 'cli/index.ts', index: 'index.ts' },
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  fixedExtension: false,
  sourcemap: true,
  dts: { entry: 'index.ts' },
  copy: [
    { from: '../drizzle/*.sql', to: 'dist/drizzle' },
    { from: '../drizzle/meta/_journal.json', to: 'dist/drizzle/meta' },
    { from: '../live-page/dist', to: 'dist/assets', rename: 'live-page' },
    { from: '../web-widget/dist/widget.js', to: 'dist/assets' },
  ],
});
