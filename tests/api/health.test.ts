/** Goal: whoever watches a gateway learns how it is, and browsers get what they load. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Asset, Assets } from '../../server/assets.ts';
import type { Database } from '../../server/db/client.ts';
import { openEmbedded } from '../support/engines.ts';
import { ADMIN_KEY, startGateway } from '../support/gateway.ts';
import { CONSUME, openRig, REGISTER, type Rig, use, WATCH } from './rig.ts';

const SCRIPT = 'customElements.define("usage-meter", class extends HTMLElement {});';
const asset = (body: string, contentType: string): Asset => ({ body: Buffer.from(body), contentType, etag: '"abc"' });
const ASSETS: Assets = {
  livePageFiles: new Map([
    ['/index.html', asset('<html><head><title>Live</title></head></html>', 'text/html; charset=utf-8')],
  ]),
  widgetScript: asset(SCRIPT, 'text/javascript; charset=utf-8'),
};

/** A database that can be taken away, and that can be held up in the middle of a batch. */
function unsteady(database: Database) {
  let state: 'sound' | 'gone' | 'silent' = 'sound';
  let held: Promise<void> | null = null;
  let waiting = false;
  const steady = async <T>(work: () => Promise<T>): Promise<T> => {
    if (state === 'gone') throw new Error('connect ECONNREFUSED 127.0.0.1:5432');
    if (state === 'silent') return new Promise(() => {});
    return work();
  };
  const db = new Proxy(database.db, {
    get: (target, name) => {
      if (state === 'gone') throw new Error('connect ECONNREFUSED 127.0.0.1:5432');
      if (state === 'silent' && name === 'select') return () => ({ from: () => new Promise(() => {}) });
      return Reflect.get(target, name);
    },
  });
  return {
    database: {
      ...database,
      db,
      query: (statement) => steady(() => database.query(statement)),
      lane: {
        ...database.lane,
        transact: async (first, second) => {
          waiting = held !== null;
          await held;
          waiting = false;
          return steady(() => database.lane.transact(first, second));
        },
      },
    } satisfies Database as Database,
    become: (next: typeof state) => {
      state = next;
    },
    /** @returns what lets batches go on. */
    hold: (): (() => void) => {
      let release = () => {};
      held = new Promise((resolve) => {
        release = resolve;
      });
      return () => {
        held = null;
        release();
      };
    },
    isHeld: () => waiting,
  };
}

let rig: Rig;
let control: ReturnType<typeof unsteady>;

beforeAll(async () => {
  control = unsteady(await openEmbedded());
  rig = await openRig({
    database: control.database,
    assets: ASSETS,
    engine: { batchSizeMax: 2_000, deadlineMs: 20_000 },
  });
});

const get = (path: string, init: RequestInit = {}) => fetch(`${rig.url}${path}`, init);

describe('/healthz and /readyz', () => {
  it('say yes', async () => {
    expect(await (await get('/healthz')).json()).toEqual({ status: 'ok' });
    const ready = await get('/readyz');
    expect({ status: ready.status, body: await ready.json() }).toEqual({
      status: 200,
      body: { status: 'ready', checks: { database: 'reachable', migrations: 'current' } },
    });
  });

  it.each(['gone', 'silent'] as const)('a database that is %s: alive, and not ready', async (state) => {
    control.become(state);
    const [alive, ready] = [await get('/healthz'), await get('/readyz')];
    control.become('sound');
    expect(alive.status).toBe(200);
    expect({ status: ready.status, body: await ready.json() }).toEqual({
      status: 503,
      body: { status: 'not ready', checks: { database: 'unreachable' } },
    });
    expect((await get('/readyz')).status).toBe(200);
  });

  it('tables of an older version: not ready', async () => {
    const { query } = rig.database;
    const [last] = await query<{ hash: string; position: number }>({
      text: 'DELETE FROM metergraph_migrations WHERE position = (SELECT max(position) FROM metergraph_migrations) RETURNING hash, position',
      params: [],
    });
    const ready = await get('/readyz');
    await query({
      text: 'INSERT INTO metergraph_migrations (hash, position) VALUES ($1, $2)',
      params: [last?.hash ?? '', last?.position ?? 0],
    });
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ checks: { migrations: expect.stringMatching(/^\d+ of \d+ applied$/) } });
  });

  it.each(['/healthz', '/readyz', '/metrics', '/widget.js', '/'])(
    'HEAD %s has the headers and no body',
    async (path) => {
      const [head, whole] = [await get(path, { method: 'HEAD' }), await get(path)];
      expect(head.status).toBe(200);
      expect(head.headers.get('content-type')).toBe(whole.headers.get('content-type'));
      expect(await head.text()).toBe('');
      expect((await whole.text()).length).toBeGreaterThan(0);
    },
  );
});

