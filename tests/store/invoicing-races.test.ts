/**
 * Goal: a billing period is invoiced once, by however many gateways at once, and also when one is killed half-way.
 * Method: several invoicers on one database; transactions that fail at their end, and on Postgres connections that are cut
 * while they wait.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Invoicer } from '../../server/billing/manual/invoicer.ts';
import type { Database } from '../../server/db/client.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { describeEngines, migrated } from '../support/engines.ts';
import { createDatabase, describePostgres, type TestDatabase } from '../support/postgres.ts';
import { invoicerOf, invoicesOf, makeInvoices, openInvoiced, told } from './invoicing.ts';
import { query, register } from './rig.ts';
import { hold } from './row-lock.ts';
import { perUnit, type Scene, type Setting, units } from './scene.ts';

const PRO: Setting = {
  features: { calls: {} },
  plans: {
    pro: {
      prices: [{ amount: units('2000'), currency: 'usd', interval: 'month' }],
      features: new Map([['calls', { price: perUnit('10') }]]),
    },
  },
  plan: 'pro',
  since: '2026-03-01T00:00:00Z',
};

const THREE_MONTHS = [
  '1: 2026-03-01 – 2026-04-01, 2030 usd: base 2000, calls 3 × 10 = 30',
  '2: 2026-04-01 – 2026-05-01, 2000 usd: base 2000',
  '3: 2026-05-01 – 2026-06-01, 2000 usd: base 2000',
];

describeEngines('invoices made at once', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  const openUsed = async (): Promise<Scene> => {
    const scene = await openInvoiced(database, PRO);
    await makeInvoices(scene);
    await scene.tell('use 3');
    scene.rig.clock.set('2026-06-01T01:00:00Z');
    return scene;
  };

  it('by three gateways', async () => {
    const scene = await openUsed();
    const made = await Promise.all([invoicerOf(scene), invoicerOf(scene), invoicerOf(scene)].map((one) => one.run()));
    expect(made.reduce((sum, count) => sum + count, 0)).toBe(3);
    expect(await told(scene)).toEqual(THREE_MONTHS);
  });

  it('while the customer goes on', async () => {
    const scene = await openUsed();
    await Promise.all([
      makeInvoices(scene),
      ...Array.from({ length: 20 }, () => scene.rig.engine.consume(scene.rig.call('acme'))),
      makeInvoices(scene),
    ]);
    expect(await told(scene)).toEqual(THREE_MONTHS);
    scene.rig.clock.set('2026-07-01T01:00:00Z');
    await makeInvoices(scene);
    expect((await told(scene))[3]).toBe('4: 2026-06-01 – 2026-07-01, 2200 usd: base 2000, calls 20 × 10 = 200');
  });

  it('again after one was killed before the end, with the same numbers', async () => {
    const scene = await openUsed();
    const dying: Database = {
      ...database,
      db: new Proxy(database.db, {
        get: (db, name) =>
          name === 'transaction'
            ? (work: Parameters<typeof db.transaction>[0]) =>
                db.transaction(async (tx) => {
                  await work(tx);
                  throw new Error('killed');
                })
            : Reflect.get(db, name),
      }),
    };
    const errors: unknown[] = [];
    const { deps } = scene;
    const onError = (error: unknown) => errors.push(error);
    expect(await new Invoicer({ ...deps, database: dying, finaliseAfterMs: 0, onError }).run()).toBe(0);
    expect(errors).toMatchObject([{ message: 'killed' }]);
    expect(await invoicesOf(scene)).toEqual([]);
    expect(await makeInvoices(scene)).toBe(0); // it is tried again a little later
    scene.rig.clock.advance(5 * 60_000);
    expect(await makeInvoices(scene)).toBe(3);
    expect(await told(scene)).toEqual(THREE_MONTHS);
  });

  it('numbers them without a gap, over customers', async () => {
    const scene = await openUsed();
    const others = Array.from({ length: 30 }, (_, i) => `other ${i}`);
    await register(scene.rig, ...others);
    await query(
      database,
      `INSERT INTO invoice_positions (customer_id, tenant_id, look_at) SELECT id, tenant_id, created_at FROM customers WHERE tenant_id = $1
       ON CONFLICT DO NOTHING`,
      scene.rig.tenantId,
    );
    for (const referenceId of others)
      await scene.rig.engine.consume(scene.rig.call(referenceId, { overrideKey: 'pro' }));
    scene.rig.clock.set('2026-08-01T01:00:00Z');
    await Promise.all([makeInvoices(scene), makeInvoices(scene)]);
    const rows = await query(
      database,
      'SELECT number FROM invoices WHERE tenant_id = $1 ORDER BY 1',
      scene.rig.tenantId,
    );
    expect(rows.map(({ number }) => Number(number))).toEqual(rows.map((_, i) => i + 1));
    expect(rows.length).toBeGreaterThan(5);
  });

  it('leaves to others what was before them', async () => {
    const scene = await openInvoiced(database, PRO);
    await scene.tell('use 3');
    scene.rig.clock.set('2026-06-15T00:00:00Z');
    await makeInvoices(scene); // from here on
    await scene.tell('use 2');
    await scene.tell('record 9 at=2026-05-20T00:00:00Z');
    scene.rig.clock.set('2026-07-01T01:00:00Z');
    await makeInvoices(scene);
    expect(await told(scene)).toEqual(['1: 2026-06-01 – 2026-07-01, 2020 usd: base 2000, calls 2 × 10 = 20']);
    await scene.tell('record 9 at=2026-05-29T00:00:00Z');
    scene.rig.clock.set('2026-08-01T01:00:00Z');
    await makeInvoices(scene);
    expect((await told(scene))[1]).toBe('2: 2026-07-01 – 2026-08-01, 2000 usd: base 2000');
  });
});

/** A lock of another session, and what is done of an invoice when it is met. */
const STEPS = [
  ['before anything', (scene: Scene) => `SELECT FROM customers WHERE id = '${scene.customerId}' FOR UPDATE`],
  [
    'before its number',
    (scene: Scene) => `SELECT FROM invoice_books WHERE tenant_id = '${scene.rig.tenantId}' FOR UPDATE`,
  ],
  ['between invoice and lines', () => 'LOCK TABLE invoice_lines IN SHARE MODE'],
  [
    'before it is said how far the customer is invoiced',
    (scene: Scene) => `SELECT FROM invoice_positions WHERE customer_id = '${scene.customerId}' FOR UPDATE`,
  ],
] as const;

