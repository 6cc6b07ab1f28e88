/**
 * Goal: invoices and closed periods are exported whole, exact, and as a stream, to whoever may read them.
 * Method: a gateway that makes invoices, files read back by a CSV library, and 100,000 lines in the memory of a few.
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
import { defineConfig } from '../../server/index.ts';
import { describeEngines } from '../support/engines.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { makeKey, makeToken, openRig, REGISTER, type Rig } from './rig.ts';

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

const LINES = 100_000;
const heldBytes = (): number => {
  collect();
  return process.memoryUsage().heapUsed;
};

const FILL = `
  WITH made AS (
    INSERT INTO invoices (customer_id, number, tenant_id, currency, period_start, period_end, total, paid_from_wallet, due, issued_at)
    SELECT (SELECT id FROM customers WHERE tenant_id = $1::uuid LIMIT 1), n, $1::uuid, 'usd', timestamptz '2020-01-01' + n * interval '1 day',
      timestamptz '2020-01-01' + (n + 1) * interval '1 day', 100, 0, 100, timestamptz '2020-01-02' + n / 3 * interval '3 days'
    FROM generate_series(1, ${LINES / 100}) n RETURNING customer_id, number, period_start, period_end
  )
  INSERT INTO invoice_lines (customer_id, number, line, tenant_id, currency, kind, adjustment, feature_key, description, quantity, amount, period_start, period_end)
  SELECT customer_id, number, l, $1::uuid, 'usd', 'overage', false, 'calls', 'Calls', 1, 1, period_start, period_end FROM made, generate_series(1, 100) l`;

describeEngines(`an export of ${LINES} lines`, (engine) => {
  let rig: Rig;
  beforeAll(async () => {
    const { database, tenantId } = await openRig({ database: await engine.open() });
    await database.query({ text: FILL, params: [tenantId] });
    rig = await openRig({ database, config: null });
  });

  const get = (path: string, signal?: AbortSignal) =>
    fetch(`${rig.url}${path}`, { headers: { authorization: `Bearer ${ADMIN_KEY}` }, ...(signal && { signal }) });

  it('comes whole and in order, and takes the memory of a few pages', async () => {
    const { body } = await get('/exports/invoices.csv');
    if (!body) throw new Error('nothing came');
    const before = heldBytes();
    const parser = Readable.fromWeb(body as Parameters<typeof Readable.fromWeb>[0]).pipe(csvParser({ columns: true }));
    let lines = 0;
    let most = 0;
    for await (const { number, line } of parser) {
      if (Number(number) !== Math.floor(lines / 100) + 1 || Number(line) !== (lines % 100) + 1)
        throw new Error(`line ${lines} is ${number} ${line}`);
      lines += 1;
      if (lines % 20_000 === 0) most = Math.max(most, heldBytes() - before);
    }
    expect(lines).toBe(LINES);
    expect(most).toBeLessThan(15_000_000);
  });

  it('is given up where the reader goes, and makes room for the next', async () => {
    for (let i = 0; i < 9; i += 1) {
      const going = new AbortController();
      const { body } = await get('/exports/invoices.ndjson', going.signal);
      await body?.getReader().read();
      going.abort();
    }
    for (;;) {
      const { status, body } = await get('/exports/invoices.ndjson?from=2099-01-01');
      await body?.cancel();
      if (status === 200) break;
      expect(status).toBe(503); // the last one has not noticed yet
    }
  });

  it('is refused beyond four at a time', async () => {
    const going = new AbortController();
    const open = await Promise.all(Array.from({ length: 4 }, () => get('/exports/invoices.ndjson', going.signal)));
    expect(open.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const refused = await get('/exports/invoices.csv');
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'OVERLOADED' } }] });
    going.abort();
  });

  it('ends with the gateway, cut off rather than short', async () => {
    const other = await openRig({ database: rig.database, config: null });
    const { body } = await fetch(`${other.url}/exports/invoices.ndjson`, {
      headers: { authorization: `Bearer ${ADMIN_KEY}` },
    });
    const reader = body?.getReader();
    await reader?.read();
    const closed = other.close();
    const readOn = async () => {
      for (;;) if ((await reader?.read())?.done) return 'whole';
    };
    const outcome = await readOn().catch(() => 'cut');
    await closed;
    expect(outcome).toBe('cut');
  });
});