describe('/metrics', () => {
  const metric = async (name: string): Promise<number> => {
    const text = await (await get('/metrics')).text();
    const line = text.split('\n').find((candidate) => candidate.startsWith(`${name} `));
    if (line === undefined) throw new Error(`no ${name} in\n${text}`);
    return Number(line.slice(name.length + 1));
  };

  it('is Prometheus text in which every metric is described', async () => {
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    for (const name of [
      'consumes_total',
      'consume_duration_seconds',
      'batch_size',
      'batch_duration_seconds',
      'queue_length',
      'open_sockets',
      'open_subscriptions',
      'fan_out_drops_total',
    ]) {
      expect(text).toMatch(new RegExp(`^# HELP metergraph_${name} .{20,}$`, 'm'));
    }
  });

  it('counts consumes by outcome, how long they take, and how many go together', async () => {
    const once = use({ idempotencyKey: 'once' });
    for (const variables of [once, once, use({ overrideKey: 'free', amount: '6' }), use({ featureKey: 'nope' })]) {
      await rig.data(CONSUME, variables);
    }
    expect(await metric('metergraph_consumes_total{outcome="allowed"}')).toBe(1);
    expect(await metric('metergraph_consumes_total{outcome="replayed"}')).toBe(1);
    expect(await metric('metergraph_consumes_total{outcome="LIMIT_REACHED"}')).toBe(1);
    expect(await metric('metergraph_consumes_total{outcome="FEATURE_NOT_FOUND"}')).toBe(1);
    expect(await metric('metergraph_consume_duration_seconds_count')).toBe(4);
    expect(await metric('metergraph_consume_duration_seconds_bucket{le="+Inf"}')).toBe(4);
    expect(await metric('metergraph_batch_size_count')).toBe(4);
    expect(await metric('metergraph_batch_size_sum')).toBe(4);
    expect(await metric('metergraph_batch_duration_seconds_count')).toBe(4);
  });

  it('shows what waits', async () => {
    const release = control.hold();
    const calls = Array.from({ length: 5 }, () => rig.data(CONSUME, use()));
    await vi.waitUntil(async () => (await metric('metergraph_queue_length')) > 0);
    release();
    await Promise.all(calls);
    expect(await metric('metergraph_queue_length')).toBe(0);
  });

  it('counts sockets and subscriptions as they come and go', async () => {
    const socket = await rig.openWs(ADMIN_KEY);
    for (const id of ['1', '2']) socket.subscribe(id, WATCH, { referenceId: 'acme' });
    await Promise.all([socket.waitForNext('1'), socket.waitForNext('2')]);
    expect(await metric('metergraph_open_sockets')).toBe(1);
    expect(await metric('metergraph_open_subscriptions')).toBe(2);
    await socket.close();
    await vi.waitUntil(async () => (await metric('metergraph_open_sockets')) === 0);
    await vi.waitUntil(async () => (await metric('metergraph_open_subscriptions')) === 0);
  });

  it('counts what a watcher of everything was spared', async () => {
    const references = Array.from({ length: 400 }, (_, i) => `many-${i}`);
    const inputs = references.map((referenceId) => ({ referenceId, planKey: 'pro' }));
    await Promise.all(inputs.map((input) => rig.data(REGISTER, { input })));
    const socket = await rig.openWs(ADMIN_KEY);
    socket.subscribe('1', 'subscription { liveUsage { at } }');
    await vi.waitUntil(async () => (await metric('metergraph_open_subscriptions')) === 1);
    const many = 'mutation ($inputs: [ConsumeInput!]!) { consumeMany(input: { inputs: $inputs }) { __typename } }';
    const uses = ['api_calls', 'storage', 'exports'].flatMap((featureKey) =>
      references.map((referenceId) => use({ referenceId, featureKey }).input),
    );
    const release = control.hold();
    const calls = [rig.data(CONSUME, use())]; // what comes while it is held up is one batch
    await vi.waitUntil(control.isHeld);
    calls.push(rig.data(many, { inputs: uses.slice(0, 600) }), rig.data(many, { inputs: uses.slice(600) }));
    await vi.waitUntil(async () => (await metric('metergraph_queue_length')) === 1_200, 5_000);
    release();
    await Promise.all(calls);
    await vi.waitUntil(async () => (await metric('metergraph_fan_out_drops_total')) > 0);
    await socket.close();
  });
});

