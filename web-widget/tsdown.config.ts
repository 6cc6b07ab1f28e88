/** Type declarations only: vite builds the JavaScript, which imports a stylesheet as text. */
import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: { index: 'src/index.ts', element: 'src/element/index.ts' },
  dts: { emitDtsOnly: true },
  clean: false,
  fixedExtension: false,
  deps: { neverBundle: [/^react/, '@metergraph/client-sdk'] },
});
