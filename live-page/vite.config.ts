/**
 * `vite build` makes dist/, which the gateway serves at `/`; `npm run dev -w live-page` serves the sources in front of
 * a running gateway, by default the one on port 4000: METERGRAPH_URL names another.
 */
import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig, type Plugin } from 'vite';

const gateway = process.env.METERGRAPH_URL ?? 'http://localhost:4000';
const START = /<script type="application\/json" id="metergraph-start">.*?<\/script>/s;

/** What the gateway writes into its page, in development written into ours. */
const startOfGateway: Plugin = {
  name: 'start-of-gateway',
  apply: 'serve',
  async transformIndexHtml(html) {
    const page = await fetch(gateway).then(
      (response) => response.text(),
      () => '',
    );
    return html.replace('</head>', () => `${START.exec(page)?.[0] ?? ''}</head>`);
  },
};

export default defineConfig({
  plugins: [react(), startOfGateway],
  resolve: { conditions: ['@metergraph/source', ...defaultClientConditions], dedupe: ['react', 'react-dom'] },
  server: {
    // The page's own host is kept, so that the gateway sees a page of its own origin.
    proxy: Object.fromEntries(
      ['/graphql', '/metrics', '/widget.js'].map((path) => [path, { target: gateway, ws: path === '/graphql' }]),
    ),
  },
  build: {
    target: 'es2022',
    // The page's policy allows neither inline scripts nor data: fonts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
});
