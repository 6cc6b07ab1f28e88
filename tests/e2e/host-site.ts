/** host-site — an app on an origin of its own that shows its customers a meter: one page, and an endpoint for tokens. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterUse } from '../support/after-use.ts';

export type HostSite = {
  readonly url: string;
  /** How often a token was asked for. */
  readonly tokensAsked: number;
};

export type HostSiteOptions = {
  /** Mints a token for whoever is signed in. */
  readonly getToken: () => Promise<string>;
  /** Called once the site has its address, which a gateway must know before it lets the page in. */
  readonly pageOf: () => string;
};

export async function openHostSite({ getToken, pageOf }: HostSiteOptions): Promise<HostSite> {
  let tokensAsked = 0;
  const server = createServer(async (request, response) => {
    if (request.url === '/') return void response.setHeader('content-type', 'text/html').end(pageOf());
    if (request.url !== '/metergraph-token' || request.method !== 'POST') return void response.writeHead(404).end();
    tokensAsked += 1;
    try {
      const token = await getToken();
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ token }));
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  afterUse(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the site has no port');
  return {
    url: `http://localhost:${address.port}`,
    get tokensAsked() {
      return tokensAsked;
    },
  };
}

/** As the README says it is embedded, three times, on a page of somebody's taste. */
export const hostPage = (gatewayUrl: string): string => `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="color-scheme" content="light dark">
  <title>Your usage – Acme Cloud</title>
  <style>
    body { margin: 0; font: 16px/1.5 system-ui, sans-serif; background: light-dark(#f5f6f9, #0d0f13); color: light-dark(#171a21, #f2f4f8); }
    main { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 20rem), 1fr)); gap: 1.25rem; max-width: 50rem; margin: auto; padding: 1.5rem; align-items: start; }
    h1 { grid-column: 1 / -1; margin: 0; font-size: 1.375rem; letter-spacing: -0.01em; }
  </style>
  <script src="${gatewayUrl}/widget.js" async></script>
</head>
<body>
  <main>
    <h1>Your usage this month</h1>
    <usage-meter feature="api_calls" token-url="/metergraph-token" upgrade-url="/plans" time-zone="UTC"></usage-meter>
    <usage-meter feature="storage" token-url="/metergraph-token" time-zone="UTC"></usage-meter>
  </main>
</body>
</html>`;