describePostgres('an invoice whose connection is cut', () => {
  let server: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    server = await createDatabase({ template: migrated });
    database = openPostgres({ url: server.url, poolSize: 6, statementTimeoutMs: 30_000 });
  });
  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  /** The server's process that waits for a lock, as soon as one does. */
  const waiting = async (): Promise<number> => {
    for (;;) {
      const [row] = await query(
        database,
        `SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`,
      );
      if (row) return Number(row.pid);
    }
  };

  it.each(STEPS)('%s is made once, by whoever comes next', async (_, lockOf) => {
    const scene = await openInvoiced(database, PRO);
    await makeInvoices(scene);
    await scene.tell('use 3');
    scene.rig.clock.set('2026-04-01T01:00:00Z');
    await scene.tell('settle');
    const letGo = await hold(database, lockOf(scene));
    const errors: unknown[] = [];
    const onError = (error: unknown) => errors.push(error);
    const cut = new Invoicer({ ...scene.deps, finaliseAfterMs: 0, onError }).run();
    await query(database, `SELECT pg_terminate_backend(${await waiting()}, 5000)`);
    await letGo();
    expect(await cut).toBe(0);
    expect(errors.length).toBeGreaterThan(0); // that it is to be tried again is another write, which may fail as well
    expect(await invoicesOf(scene)).toEqual([]);
    scene.rig.clock.advance(5 * 60_000);
    expect(await Promise.all([makeInvoices(scene), makeInvoices(scene)])).toContain(1);
    expect(await told(scene)).toEqual(THREE_MONTHS.slice(0, 1));
  });
});
