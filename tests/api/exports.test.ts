/**
 * Goal: invoices and closed periods are exported whole, exact, and as a stream, to whoever may read them.
 * Method: a gateway that makes invoices, files read back by a CSV library, and 24 MB in the memory of a few pages.
 */
import { readFileSync } from 'node:fs';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { parse as csvParser } from 'csv-parse';
import { parse } from 'csv-parse/sync';
import { beforeAll, expect, it } from 'vitest';
import { Invoicer } from '../../server/billing/manual/invoicer.ts';
import { queryIn } from '../../server/db/query-in.ts';
import { invoicesNdjson, type ReadAs } from '../../server/exports/invoice-export.ts';
import { defineConfig } from '../../server/index.ts';
import { describeEngines } from '../support/engines.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { addTenant, makeKey, makeToken, openRig, REGISTER, type Rig } from './rig.ts';

const CONFIG = defineConfig({
  features: { calls: { displayName: '=Calls, "quoted"', reset: 'monthly' } },
  plans: {
    pro: {
      price: [{ amount: 2_000, currency: 'usd', interval: 'month' }],
      features: { calls: { price: { unitAmount: '0.5' } } },
    },
  },
  billing: { biller: 'manual' },
});

const HEADER = [
  ...['number', 'status', 'referenceId', 'currency', 'periodStart', 'periodEnd', 'issuedAt', 'voidedAt', 'total'],
  ...['paidFromWallet', 'due', 'line', 'kind', 'adjustment', 'featureKey', 'description', 'quantity', 'unitAmount'],
  ...['amount', 'linePeriodStart', 'linePeriodEnd'],
];

