/**
 * Goal: what goes wrong with one call stays with that call, and every caller hears something true. Method: calls that
 * a database refuses, rows held by another session, queues that are full, listeners that throw, connections that die.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { ONE, unitsOf } from '../../server/domain/units.ts';
import { describeEngines, migrated } from '../support/engines.ts';
import { createDatabase, describePostgres, type TestDatabase } from '../support/postgres.ts';
import { errorOf, outcomesOf, tally } from './outcomes.ts';
import { expectConsistent } from './promises.ts';
import { recorded } from './recorded.ts';
import { openRig, query, type Rig, register, rigWith } from './rig.ts';
import { hold, holdCustomer } from './row-lock.ts';
import { perUnit } from './scene.ts';

describeEngines('a fault', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  it.each([
    ['properties that are not JSON', { properties: '{nope' }],
    ['properties with a zero character', { properties: '{"text":"a\\u0000b"}' }],
    ['properties with half a character', { properties: '{"text":"\\ud800"}' }],
    ['a key with a zero character', { idempotencyKey: 'a\u0000b' }],
  ])('of one call fails that call alone: %s', async (_, poison) => {
    const rig = await rigWith(database, { limit: null });
    const calls = Array.from({ length: 9 }, (_, i) => rig.call('acme', i === 4 ? poison : { idempotencyKey: `k${i}` }));
    const outcomes = await outcomesOf(calls.map((call) => rig.engine.consume(call)));
    expect(outcomes).toEqual(calls.map((_, i) => (i === 4 ? 'INVALID_INPUT' : 'allowed')));
    expect(await recorded(rig, 'acme')).toEqual({ used: 8, events: 8, alerts: 0, answers: 8 });
    expect(rig.unreachable).toEqual([]);
    await expectConsistent(database);
  });

  it('of a total that no longer fits fails the call that would make it', async () => {
    const rig = await rigWith(database, { limit: null });
    const most = unitsOf('99999999999999999999999999999.999999999');
    const outcomes = await outcomesOf(
      [most, ONE, -ONE].map((amount) => rig.engine.consume(rig.call('acme', { amount }))),
    );
    expect(outcomes).toEqual(['allowed', 'INVALID_AMOUNT', 'INVALID_AMOUNT']);
    await expectConsistent(database);
  });

  it('of a minute that no longer fits, because its period was ended by hand, says so in our own words', async () => {
    const rig = await rigWith(database, { limit: null });
    const { tenantId, customerId, referenceId } = rig.call('acme');
    const most = rig.call('acme', { amount: unitsOf('99999999999999999999999999999.999999999') });
    await rig.engine.consume(most);
    const restart = {
      kind: 'reset',
      tenantId,
      customerId,
      referenceId,
      featureKey: 'calls',
      idempotencyKey: null,
    } as const;
    await rig.engine.execute(restart);
    const error = await rig.engine.consume(rig.call('acme')).catch((refusal: unknown) => refusal);
    expect(error).toMatchObject({ code: 'INVALID_AMOUNT', path: ['input', 'amount'] });
    expect(String(error)).toMatch(/more than 29 digits before the point; nothing was written, send a smaller one\.$/);
    rig.clock.advance(60_000);
    expect(await outcomesOf([rig.engine.consume(rig.call('acme'))])).toEqual(['allowed']);
    await expectConsistent(database);
  });

  it('of a price that makes the cost too long fails the call, and never its neighbours or its repeats', async () => {
    const rig = await rigWith(database, { price: perUnit('1e20') });
    await register(rig, 'globex');
    const dear = rig.call('acme', { amount: unitsOf('1e20'), idempotencyKey: 'dear' });
    for (let i = 0; i < 2; i += 1) {
      expect(await outcomesOf([rig.engine.consume(dear), rig.engine.consume(rig.call('globex'))])).toEqual([
        'INVALID_AMOUNT',
        'allowed',
      ]);
    }
    expect(await recorded(rig, 'globex')).toMatchObject({ used: 2, events: 2 });
  });

  it('of a listener changes nothing for the callers, and nothing is counted twice', async () => {
    const heard: unknown[] = [];
    const rig = await rigWith(
      database,
      { limit: null },
      {
        onCommitted: () => {
          throw new Error('the listener failed');
        },
        onListenerError: (error) => heard.push(error),
      },
    );
    const outcomes = await outcomesOf(Array.from({ length: 20 }, () => rig.engine.consume(rig.call('acme'))));
    expect(tally(outcomes)).toEqual({ allowed: 20 });
    expect(await recorded(rig, 'acme')).toMatchObject({ used: 20, events: 20 });
    expect(heard).toEqual([new Error('the listener failed')]);
  });

  it('of a batch that the database refuses leaves the errors of its calls as they are', async () => {
    const rig = await rigWith(database, { limit: unitsOf('2') });
    const calls = [
      rig.call('acme'),
      rig.call('nobody'),
      rig.call('acme', { properties: '{' }),
      rig.call('acme', { featureKey: 'cals' }),
      rig.call('acme'),
      rig.call('acme'),
    ];
    const outcomes = await outcomesOf(calls.map((call) => rig.engine.consume(call)));
    expect(outcomes).toEqual([
      'allowed',
      'CUSTOMER_NOT_FOUND',
      'INVALID_INPUT',
      'FEATURE_NOT_FOUND',
      'allowed',
      'LIMIT_REACHED',
    ]);
    await expectConsistent(database);
  });

  it('row held too long: DEADLINE_EXCEEDED, later calls work, and a retry with the same key is counted once', async () => {
    const rig = await rigWith(database, { limit: null }, { engine: { deadlineMs: 250 } });
    const letGo = await holdCustomer(rig, 'acme');
    const call = rig.call('acme', { idempotencyKey: 'k' });
    const error = await errorOf(rig.engine.consume(call));
    expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', retryable: true });
    await letGo();
    expect(await outcomesOf([rig.engine.consume(call), rig.engine.consume(rig.call('acme'))])).toEqual([
      'allowed',
      'allowed',
    ]);
    expect(await recorded(rig, 'acme')).toEqual({ used: 2, events: 2, alerts: 0, answers: 1 });
    await expectConsistent(database);
  });

  it('of a batch, and then no answer at all: nobody waits longer than one deadline', async () => {
    let tries = 0;
    const silent: Database = {
      ...database,
      lane: {
        reset: () => database.lane.reset(),
        transact: (first, second) => {
          tries += 1;
          return tries === 1 ? database.lane.transact(first, second) : new Promise(() => {});
        },
      },
    };
    const rig = await rigWith(silent, { limit: null }, { engine: { deadlineMs: 500 } });
    const calls = Array.from({ length: 50 }, (_, i) => rig.call('acme', i === 7 ? { properties: '{' } : {}));
    const outcomes = await outcomesOf(calls.map((call) => rig.engine.consume(call)));
    expect(tally(outcomes)).toEqual({ DEADLINE_EXCEEDED: 50 });
    expect(tries).toBe(2);
  });

  it('queue that is too long for its calls: OVERLOADED, nothing of them written', async () => {
    const rig = await rigWith(database, { limit: null }, { engine: { batchSizeMax: 1, deadlineMs: 20_000 } });
    const letGo = await holdCustomer(rig, 'acme');
    const first = rig.engine.consume(rig.call('acme'));
    const waiting = Array.from({ length: 5 }, () => rig.engine.consume(rig.call('acme')));
    await new Promise(setImmediate); // the first has left the queue
    rig.clock.advance(20_001);
    const later = rig.engine.consume(rig.call('acme'));
    await letGo();
    expect(await outcomesOf([first, ...waiting, later])).toEqual([
      'allowed',
      ...waiting.map(() => 'OVERLOADED'),
      'allowed',
    ]);
    expect(await recorded(rig, 'acme')).toMatchObject({ used: 2, events: 2 });
  });

  it('queue that is full: OVERLOADED at once, for all of a list or none of it', async () => {
    const rig = await rigWith(database, { limit: null }, { engine: { batchSizeMax: 10, queueLengthMax: 10 } });
    const list = (length: number) => Array.from({ length }, () => rig.call('acme'));
    expect(await errorOf(rig.engine.consumeMany(list(11)))).toMatchObject({ code: 'OVERLOADED', retryable: true });
    expect(await recorded(rig, 'acme')).toMatchObject({ used: 0, events: 0 });
    const letGo = await holdCustomer(rig, 'acme');
    const first = rig.engine.consumeMany(list(10));
    await new Promise(setImmediate);
    const second = rig.engine.consumeMany(list(7));
    expect(rig.engine.queueLength).toBe(7);
    expect(await errorOf(rig.engine.consumeMany(list(4)))).toMatchObject({ code: 'OVERLOADED' });
    const third = rig.engine.consumeMany(list(3));
    expect(await errorOf(rig.engine.consume(rig.call('acme')))).toMatchObject({ code: 'OVERLOADED' });
    await letGo();
    await Promise.all([first, second, third]);
    expect(await recorded(rig, 'acme')).toMatchObject({ used: 20, events: 20 });
  });

  it('end: draining answers everything that was accepted, and refuses the rest', async () => {
    const rig = await rigWith(database, { limit: null }, { engine: { batchSizeMax: 8 } });
    const accepted = Array.from({ length: 100 }, () => rig.engine.consume(rig.call('acme')));
    const drained = rig.engine.drain();
    expect(await errorOf(rig.engine.consume(rig.call('acme')))).toMatchObject({
      code: 'SHUTTING_DOWN',
      retryable: true,
    });
    expect(await errorOf(rig.engine.consumeMany([rig.call('acme')]))).toMatchObject({ code: 'SHUTTING_DOWN' });
    await drained;
    expect(await recorded(rig, 'acme')).toMatchObject({ used: 100, events: 100 });
    expect(tally(await outcomesOf(accepted))).toEqual({ allowed: 100 });
  });
});

describePostgres('a lost connection', () => {
  let server: TestDatabase;
  let database: Database;
  beforeAll(async () => {
    server = await createDatabase({ template: migrated });
    database = openPostgres({ url: server.url, poolSize: 3, statementTimeoutMs: 10_000 });
  });
  afterAll(async () => {
    await database.close();
    await server.drop();
  });

  const killEngineBackends = () =>
    query(
      database,
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'metergraph-engine' AND datname = current_database()`,
    );

  /** Waits until the engine's connection waits for a lock. */
  async function engineWaits(): Promise<void> {
    for (;;) {
      const waiting = await query(
        database,
        `SELECT FROM pg_stat_activity WHERE application_name = 'metergraph-engine' AND wait_event_type = 'Lock' AND datname = current_database()`,
      );
      if (waiting.length > 0) return;
    }
  }

  const keyed = (rig: Rig, count: number) =>
    Array.from({ length: count }, (_, i) => rig.call('acme', { idempotencyKey: `k${i}` }));

  /** Whatever the first try was told, a second with the same keys leaves each call counted once. */
  async function expectCountedOnce(rig: Rig, count: number): Promise<void> {
    const again = await outcomesOf(keyed(rig, count).map((call) => rig.engine.consume(call)));
    expect(tally(again)).toEqual({ allowed: count });
    expect(await recorded(rig, 'acme')).toMatchObject({ used: count, events: count, answers: count });
    await expectConsistent(database);
  }

  it('while the batch waits for its lock: UNAVAILABLE, nothing written, the next batch works', async () => {
    const rig = await rigWith(database, { limit: unitsOf('20') });
    const letGo = await holdCustomer(rig, 'acme');
    const calls = keyed(rig, 20).map((call) => rig.engine.consume(call));
    const outcomes = outcomesOf(calls);
    await engineWaits();
    await killEngineBackends();
    expect(tally(await outcomes)).toEqual({ UNAVAILABLE: 20 });
    expect(await errorOf(calls[0] ?? Promise.resolve())).toMatchObject({ retryable: true });
    expect(rig.unreachable).toHaveLength(1);
    await letGo();
    expect(await recorded(rig, 'acme')).toMatchObject({ used: 0, events: 0, answers: 0 });
    await expectCountedOnce(rig, 20);
  });

  it('of one customer whom another session holds: its calls hear UNAVAILABLE, its neighbours are answered', async () => {
    const rig = await rigWith(database, { limit: null });
    await register(rig, 'globex');
    const letGo = await holdCustomer(rig, 'acme');
    const held = outcomesOf(keyed(rig, 20).map((call) => rig.engine.consume(call)));
    const free = outcomesOf(Array.from({ length: 20 }, () => rig.engine.consume(rig.call('globex'))));
    expect(tally(await free)).toEqual({ allowed: 20 });
    expect(tally(await held)).toEqual({ UNAVAILABLE: 20 });
    expect(rig.unreachable).toHaveLength(0); // the connection is as good as before
    await letGo();
    await expectCountedOnce(rig, 20);
  });

  it('while the batch is saved: UNAVAILABLE, all of it undone', async () => {
    const rig = await rigWith(database, { limit: unitsOf('20') });
    const letGo = await hold(database, `SELECT FROM tenants WHERE id = '${rig.tenantId}' FOR UPDATE`); // alerts wait for it
    const outcomes = outcomesOf(keyed(rig, 20).map((call) => rig.engine.consume(call)));
    await engineWaits();
    await killEngineBackends();
    expect(tally(await outcomes)).toEqual({ UNAVAILABLE: 20 });
    await letGo();
    expect(await recorded(rig, 'acme')).toEqual({ used: 0, events: 0, alerts: 0, answers: 0 });
    await expectCountedOnce(rig, 20);
  });

  it('between the two flights: the second is all or nothing by itself, also when another gateway came in between', async () => {
    for (const isOvertaken of [false, true]) {
      let strike = async () => {};
      const faulty: Database = {
        ...database,
        lane: {
          reset: () => database.lane.reset(),
          transact: (first, second) =>
            database.lane.transact(first, async (rows, run) => {
              const statements = await second(rows, run);
              await strike();
              return statements;
            }),
        },
      };
      const rig = await rigWith(faulty, { limit: unitsOf('30') });
      const elsewhere = openPostgres({ url: server.url, poolSize: 1, statementTimeoutMs: 10_000 });
      const other = await openRig(elsewhere, { tenantId: rig.tenantId });
      strike = async () => {
        strike = async () => {};
        await killEngineBackends();
        if (isOvertaken) await other.engine.consume(other.call('acme', { idempotencyKey: 'k0' }));
      };
      const outcomes = tally(await outcomesOf(keyed(rig, 20).map((call) => rig.engine.consume(call))));
      expect([{ allowed: 20 }, { UNAVAILABLE: 20 }]).toContainEqual(outcomes);
      await expectCountedOnce(rig, 20);
      await elsewhere.close();
    }
  });

  it('under load, again and again: every call that was answered is recorded, none twice', async () => {
    const rig = await rigWith(database, { limit: null }, { engine: { batchSizeMax: 10 } });
    const calls = keyed(rig, 300);
    const first = outcomesOf(calls.map((call) => rig.engine.consume(call)));
    for (let i = 0; i < 5; i += 1) await killEngineBackends();
    const answered = (await first).map((outcome, i) => ({ outcome, key: calls[i]?.idempotencyKey }));
    expect(answered.filter(({ outcome }) => outcome !== 'allowed' && outcome !== 'UNAVAILABLE')).toEqual([]);
    const events = await query(
      database,
      'SELECT idempotency_key AS key FROM events WHERE customer_id = $1',
      calls[0]?.customerId ?? '',
    );
    const keys = new Set(events.map(({ key }) => key));
    for (const { outcome, key } of answered) if (outcome === 'allowed') expect(keys).toContain(key);
    await expectCountedOnce(rig, 300);
  });

  it('and a server that refuses new ones: UNAVAILABLE, for it may come back', async () => {
    const rig = await rigWith(database, { limit: null });
    await query(database, `CREATE ROLE ${server.name} LOGIN PASSWORD 'secret' CONNECTION LIMIT 0`);
    const url = new URL(server.url);
    url.username = server.name;
    url.password = 'secret';
    const full = openPostgres({ url: url.href, poolSize: 1, statementTimeoutMs: 10_000 });
    const refused = await openRig({ ...database, lane: full.lane }, { tenantId: rig.tenantId });
    const outcomes = await outcomesOf([
      refused.engine.consume(rig.call('acme')),
      refused.engine.consume(rig.call('acme')),
    ]);
    expect(outcomes).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
    await full.close();
    await query(database, `DROP ROLE ${server.name}`);
  });
});
