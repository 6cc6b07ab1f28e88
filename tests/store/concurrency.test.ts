/**
 * Goal: however many call at once, and through however many gateways, the limit is exact and counter, events and
 * answers agree. Method: real engines on real databases, everything at once, then the tables.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { ONE, unitsOf } from '../../server/domain/units.ts';
import type { Consumption } from '../../server/metering/requests.ts';
import { describeEngines, migrated } from '../support/engines.ts';
import { createDatabase, describePostgres, type TestDatabase } from '../support/postgres.ts';
import { outcomesOf, tally } from './outcomes.ts';
import { expectConsistent } from './promises.ts';
import { recorded } from './recorded.ts';
import { openRig, query, type Rig, register, rigWith } from './rig.ts';

const LIMIT = 1_000;
const CALLERS = 200;
const REQUESTS = 1_500;

describeEngines('everybody at once', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  it('limit 1,000, 200 callers, 1,500 requests: exactly 1,000 pass', async () => {
    const rig = await rigWith(database, { limit: unitsOf(String(LIMIT)) });
    const answers = await callersOf([rig]);
    expect(tally(answers)).toEqual({ allowed: LIMIT, LIMIT_REACHED: REQUESTS - LIMIT });
    expect(await recorded(rig, 'acme')).toEqual({ used: LIMIT, events: LIMIT, alerts: 2, answers: 0 });
    await expectConsistent(database);
  });

  it('500 calls at once over a threshold: one alert, told once', async () => {
    const rig = await rigWith(database, {
      limit: unitsOf('1000'),
      thresholds: [{ kind: 'used', value: unitsOf('250') }],
    });
    const consumptions = await Promise.all(Array.from({ length: 500 }, () => rig.engine.consume(rig.call('acme'))));
    expect(consumptions.filter(({ alerts }) => alerts.length > 0).map(({ usage }) => usage.used)).toEqual([
      unitsOf('250'),
    ]);
    expect(rig.committed.flatMap(({ alerts }) => alerts)).toMatchObject([
      { referenceId: 'acme', used: unitsOf('250'), sequence: 1n },
    ]);
    expect(await recorded(rig, 'acme')).toMatchObject({ used: 500, alerts: 1 });
    await expectConsistent(database);
  });

  it('alerts of many customers take the tenant’s sequences one by one, in the order they are told', async () => {
    const rig = await rigWith(database, { limit: unitsOf('10') }, { engine: { batchSizeMax: 37 } });
    const names = Array.from({ length: 40 }, (_, i) => `customer-${i}`);
    await register(rig, ...names);
    const calls = names.flatMap((name) => Array.from({ length: 10 }, () => rig.call(name)));
    await Promise.all(calls.map((call) => rig.engine.consume(call)));
    const told = rig.committed.flatMap(({ alerts }) => alerts.map(({ sequence }) => sequence));
    expect(told).toEqual(Array.from({ length: 80 }, (_, i) => BigInt(i + 1)));
    await expectConsistent(database);
  });

  it('one hot customer among many cold ones: each is counted as if alone', async () => {
    const rig = await rigWith(database, { limit: unitsOf('300') }, { engine: { batchSizeMax: 64 } });
    const cold = Array.from({ length: 100 }, (_, i) => `cold-${i}`);
    await register(rig, ...cold);
    const names = Array.from({ length: 800 }, (_, i) => (i % 2 === 0 ? 'acme' : (cold[(i >> 1) % cold.length] ?? '')));
    const answers = await outcomesOf(names.map((name) => rig.engine.consume(rig.call(name))));
    expect(tally(answers)).toEqual({ allowed: 700, LIMIT_REACHED: 100 });
    expect(await recorded(rig, 'acme')).toMatchObject({ used: 300, events: 300 });
    expect(await recorded(rig, 'cold-7')).toMatchObject({ used: 4, events: 4 });
    await expectConsistent(database);
  });

  it('the same key, many times at once: decided once, and everybody hears the same answer', async () => {
    const rig = await rigWith(database, { limit: unitsOf('10') }, { engine: { batchSizeMax: 7 } });
    const call = rig.call('acme', { amount: unitsOf('9'), idempotencyKey: 'order-17' });
    const answers = await Promise.all(Array.from({ length: 50 }, () => rig.engine.consume(call)));
    expectOneDecision(answers);
    expect(answers[0]?.alerts).toHaveLength(1);
    expect(await recorded(rig, 'acme')).toEqual({ used: 9, events: 1, alerts: 1, answers: 1 });
    await expectConsistent(database);
  });

  it('calls of one caller are decided in the order they were sent', async () => {
    const rig = await rigWith(database, { limit: null }, { engine: { batchSizeMax: 10 } });
    const results = await rig.engine.consumeMany(Array.from({ length: 95 }, () => rig.call('acme')));
    const totals = results.map((result) => (result.status === 'fulfilled' ? result.value.usage.used / ONE : null));
    expect(totals).toEqual(Array.from({ length: 95 }, (_, i) => BigInt(i + 1)));
    expect(results.map((result) => (result.status === 'fulfilled' ? result.value.usage.sequence : null))).toEqual(
      totals,
    );
  });
});

describePostgres('two gateways on one Postgres', () => {
  let server: TestDatabase;
  const databases: Database[] = [];
  beforeAll(async () => {
    server = await createDatabase({ template: migrated });
    for (let i = 0; i < 2; i += 1)
      databases.push(openPostgres({ url: server.url, poolSize: 2, statementTimeoutMs: 10_000 }));
  });
  afterAll(async () => {
    for (const database of databases) await database.close();
    await server.drop();
  });

  /** Two engines of one tenant, each on connections of its own. */
  async function gateways(limit: string): Promise<readonly [Rig, Rig]> {
    const [one, other] = databases;
    if (!one || !other) throw new Error('the databases are not open');
    const options = { engine: { batchSizeMax: 20 } };
    const first = await rigWith(one, { limit: unitsOf(limit) }, options);
    return [first, await openRig(other, { ...options, tenantId: first.tenantId })];
  }

  it('limit 1,000, 200 callers, 1,500 requests: exactly 1,000 pass', async () => {
    const rigs = await gateways(String(LIMIT));
    const answers = await callersOf(rigs);
    expect(tally(answers)).toEqual({ allowed: LIMIT, LIMIT_REACHED: REQUESTS - LIMIT });
    expect(await recorded(rigs[0], 'acme')).toEqual({ used: LIMIT, events: LIMIT, alerts: 2, answers: 0 });
    await expectConsistent(rigs[0].database);
  });

  it('the same key through both at once: decided once', async () => {
    const [one, other] = await gateways('10');
    const call = one.call('acme', { amount: unitsOf('9'), idempotencyKey: 'order-17' });
    const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => (i % 2 ? one : other).engine.consume(call)));
    expectOneDecision(answers);
    await expectConsistent(one.database);
  });

  it('many customers in any order through both: nobody waits in a circle, and alerts have no gap', async () => {
    const rigs = await gateways('10');
    const names = Array.from({ length: 60 }, (_, i) => `customer-${i}`);
    await register(rigs[0], ...names);
    const calls = names.flatMap((name, i) =>
      Array.from(
        { length: 10 },
        (_, j) => [rigs[(i + j) % 2] ?? rigs[0], names[(i * 7 + j * 13) % names.length] ?? name] as const,
      ),
    );
    const answers = await outcomesOf(calls.map(([rig, name]) => rig.engine.consume(rig.call(name))));
    expect(tally(answers)).toEqual({ allowed: 600 });
    const [alerts] = await query(
      rigs[0].database,
      'SELECT count(*)::integer AS count FROM alerts WHERE tenant_id = $1',
      rigs[0].tenantId,
    );
    expect(alerts).toEqual({ count: 120 });
    await expectConsistent(rigs[0].database);
  });
});

/** 200 callers who send one request after the other until 1,500 are sent, through whichever gateway is next. */
async function callersOf(rigs: readonly Rig[]): Promise<string[]> {
  let sent = 0;
  const answers: string[] = [];
  const caller = async (): Promise<void> => {
    while (sent < REQUESTS) {
      const rig = rigs[sent % rigs.length];
      sent += 1;
      if (rig) answers.push(...(await outcomesOf([rig.engine.consume(rig.call('acme'))])));
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  return answers;
}

function expectOneDecision(answers: readonly Consumption[]): void {
  expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
  const first = answers.find(({ replayed }) => !replayed);
  for (const answer of answers) expect(first).toMatchObject({ ...answer, replayed: false });
}
