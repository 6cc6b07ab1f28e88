/**
 * Two builds of the same components: `vite build` makes the React package (dist/index.js), `vite build --mode element`
 * the stand-alone custom element (dist/widget.js), where preact stands in for react.
 */
import { fileURLToPath } from 'node:url';
import { defaultClientConditions, defineConfig, type Plugin, type UserConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const resolve = { conditions: ['@metergraph/source', ...defaultClientConditions] };

const react: UserConfig = {
  resolve,
  build: {
    target: 'es2022',
    emptyOutDir: true, // the first of the builds,
    minify: false,
    sourcemap: true,
    lib: { entry: here('src/index.ts'), formats: ['es'], fileName: () => 'index.js' },
    rollupOptions: {
      external: [/^react(-dom)?($|\/)/, '@metergraph/client-sdk'],
      output: { banner: "'use client';" }, // hooks and context: in a server component's tree they begin the client's part
    },
  },
};

/** A page without a declared charset reads a script in its own: plain ASCII reads the same in all of them. */
const ascii: Plugin = {
  name: 'ascii',
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type !== 'chunk') continue;
      file.code = file.code.replace(
        /[\u0080-\uffff]/g,
        (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
      );
    }
  },
};

const element: UserConfig = {
  plugins: [ascii],
  define: { 'process.env.NODE_ENV': '"production"' },
  resolve: {
    ...resolve,
    alias: [
      { find: 'react/jsx-runtime', replacement: 'preact/jsx-runtime' },
      { find: /^react$/, replacement: here('src/element/react-on-preact.ts') },
    ],
  },
  build: {
    target: 'es2022',
    emptyOutDir: false,
    // An IIFE: the same file serves a classic `<script async>` and an `import` for its effect.
    lib: {
      entry: here('src/element/index.ts'),
      formats: ['iife'],
      name: 'metergraphWidget',
      fileName: () => 'widget.js',
    },
  },
};

export default defineConfig(({ mode }) => (mode === 'element' ? element : react));
