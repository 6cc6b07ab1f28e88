/** http — the HTTP door: one small table of paths in front of GraphQL. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Asset, Assets } from './assets.ts';
import type { Metrics } from './metrics.ts';

export type Readiness = { readonly ready: boolean; readonly checks: Readonly<Record<string, string>> };

export type HttpDoorDeps = {
  readonly graphql: Handler;
  /** Where Stripe sends its notices. */
  readonly stripeWebhook: Handler;
  readonly metrics: Metrics;
  readonly assets: Assets;
  readonly readiness: () => Promise<Readiness>;
  /** What the live page starts with: see `LivePageStart`. */
  readonly livePage: () => LivePageStart;
};

/** Written into the live page. Holds a key only in a demo, whose tenant has nothing but demo data. */
export type LivePageStart = { readonly demoKey: string | null };

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export function createHttpHandler(deps: HttpDoorDeps): Handler {
  const { graphql, stripeWebhook, metrics, assets, readiness, livePage } = deps;
  const page: Handler = (request, response) => servePage(request, response, assets, livePage());
  const routes: Readonly<Record<string, Handler>> = {
    '/graphql': graphql,
    '/webhooks/stripe': stripeWebhook,
    '/healthz': (_request, response) => sendJson(response, 200, { status: 'ok' }),
    '/readyz': async (_request, response) => {
      const { ready, checks } = await readiness();
      sendJson(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', checks });
    },
    '/metrics': async (_request, response) => send(response, 200, metrics.contentType, await metrics.text()),
    '/widget.js': (request, response) => serveWidget(request, response, assets),
    '/': page,
    '/index.html': page,
  };
  return async (request, response) => {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('X-Frame-Options', 'DENY');
    if (!isAddressed(request)) {
      sendBadRequest(response);
      return;
    }
    const path = pathOf(request);
    const route = routes[path];
    if (route) await route(request, response);
    else sendAsset(request, response, assets.livePageFiles.get(path));
  };
}

/** Any site may load the widget; what it may see is decided by its token. */
function serveWidget(request: IncomingMessage, response: ServerResponse, { widgetScript }: Assets): void {
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  sendAsset(request, response, widgetScript);
}

const PAGE_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' ws: wss:; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

function servePage(request: IncomingMessage, response: ServerResponse, assets: Assets, start: LivePageStart): void {
  const page = assets.livePageFiles.get('/index.html');
  if (!page) {
    notFound(request, response);
    return;
  }
  response.setHeader('Content-Security-Policy', PAGE_POLICY);
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cache-Control', 'no-store');
  const json = JSON.stringify(start).replaceAll('<', '\\u003c');
  const data = `<script type="application/json" id="metergraph-start">${json}</script>`;
  const html = page.body.toString('utf8').replace('</head>', () => `${data}</head>`);
  send(response, 200, page.contentType, html);
}

/** How long a browser may use a file before it asks whether there is a newer one. */
const ASSET_AGE_SECONDS = 300;

function sendAsset(request: IncomingMessage, response: ServerResponse, asset: Asset | null | undefined): void {
  if (!asset) {
    notFound(request, response);
    return;
  }
  response.setHeader('Cache-Control', `public, max-age=${ASSET_AGE_SECONDS}`);
  response.setHeader('ETag', asset.etag);
  if (request.headers['if-none-match']?.includes(asset.etag)) response.writeHead(304).end();
  else send(response, 200, asset.contentType, asset.body);
}

const sendJson = (response: ServerResponse, status: number, body: unknown): void =>
  send(response, status, 'application/json; charset=utf-8', JSON.stringify(body));

function notFound(request: IncomingMessage, response: ServerResponse): void {
  const path = pathOf(request);
  send(response, 404, 'text/plain; charset=utf-8', `There is nothing at ${path}. GraphQL is at /graphql.\n`);
}

/** What stands behind this door builds a URL from host and path; one that is none must not get that far. */
const isAddressed = ({ headers, url = '/' }: IncomingMessage): boolean =>
  URL.canParse(url.startsWith('/') ? `http://${headers.host ?? 'localhost'}${url}` : url);

function sendBadRequest(response: ServerResponse): void {
  const message = 'The Host header or the path is not part of a URL; send them as a client library does.';
  sendJson(response, 400, { errors: [{ message, extensions: { code: 'BAD_REQUEST' } }] });
}

const pathOf = (request: IncomingMessage): string => (request.url ?? '/').split('?', 1)[0] ?? '/';

function send(response: ServerResponse, status: number, contentType: string, body: string | Buffer): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) }).end(body);
}