describe('what browsers load', () => {
  it('the widget, from any site, and only when it is new', async () => {
    const first = await get('/widget.js', { headers: { origin: 'https://any.example' } });
    expect(first.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    expect(first.headers.get('access-control-allow-origin')).toBe('*');
    expect(first.headers.get('cross-origin-resource-policy')).toBe('cross-origin');
    expect(await first.text()).toBe(SCRIPT);
    const etag = first.headers.get('etag') ?? '';
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await get('/widget.js', { headers: { 'if-none-match': known } });
      expect({ status: again.status, body: await again.text() }).toEqual({ status: 304, body: '' });
    }
    expect((await get('/widget.js', { headers: { 'if-none-match': '"other"' } })).status).toBe(200);
  });

  it('the live page, which tells nothing outside of a demo and runs no script of others', async () => {
    const page = await get('/');
    expect(page.headers.get('content-security-policy')).toMatch(/default-src 'self'.*frame-ancestors 'none'/);
    expect(page.headers.get('cache-control')).toBe('no-store');
    expect(await page.text()).toContain(
      '<script type="application/json" id="metergraph-start">{"demoKey":null}</script></head>',
    );
  });

  it('GraphiQL, whole: nothing of it comes from elsewhere', async () => {
    const page = await get('/graphql', { headers: { accept: 'text/html' } });
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toMatch(/^text\/html/);
    expect(page.headers.get('x-frame-options')).toBe('DENY');
    const html = await page.text();
    expect(html.length).toBeGreaterThan(100_000);
    expect(html).not.toMatch(/<(script|img|iframe)[^>]+src=["'](https?:)?\/\//i);
    expect(html).not.toMatch(/<link[^>]+href=["'](https?:)?\/\//i);
    expect(html).not.toMatch(/(unpkg\.com|jsdelivr|cdnjs|fonts\.googleapis)/);
    expect(html).not.toContain(ADMIN_KEY);
  });

  it.each([
    '/nothing',
    '/graphqlx',
    '/graphql/x',
    '/__proto__',
    '/constructor',
    '/..%2f..%2fetc%2fpasswd',
    '/%0d%0aset-cookie:%20a=b',
    '/%E0%A4%A',
  ])('%s is nothing', async (path) => {
    const response = await get(path);
    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(response.headers.get('x-content-type-options')).toBe('nosniff');
    expect(response.headers.get('set-cookie')).toBeNull();
    expect(await response.text()).toContain('GraphQL is at /graphql');
  });

  it('what was not built is not there, and all else is', async () => {
    const bare = await startGateway({
      database: rig.database,
      assets: { livePageFiles: new Map(), widgetScript: null },
    });
    for (const [path, status] of [
      ['/widget.js', 404],
      ['/', 404],
      ['/healthz', 200],
    ] as const) {
      expect((await fetch(`${bare.url}${path}`)).status, path).toBe(status);
    }
  });
});
