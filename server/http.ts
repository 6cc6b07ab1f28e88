/** http — the HTTP door: one small table of paths in front of GraphQL. */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { livePageHtml, serveLivePageFiles, widgetScript } from './assets.ts';
import type { GraphQLServer } from './graphql-server.ts';
import type { Metrics } from './metrics.ts';

export type Readiness = { readonly ready: boolean; readonly checks: Readonly<Record<string, string>> };

export type HttpDoorDeps = {
  readonly graphql: GraphQLServer;
  readonly metrics: Metrics;
  readonly readiness: () => Promise<Readiness>;
  /** What the live page starts with: see `LivePageStart`. */
  readonly livePage: () => LivePageStart;
};

/** Written into the live page. Holds a key only in a demo, whose tenant has nothing but demo data. */
export type LivePageStart = { readonly demoKey: string | null };

type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>;

export function createHttpHandler({ graphql, metrics, readiness, livePage }: HttpDoorDeps): Handler {
  const routes: Readonly<Record<string, Handler>> = {
    '/graphql': (request, response) => graphql.handle(request, response) as Promise<void>,
    '/healthz': (_request, response) => sendJson(response, 200, { status: 'ok' }),
    '/readyz': async (_request, response) => {
      const { ready, checks } = await readiness();
      sendJson(response, ready ? 200 : 503, { status: ready ? 'ready' : 'not ready', checks });
    },
    '/metrics': async (_request, response) => send(response, 200, metrics.contentType, await metrics.text()),
    '/widget.js': serveWidget,
    '/': (_request, response) => servePage(response, livePage()),
  };
  return async (request, response) => {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    const route = routes[path];
    if (route) await route(request, response);
    else if (serveLivePageFiles) serveLivePageFiles(request, response, () => notFound(response, path));
    else notFound(response, path);
  };
}

const widgetTag = widgetScript && `"${createHash('sha256').update(widgetScript).digest('base64url').slice(0, 16)}"`;

/** Any site may load the widget; what it may see is decided by its token. */
function serveWidget(request: IncomingMessage, response: ServerResponse): void {
  if (!widgetScript || !widgetTag) {
    notFound(response, '/widget.js');
    return;
  }
  response.setHeader('Access-Control-Allow-Origin', '*');
  response.setHeader('Cross-Origin-Resource-Policy', 'cross-origin');
  response.setHeader('Cache-Control', 'public, max-age=300');
  response.setHeader('ETag', widgetTag);
  if (request.headers['if-none-match'] === widgetTag) response.writeHead(304).end();
  else send(response, 200, 'text/javascript; charset=utf-8', widgetScript);
}

const PAGE_POLICY =
  "default-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self' ws: wss:; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'";

function servePage(response: ServerResponse, start: LivePageStart): void {
  if (livePageHtml === null) {
    notFound(response, '/');
    return;
  }
  response.setHeader('Content-Security-Policy', PAGE_POLICY);
  response.setHeader('Referrer-Policy', 'no-referrer');
  response.setHeader('Cache-Control', 'no-store');
  const json = JSON.stringify(start).replaceAll('<', '\\u003c');
  const data = `<script type="application/json" id="metergraph-start">${json}</script>`;
  send(
    response,
    200,
    'text/html; charset=utf-8',
    livePageHtml.replace('</head>', () => `${data}</head>`),
  );
}

const sendJson = (response: ServerResponse, status: number, body: unknown): void =>
  send(response, status, 'application/json; charset=utf-8', JSON.stringify(body));

const notFound = (response: ServerResponse, path: string): void =>
  send(response, 404, 'text/plain; charset=utf-8', `There is nothing at ${path}. GraphQL is at /graphql.\n`);

function send(response: ServerResponse, status: number, contentType: string, body: string | Buffer): void {
  response.writeHead(status, { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(body) }).end(body);
}