describeEngines('exports', (engine) => {
  let rig: Rig;

  beforeAll(async () => {
    rig = await openRig({ database: await engine.open(), config: CONFIG });
    const { clock } = rig;
    const onError = (error: unknown) => {
      throw error;
    };
    const invoicer = new Invoicer({ ...rig.gateway.services, finaliseAfterMs: 0, onError });
    clock.set('2026-01-01T00:00:00Z');
    await invoicer.run();
    await rig.data(REGISTER, { input: { referenceId: '=1+1', planKey: 'pro', anchorAt: '2026-01-01T00:00:00Z' } });
    for (const month of ['2026-02', '2026-03', '2026-04']) {
      await consume('=1+1', 7);
      clock.set(`${month}-01T00:00:00Z`);
      await invoicer.run();
    }
    await rig.data('mutation { voidInvoice(input: { number: 2 }) { ... on InvoiceRecord { status } } }');
  });

  const consume = (referenceId: string, amount: number) =>
    rig.data(
      `mutation ($input: ConsumeInput!) { consume(input: $input) { ... on Consumption { allowed } ... on UserError { message } } }`,
      {
        input: { referenceId, featureKey: 'calls', amount },
      },
    );
  const get = (path: string, key: string | null = ADMIN_KEY, init: RequestInit = {}) =>
    fetch(`${rig.url}${path}`, { ...init, headers: key === null ? {} : { authorization: `Bearer ${key}` } });
  const csv = async (query = ''): Promise<readonly Record<string, string>[]> =>
    parse(await (await get(`/exports/invoices.csv${query}`)).text(), { columns: true });
  // biome-ignore lint/suspicious/noExplicitAny: whatever a line says
  const ndjson = async (path: string): Promise<readonly any[]> =>
    (await (await get(path)).text())
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));

  it('writes a line for each line of an invoice, in columns that stay', async () => {
    const reply = await get('/exports/invoices.csv');
    expect(reply.status).toBe(200);
    expect(reply.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present');
    expect(reply.headers.get('content-disposition')).toBe('attachment; filename="invoices.csv"');
    expect(reply.headers.get('cache-control')).toBe('no-store');
    const [header, ...rows] = parse(await reply.text());
    expect(header).toEqual(HEADER);
    const lines = await csv();
    expect(lines).toHaveLength(rows.length);
    expect(lines.filter(({ referenceId }) => referenceId === "'=1+1").slice(0, 2)).toEqual([
      {
        number: '1',
        status: 'open',
        referenceId: "'=1+1",
        currency: 'usd',
        periodStart: '2026-01-01T00:00:00.000Z',
        periodEnd: '2026-02-01T00:00:00.000Z',
        issuedAt: '2026-02-01T00:00:00.000Z',
        voidedAt: '',
        total: '2004',
        paidFromWallet: '0',
        due: '2004',
        line: '1',
        kind: 'base',
        adjustment: 'false',
        featureKey: '',
        description: 'Pro',
        quantity: '1',
        unitAmount: '2000',
        amount: '2000',
        linePeriodStart: '2026-01-01T00:00:00.000Z',
        linePeriodEnd: '2026-02-01T00:00:00.000Z',
      },
      {
        number: '1',
        status: 'open',
        referenceId: "'=1+1",
        currency: 'usd',
        periodStart: '2026-01-01T00:00:00.000Z',
        periodEnd: '2026-02-01T00:00:00.000Z',
        issuedAt: '2026-02-01T00:00:00.000Z',
        voidedAt: '',
        total: '2004',
        paidFromWallet: '0',
        due: '2004',
        line: '2',
        kind: 'overage',
        adjustment: 'false',
        featureKey: 'calls',
        description: `'=Calls, "quoted"`,
        quantity: '7',
        unitAmount: '0.5',
        amount: '4',
        linePeriodStart: '2026-01-01T00:00:00.000Z',
        linePeriodEnd: '2026-02-01T00:00:00.000Z',
      },
    ]);
  });

  it('has the columns of its page in the docs', () => {
    const page = readFileSync(fileURLToPath(new URL('../../docs/billing-manual.md', import.meta.url)), 'utf8');
    const [, columns = ''] = /<!-- columns -->\n([\s\S]*?)\n\n/.exec(page) ?? [];
    expect([...columns.matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual(HEADER);
  });

  it('says the same as NDJSON, an invoice a line', async () => {
    const invoices = await ndjson('/exports/invoices.ndjson');
    expect(invoices.map(({ number }) => number)).toEqual([1, 2, 3]);
    expect(invoices[1]).toMatchObject({
      number: 2,
      status: 'void',
      referenceId: '=1+1',
      voidedAt: '2026-04-01T00:00:00.000Z',
      total: '2004',
      due: '2004',
    });
    expect(invoices[0].lines).toMatchObject([
      { kind: 'base', unitAmount: '2000' },
      { kind: 'overage', quantity: '7', amount: '4' },
    ]);
    const lines = await csv();
    const flat = invoices.flatMap(({ number, lines: own }) =>
      own.map(({ line }: { line: number }) => `${number} ${line}`),
    );
    expect(lines.map(({ number, line }) => `${number} ${line}`)).toEqual(flat);
  });

  it('is narrowed to a half-open time and a status', async () => {
    const numbers = async (query: string) =>
      (await ndjson(`/exports/invoices.ndjson${query}`)).map(({ number }) => number);
    expect(await numbers('?from=2026-03-01&to=2026-04-01')).toEqual([2]);
    expect(await numbers('?to=2026-03-01T00:00:00Z')).toEqual([1]);
    expect(await numbers('?from=2026-03-01T00:00:00.001Z')).toEqual([3]);
    expect(await numbers('?status=void')).toEqual([2]);
    expect(await numbers('?status=open')).toEqual([1, 3]);
    expect(await numbers('?from=2027-01-01')).toEqual([]);
    expect(await csv('?from=2027-01-01')).toEqual([]);
  });

  it('goes on after a number', async () => {
    const numbers = async (query: string) =>
      (await ndjson(`/exports/invoices.ndjson${query}`)).map(({ number }) => number);
    expect(await numbers('?after=0')).toEqual([1, 2, 3]);
    expect(await numbers('?after=1')).toEqual([2, 3]);
    expect(await numbers('?after=1&status=open')).toEqual([3]);
    expect(await numbers('?after=1&to=2026-04-01')).toEqual([2]);
    expect(await numbers('?after=3')).toEqual([]);
    expect((await csv('?after=2')).map(({ number }) => number)).toEqual(['3', '3']);
  });

  it('has the closed periods of features', async () => {
    const periods = (await ndjson('/exports/usage.ndjson?from=2026-02-01&to=2026-03-02')).filter(
      ({ referenceId }) => referenceId === '=1+1',
    );
    expect(periods).toEqual(
      ['01', '02'].map((month) => ({
        referenceId: '=1+1',
        featureKey: 'calls',
        period: {
          start: `2026-${month}-01T00:00:00.000Z`,
          end: month === '01' ? '2026-02-01T00:00:00.000Z' : '2026-03-01T00:00:00.000Z',
        },
        used: '7',
        included: '0',
        credits: '0',
        wallet: '0',
        overage: '7',
        cost: '3.5',
        walletCharge: '0',
        currency: 'usd',
        closedAt: expect.stringMatching(/^2026-0[23]-01T/),
        correctedAt: null,
      })),
    );
  });

  it.each([
    ['no credential', null, '/exports/invoices.csv', 401, 'UNAUTHENTICATED'],
    [
      'an unknown key',
      'mg_live_Unknown0_0123456789ABCDEFGHIJabcdefghij09',
      '/exports/invoices.csv',
      401,
      'UNAUTHENTICATED',
    ],
    ['an unknown parameter', ADMIN_KEY, '/exports/usage.ndjson?status=open', 400, 'INVALID_INPUT'],
    ['a parameter twice', ADMIN_KEY, '/exports/invoices.csv?from=2026-01-01&from=2026-01-02', 400, 'INVALID_INPUT'],
    ['a day that does not exist', ADMIN_KEY, '/exports/invoices.csv?from=2026-02-30', 400, 'INVALID_INPUT'],
    ['an instant without offset', ADMIN_KEY, '/exports/invoices.csv?from=2026-02-01T00:00', 400, 'INVALID_INPUT'],
    [
      'times in the wrong order',
      ADMIN_KEY,
      '/exports/invoices.csv?from=2026-02-01&to=2026-02-01',
      400,
      'INVALID_INPUT',
    ],
    ['a number that is none', ADMIN_KEY, '/exports/invoices.csv?after=-1', 400, 'INVALID_INPUT'],
    ['a number where periods have none', ADMIN_KEY, '/exports/usage.ndjson?after=1', 400, 'INVALID_INPUT'],
    ['an unknown status', ADMIN_KEY, '/exports/invoices.csv?status=paid', 400, 'INVALID_INPUT'],
  ])('refuses %s', async (_, key, path, status, code) => {
    const reply = await get(path, key);
    expect([reply.status, reply.headers.get('content-disposition')]).toEqual([status, null]);
    expect(await reply.json()).toEqual({
      errors: [{ message: expect.stringMatching(/^.{10,}\.$/), extensions: { code } }],
    });
  });

  it('is for keys that may read, and read with GET', async () => {
    const [read, ingest] = [await makeKey(rig, ['read']), await makeKey(rig, ['ingest'])];
    expect((await get('/exports/invoices.csv', read.secret)).status).toBe(200);
    for (const key of [ingest.secret, await makeToken(rig, { referenceId: '=1+1' })]) {
      const reply = await get('/exports/invoices.csv', key);
      expect([reply.status, await reply.json()]).toMatchObject([
        403,
        { errors: [{ extensions: { code: 'FORBIDDEN' } }] },
      ]);
    }
    const posted = await get('/exports/invoices.csv', ADMIN_KEY, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET']);
    expect((await get('/exports/other.csv')).status).toBe(404);
  });
});

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const INVOICES = 300;
const LINES_EACH = 20;
const LINES = INVOICES * LINES_EACH;

const heldBytes = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

/** Lines of 4 kB, so that few of them fill every buffer on their way. Every seventh invoice says it was made before others. */
const FILL = `
  WITH made AS (
    INSERT INTO invoices (customer_id, number, tenant_id, currency, period_start, period_end, total, paid_from_wallet, due, issued_at)
    SELECT (SELECT id FROM customers WHERE tenant_id = $1::uuid LIMIT 1), n, $1::uuid, 'usd', timestamptz '2020-01-01' + n * interval '1 day',
      timestamptz '2020-01-01' + (n + 1) * interval '1 day', 100, 0, 100,
      timestamptz '2020-01-02' + (n / 3 * 3 - CASE WHEN n % 7 = 0 THEN 9 ELSE 0 END) * interval '1 day'
    FROM generate_series(1, ${INVOICES}) n RETURNING customer_id, number, period_start, period_end
  )
  INSERT INTO invoice_lines (customer_id, number, line, tenant_id, currency, kind, adjustment, feature_key, description, quantity, amount, period_start, period_end)
  SELECT customer_id, number, l, $1::uuid, 'usd', 'overage', false, 'calls', repeat('Calls, ', 570), 1, 1, period_start, period_end
  FROM made, generate_series(1, ${LINES_EACH}) l`;

describeEngines(`an export of ${LINES} long lines`, (engine) => {
  let rig: Rig;
  let stranger: string;
  beforeAll(async () => {
    rig = await openRig({ database: await engine.open() });
    const other = await addTenant(rig);
    stranger = other.key;
    await rig.as(stranger).data(REGISTER, { input: { referenceId: 'acme', planKey: 'pro' } });
    for (const tenantId of [rig.tenantId, other.tenantId]) {
      await rig.database.query({ text: FILL, params: [tenantId] });
    }
  });

  type Asking = { readonly key?: string; readonly signal?: AbortSignal };
  const get = (path: string, { key = ADMIN_KEY, signal }: Asking = {}) =>
    fetch(`${rig.url}${path}`, { headers: { authorization: `Bearer ${key}` }, ...(signal && { signal }) });
  /** Asks until there is room: those that were given up are noticed a moment later. */
  const getInTime = async (path: string, asking?: Asking) => {
    for (;;) {
      const reply = await get(path, asking);
      if (reply.status === 200) return reply;
      await reply.body?.cancel();
      expect(reply.status).toBe(503);
    }
  };

  it('comes whole and in order of numbers, and takes the memory of a few pages', async () => {
    const { body } = await get('/exports/invoices.csv');
    if (!body) throw new Error('nothing came');
    const before = heldBytes();
    const parser = Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]).pipe(csvParser({ columns: true }));
    let lines = 0;
    let most = 0;
    for await (const { number, line } of parser) {
      if (Number(number) !== Math.floor(lines / LINES_EACH) + 1 || Number(line) !== (lines % LINES_EACH) + 1)
        throw new Error(`line ${lines} is ${number} ${line}`);
      lines += 1;
      if (lines % 1_000 === 0) most = Math.max(most, heldBytes() - before);
    }
    expect(lines).toBe(LINES);
    expect(most).toBeLessThan(15_000_000);
  });

  it('begins an invoice before all of its lines are read', async () => {
    const { database, tenantId } = rig;
    let reads = 0;
    const read: ReadAs = (work) => {
      reads += 1;
      return database.readAs(tenantId, (db) => work(queryIn(db)));
    };
    await database.query({
      text: `INSERT INTO invoice_lines (customer_id, number, line, tenant_id, currency, kind, adjustment, description, quantity, amount, period_start, period_end)
        SELECT customer_id, number, l, tenant_id, 'usd', 'overage', false, 'More', 1, 1, period_start, period_end
        FROM invoices, generate_series(${LINES_EACH + 1}, 2500) l WHERE tenant_id = $1::uuid AND number = ${INVOICES}`,
      params: [tenantId],
    });
    const filter = { tenantId, afterNumber: INVOICES - 1, fromMs: null, toMs: null, status: null };
    const pages = invoicesNdjson(read, filter);
    let text = (await pages.next()).value ?? '';
    expect(reads).toBe(3); // the numbers, the invoices, a page of lines
    for await (const page of pages) text += page;
    const { number, lines } = JSON.parse(text);
    expect([number, lines.length, lines.at(-1).line]).toEqual([INVOICES, 2_500, 2_500]);
  });

  it('is given up where the reader goes, and makes room for the next', async () => {
    for (let i = 0; i < 9; i += 1) {
      const going = new AbortController();
      const { body } = await getInTime('/exports/invoices.ndjson', { signal: going.signal });
      await body?.getReader().read();
      going.abort();
    }
  });

  it('is refused beyond two of a tenant, and four in all', async () => {
    const open: Response[] = []; // what nobody holds is given up
    for (const key of [ADMIN_KEY, ADMIN_KEY, stranger, stranger]) {
      open.push(await getInTime('/exports/invoices.ndjson', { key }));
    }
    const refusals = [];
    const sandbox = await addTenant(rig, 'test');
    for (const key of [ADMIN_KEY, stranger, sandbox.key]) {
      const refused = await get('/exports/invoices.csv', { key });
      const { errors } = (await refused.json()) as { errors: [{ message: string; extensions: { code: string } }] };
      const [{ message, extensions }] = errors;
      refusals.push([refused.status, refused.headers.get('retry-after'), extensions.code, message.slice(0, 9)]);
    }
    expect(refusals).toEqual([
      [503, '5', 'OVERLOADED', '2 exports'],
      [503, '5', 'OVERLOADED', '2 exports'],
      [503, '5', 'OVERLOADED', '4 exports'],
    ]);
    await Promise.all(open.map(({ body }) => body?.cancel()));
  });

  it('is cut when nothing is taken for a minute, and makes room for the next', async () => {
    const stalled = [await getInTime('/exports/invoices.csv'), await getInTime('/exports/invoices.csv')];
    for (let room = false; !room; ) {
      rig.clock.advance(60_000);
      rig.gateway.exports.cutStalled();
      const { status, body } = await get('/exports/invoices.csv?from=2099-01-01');
      await body?.cancel();
      room = status === 200;
    }
    const outcomes = await Promise.all(stalled.map(({ body }) => restOf(body?.getReader())));
    expect(outcomes).toContain('cut'); // the other may not have come to a stand yet
  });

  it('goes on where something is taken', async () => {
    const { body } = await getInTime('/exports/invoices.csv');
    const onTaken = () => {
      rig.clock.advance(200); // of some 64 kB
      rig.gateway.exports.cutStalled();
    };
    const startedMs = rig.clock.now();
    expect(await restOf(body?.getReader(), onTaken)).toBe('whole');
    expect(rig.clock.now() - startedMs).toBeGreaterThan(60_000);
  });

  it('ends with the gateway, cut off rather than short', async () => {
    const other = await openRig({ database: rig.database, config: null });
    const { body } = await fetch(`${other.url}/exports/invoices.ndjson`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    const reader = body?.getReader();
    await reader?.read();
    const closed = other.close();
    const outcome = await restOf(reader);
    await closed;
    expect(outcome).toBe('cut');
  });
});

/** How a download ends that is read on. */
async function restOf(
  reader: ReadableStreamDefaultReader<unknown> | undefined,
  onTaken: () => void = () => {},
): Promise<'whole' | 'cut'> {
  try {
    for (;;) {
      if ((await reader?.read())?.done) return 'whole';
      onTaken();
    }
  } catch {
    return 'cut';
  }
}
