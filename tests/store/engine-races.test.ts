/**
 * Goal: two gateways on one Postgres are one engine: what is left is given away once, nothing is lost or made between them,
 * and what a batch costs does not grow with what a customer has. Method: real engines with connections of their own,
 * everything at once, then the tables; statements and rows are counted, not timed.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Database, type Parameter, type Row, type Statement, sqlStateOf } from '../../server/db/client.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { MeterError } from '../../server/domain/errors.ts';
import type { Feature, LimitFields } from '../../server/domain/feature.ts';
import { unitsOf } from '../../server/domain/units.ts';
import { Memory } from '../../server/metering/memory.ts';
import type { Request } from '../../server/metering/requests.ts';
import { migrated } from '../support/engines.ts';
import { createDatabase, describePostgres, type TestDatabase } from '../support/postgres.ts';
import { counting } from './counting.ts';
import { outcomesOf, tally } from './outcomes.ts';
import { expectConsistent } from './promises.ts';
import { openRig, query, type Rig, register, saveFeature } from './rig.ts';
import { perUnit } from './scene.ts';

const ROUNDS = 100;
const ROUNDS_OF_SMALL_BATCHES = 50;
const CALLERS = 400;
const LEFT = 100;
/** So few at once that callers wait while two batches are in flight. */
const SMALL_BATCH = 20;
/** Customers that the batches of both gateways are about, each in another order. */
const SHARED = 400;
const CROSSINGS = 20;

describePostgres('two gateways', () => {
  let server: TestDatabase;
  const databases: Database[] = [];
  beforeAll(async () => {
    server = await createDatabase({ template: migrated });
    for (let i = 0; i < 2; i += 1) {
      databases.push(openPostgres({ url: server.url, poolSize: 3, statementTimeoutMs: 10_000 }));
    }
  });
  afterAll(async () => {
    for (const database of databases) await database.close();
    await server.drop();
  });

  /** Two engines of one tenant with the feature `calls`, and one customer. */
  async function gateways(limits: LimitFields, of: Partial<Feature> = {}): Promise<readonly [Rig, Rig]> {
    const [one, other] = databases;
    if (!one || !other) throw new Error('the databases are not open');
    const first = await openRig(one);
    await saveFeature(first, 'calls', { thresholds: [], ...limits }, of);
    await register(first, 'acme');
    return [first, await openRig(other, { tenantId: first.tenantId })];
  }

  /** Another gateway in the place of one, that tells of each batch that was begun while one was in flight. */
  function inSmallBatches({ database, tenantId }: Rig, onBeside: () => void): Promise<Rig> {
    let inFlight = 0;
    const transact: Database['lane']['transact'] = async (first, second) => {
      if (inFlight > 0) onBeside();
      inFlight += 1;
      try {
        return await database.lane.transact(first, second);
      } finally {
        inFlight -= 1;
      }
    };
    const hearing = { ...database, lane: { reset: () => database.lane.reset(), transact } };
    const memory = new Memory({ contestedMs: 1 }); // else two would soon read, which is done one batch at a time
    return openRig(hearing, { tenantId, memory, engine: { batchSizeMax: SMALL_BATCH } });
  }

  it('never wait for each other in a circle', async () => {
    const failures = new Set<string | null>();
    const hearing = (database: Database): Database => ({
      ...database,
      lane: {
        reset: () => database.lane.reset(),
        transact: (first, second) =>
          database.lane.transact(first, second).catch((error: unknown) => {
            failures.add(sqlStateOf(error));
            throw error;
          }),
      },
    });
    const { tenantId } = (await gateways({ limit: null }))[0];
    const [one, other] = await Promise.all(
      databases.map(
        (database) => openRig(hearing(database), { tenantId, memory: new Memory({ contestedMs: 1 }) }), // else they would soon read
      ),
    );
    if (!one || !other) throw new Error('the databases are not open');
    const names = Array.from({ length: SHARED }, (_, i) => `c${i}`);
    await register(one, ...names);
    const useAll = (rig: Rig, order: readonly string[]) =>
      Promise.all(order.map((name) => rig.engine.consume(rig.call(name))));
    for (let round = 0; round < CROSSINGS; round += 1) {
      await Promise.all([useAll(one, names), useAll(other, names.toReversed())]);
    }
    expect([...failures]).toEqual(['22012']); // another was first, and not: a deadlock, or a lock waited for in vain
    await expectConsistent(one.database, tenantId);
  });

  const from = (rig: Rig, idempotencyKey: string | null = null) => {
    const { tenantId, customerId, referenceId } = rig.call('acme');
    return { tenantId, customerId, referenceId, idempotencyKey };
  };
  const topUp = (rig: Rig, amount: string, key: string | null = null) =>
    rig.engine.execute({ ...from(rig, key), kind: 'top-up', currency: 'usd', amount: unitsOf(amount) });
  const grant = (rig: Rig, amount: string, key: string | null = null) =>
    rig.engine.execute({
      ...from(rig, key),
      kind: 'grant',
      grantId: randomUUID(),
      featureKey: 'calls',
      source: 'purchase',
      amount: unitsOf(amount),
      priority: null,
      effectiveFromMs: null,
      expiresAtMs: null,
      recurring: null,
      settlesOverage: false,
    });
  const reserve = (rig: Rig, amount: string, key: string | null = null, ttlMs = 60_000, id: string = randomUUID()) => {
    const { purpose: _, occurredAtMs: __, ...use } = rig.call('acme', { amount: unitsOf(amount), idempotencyKey: key });
    return rig.engine.execute({ ...use, kind: 'reserve', reservationId: id, ttlMs });
  };
  const settle = (rig: Rig) => rig.engine.execute({ ...from(rig), kind: 'settle' });
  const commit = (rig: Rig, reservationId: string, amount: string | null = null) =>
    rig.engine.execute({
      ...from(rig),
      kind: 'commit',
      reservationId,
      amount: amount === null ? null : unitsOf(amount),
      mode: 'REJECT',
    });
  const idOf = (rig: Rig) => customerIdOf(rig.tenantId, 'acme');
  const one = async (rig: Rig, text: string, ...params: Parameter[]): Promise<Row> => {
    const [row] = await query(rig.database, text, idOf(rig), ...params);
    return row ?? {};
  };
  const nth = <T>(of: readonly [T, T], i: number): T => (i % 2 === 0 ? of[0] : of[1]);

  /** Round after round, each with a customer of its own, whose callers go through these in turn. */
  async function expectExactlyTheLast(rigs: readonly Rig[], rounds: number): Promise<void> {
    const [rig] = rigs;
    if (!rig) throw new Error('nobody to call');
    const names = Array.from({ length: rounds }, (_, round) => `round-${round}`);
    await register(rig, ...names);
    for (const name of names) {
      const call = rig.call(name);
      for (const { engine } of rigs) await engine.consume(call); // each remembers, and all but the last what is no more so
      const calls = Array.from({ length: CALLERS }, (_, i) => (rigs[i % rigs.length] ?? rig).engine.consume(call));
      expect(tally(await outcomesOf(calls))).toEqual({ allowed: LEFT, LIMIT_REACHED: CALLERS - LEFT });
    }
    await expectConsistent(rig.database, rig.tenantId, ...names.map((name) => customerIdOf(rig.tenantId, name)));
  }

  describe.each([
    ['one gateway', 1],
    ['two gateways', 2],
  ])(`of the last ${LEFT} units by ${CALLERS} callers through %s exactly ${LEFT} pass`, (_, count) => {
    const open = async () => (await gateways({ limit: unitsOf(String(LEFT + count)) })).slice(0, count);

    it(`in batches as large as they come, in ${ROUNDS} rounds`, async () => {
      await expectExactlyTheLast(await open(), ROUNDS);
    });

    it(`in batches of ${SMALL_BATCH}, of which two are in flight, in ${ROUNDS_OF_SMALL_BATCHES} rounds`, async () => {
      let beside = 0;
      const onBeside = () => {
        beside += 1;
      };
      const rigs = await Promise.all((await open()).map((rig) => inSmallBatches(rig, onBeside)));
      await expectExactlyTheLast(rigs, ROUNDS_OF_SMALL_BATCHES);
      expect(beside).toBeGreaterThan(ROUNDS_OF_SMALL_BATCHES); // several in each
    });
  });

  it('the cascade, top-ups, grants, holds and the end of a period at once: nothing is made or lost', async () => {
    const rigs = await gateways({ price: perUnit('10'), billing: 'prepaid' }, { reset: 'hourly' });
    rigs[0].clock.set('2026-03-15T12:59:59.999Z');
    rigs[1].clock.set('2026-03-15T13:00:00.000Z');
    await topUp(rigs[0], '55');
    await rigs[0].engine.consume(rigs[0].call('acme')); // the earlier period has begun
    const calls = Array.from({ length: 400 }, (_, i): Promise<unknown> => {
      const rig = nth(rigs, i);
      if (i % 20 === 7) return topUp(rig, '55');
      if (i % 20 === 13) return grant(rig, '3');
      if (i % 20 === 18) return reserve(rig, '2', null, 1).catch((error: unknown) => error);
      return rig.engine.consume(rig.call('acme', { amount: unitsOf(i % 3 === 0 ? '2' : '1') }));
    });
    await Promise.all(calls);
    for (const rig of rigs) rig.clock.set('2026-03-15T13:30:00Z');
    await Promise.all(rigs.map(settle));
    await expectConsistent(rigs[0].database, idOf(rigs[0]));
    const [rig] = rigs;
    const spent = await one(
      rig,
      `SELECT (SELECT sum(wallet_charge) FROM counters WHERE customer_id = $1)::text AS charged, (SELECT balance FROM wallets WHERE customer_id = $1)::text AS balance,
        (SELECT sum(credits) FROM counters WHERE customer_id = $1)::text AS drawn, (SELECT live FROM credit_balances WHERE customer_id = $1)::text AS live,
        (SELECT sum(held) FROM counters WHERE customer_id = $1)::text AS held, (SELECT count(*)::integer FROM counters WHERE customer_id = $1) AS periods`,
    );
    expect(unitsOf(String(spent.charged)) + unitsOf(String(spent.balance))).toBe(unitsOf(String(21 * 55)));
    expect(unitsOf(String(spent.drawn)) + unitsOf(String(spent.live))).toBe(unitsOf(String(20 * 3)));
    expect(unitsOf(String(spent.held))).toBe(0n);
    expect(spent.periods).toBe(2);
  });

  describe('the same key at both', () => {
    const verbs: readonly (readonly [string, (rig: Rig) => Promise<{ replayed: boolean }>, string])[] = [
      [
        'consume',
        (rig) => rig.engine.consume(rig.call('acme', { amount: unitsOf('2'), idempotencyKey: 'k' })),
        'events',
      ],
      ['reserve', (rig) => reserve(rig, '2', 'k'), 'reservations'],
      ['grant', (rig) => grant(rig, '2', 'k'), 'grants'],
      ['top-up', (rig) => topUp(rig, '2', 'k'), 'postings'],
    ];
    it.each(verbs)('%s is done once', async (_, call, table) => {
      const rigs = await gateways({ limit: null });
      const answers = await Promise.all(Array.from({ length: 40 }, (_, i) => call(nth(rigs, i))));
      expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
      const first = answers.find(({ replayed }) => !replayed);
      for (const answer of answers) expect({ ...answer, replayed: false }).toMatchObject({ ...first });
      const { count } = await one(rigs[0], `SELECT count(*)::integer AS count FROM ${table} WHERE customer_id = $1`);
      expect(count).toBe(table === 'postings' ? 2 : 1);
      await expectConsistent(rigs[0].database, idOf(rigs[0]));
    });
  });

  it('the expiry and the commit of one hold at once: exactly one of them, and its balances', async () => {
    const rigs = await gateways({ price: perUnit('10'), billing: 'prepaid' });
    await topUp(rigs[0], '50');
    await grant(rigs[0], '1');
    const ends: string[] = [];
    for (let round = 0; round < 20; round += 1) {
      const [early, late] = round % 2 === 0 ? rigs : [rigs[1], rigs[0]];
      for (const rig of rigs) rig.clock.advance(3_600_000);
      const held = await reserve(early, '3');
      expect(held.allowed).toBe(true);
      const id = held.reservation?.id ?? '';
      early.clock.advance(59_999);
      late.clock.advance(60_000);
      const both = await Promise.allSettled([settle(late), commit(early, id), settle(late)]);
      const { state } = await one(rigs[0], 'SELECT state FROM reservations WHERE customer_id = $1 AND id = $2', id);
      ends.push(`${state}`);
      expect(both[1].status).toBe(state === 'committed' ? 'fulfilled' : 'rejected');
      if (both[1].status === 'rejected') {
        expect(both[1].reason).toBeInstanceOf(MeterError);
        expect(both[1].reason).toMatchObject({ code: 'RESERVATION_EXPIRED' });
      }
      early.clock.set(late.clock.now());
      await expectConsistent(rigs[0].database, idOf(rigs[0]));
      const { used, held: still } = await one(
        rigs[0],
        'SELECT used::text, held::text FROM counters WHERE customer_id = $1',
      );
      expect([unitsOf(String(used)), unitsOf(String(still))]).toEqual([
        unitsOf(String(3 * ends.filter((end) => end === 'committed').length)),
        0n,
      ]);
      if (state === 'committed') await topUp(early, '30'); // so that the next round can hold as much again
    }
    expect(ends.every((end) => end === 'committed' || end === 'expired')).toBe(true);
  });

  it('a hold is made and committed below zero in one batch: the credits of what is given back are back', async () => {
    const [rig] = await gateways({ included: 0n, minLimit: 0n });
    await grant(rig, '5');
    await rig.engine.consume(rig.call('acme', { amount: unitsOf('2') }));
    const id = randomUUID();
    const [, { split }] = await Promise.all([reserve(rig, '1', null, 60_000, id), commit(rig, id, '-1')]);
    expect(split).toMatchObject({ credits: unitsOf('-1'), included: 0n });
    await expectConsistent(rig.database, idOf(rig));
  });

  it('the same distinct values at once: each is counted once', async () => {
    const rigs = await gateways({ limit: null }, { aggregation: 'unique', of: 'user' });
    const calls = Array.from({ length: 150 }, (_, i) =>
      nth(rigs, i).engine.consume(rigs[0].call('acme', { properties: JSON.stringify({ user: `user-${i % 3}` }) })),
    );
    const taken = (await Promise.all(calls)).filter(({ amount }) => amount > 0n);
    expect(taken).toHaveLength(3);
    expect(await one(rigs[0], 'SELECT used::integer AS used FROM counters WHERE customer_id = $1')).toEqual({
      used: 3,
    });
    await expectConsistent(rigs[0].database, idOf(rigs[0]));
  });

  it('a gateway that starts anew finds what was held', async () => {
    const [rig, other] = await gateways({
      limit: unitsOf('10'),
      enforcement: 'hard',
      price: perUnit('10'),
      billing: 'prepaid',
      included: 0n,
    });
    await topUp(rig, '100');
    const held = await reserve(rig, '6');
    await rig.engine.drain();
    const anew = await openRig(rig.database, { tenantId: rig.tenantId });
    expect(await outcomesOf([anew.engine.consume(anew.call('acme', { amount: unitsOf('5') }))])).toEqual([
      'LIMIT_REACHED',
    ]);
    expect(await commit(anew, held.reservation?.id ?? '')).toMatchObject({ allowed: true, amount: unitsOf('6') });
    expect(await commit(other, held.reservation?.id ?? '')).toMatchObject({ replayed: true, amount: unitsOf('6') });
    await expectConsistent(rig.database, idOf(rig));
  });

  describe('100,000 grants of one customer', () => {
    const GRANTS = 100_000;
    let rig: Rig;
    let counted: ReturnType<typeof counting>;
    beforeAll(async () => {
      const [first] = await gateways({ included: 0n });
      counted = counting(first.database);
      rig = await openRig(counted.database, { tenantId: first.tenantId });
      const id = idOf(rig);
      await query(
        first.database,
        `INSERT INTO grants (customer_id, id, tenant_id, feature_key, source, amount, remaining, priority, effective_from, created_at, state, sequence)
         SELECT $1::uuid, gen_random_uuid(), $2::uuid, 'calls', 'purchase', 1, 1, 100, '2026-01-01', '2026-01-01', 'live', 1 FROM generate_series(1, ${GRANTS})`,
        id,
        rig.tenantId,
      );
      await query(
        first.database,
        `INSERT INTO postings (customer_id, sequence, line, tenant_id, kind, account, grant_id, commodity, feature_key, amount, recorded_at)
         SELECT customer_id, 1, 2 * row_number() OVER (ORDER BY id) + side, tenant_id, 'grant', CASE side WHEN 0 THEN 'issued' ELSE 'grant' END,
           CASE side WHEN 1 THEN id END, 'calls', 'calls', 2 * side - 1, '2026-01-01'
         FROM grants CROSS JOIN generate_series(0, 1) AS side WHERE customer_id = $1`,
        id,
      );
      await query(
        first.database,
        `INSERT INTO credit_balances (customer_id, feature_key, tenant_id, live, sequence) VALUES ($1, 'calls', $2, ${GRANTS}, 1)`,
        id,
        rig.tenantId,
      );
      await query(
        first.database,
        'UPDATE customers SET prepaid = true, sequence = 1, limits_sequence = 1 WHERE id = $1',
        id,
      );
      await query(first.database, 'ANALYZE grants');
    }, 60_000);

    it('are read no further than a call draws, and looked up in an index', async () => {
      await rig.engine.consume(rig.call('acme')); // reads the catalog
      counted.clear();
      expect(await rig.engine.consume(rig.call('acme'))).toMatchObject({ split: { credits: unitsOf('1') } });
      expect(counted.rows).toBeLessThan(60);
      expect(counted.statements.length).toBeLessThan(20);
      for (const statement of counted.statements.filter(
        ({ text }) => text.includes('grants') && text.includes('SELECT'),
      ))
        expect(await rowsScanned(rig.database, statement)).toBeLessThan(500);
    });

    it('pay for a call that draws from more than were read at first', async () => {
      expect(await rig.engine.consume(rig.call('acme', { amount: unitsOf('50') }))).toMatchObject({
        allowed: true,
        split: { credits: unitsOf('50') },
      });
      counted.clear();
      expect(await rig.engine.consume(rig.call('acme', { amount: unitsOf('1500') }))).toMatchObject({
        allowed: true,
        split: { credits: unitsOf('1500') },
        usage: { used: unitsOf('1552'), credits: unitsOf(String(GRANTS - 1_552)) },
      });
      expect(counted.statements.length).toBeLessThan(40);
      await expectConsistent(rig.database, idOf(rig));
    });

    it('are refused as one', async () => {
      const call = rig.call('acme', { amount: unitsOf(String(GRANTS)) });
      expect(await outcomesOf([rig.engine.consume(call)])).toEqual(['INSUFFICIENT_FUNDS']);
    });
  });

  describe('the statements of a batch', () => {
    /** What a batch of so many requests sends, all of one kind or mixed. */
    async function statementsOf(count: number, requestOf: (rig: Rig, i: number) => Request): Promise<number> {
      const [first] = await gateways({ price: perUnit('10'), minLimit: 0n });
      const counted = counting(first.database);
      const rig = await openRig(counted.database, { tenantId: first.tenantId });
      await topUp(rig, '100000');
      await grant(rig, '10');
      await rig.engine.consume(rig.call('acme', { amount: unitsOf('20') }));
      counted.clear();
      await Promise.all(Array.from({ length: count }, (_, i) => rig.engine.execute(requestOf(rig, i))));
      return counted.statements.length;
    }
    const grantOf = (rig: Rig): Request => ({
      ...from(rig),
      kind: 'grant',
      grantId: randomUUID(),
      featureKey: 'calls',
      source: 'purchase',
      amount: unitsOf('1'),
      priority: null,
      effectiveFromMs: null,
      expiresAtMs: null,
      recurring: null,
      settlesOverage: false,
    });
    const holdOf = (rig: Rig): Request => {
      const { purpose: _, occurredAtMs: __, ...use } = rig.call('acme');
      return { ...use, kind: 'reserve', reservationId: randomUUID(), ttlMs: 60_000 };
    };
    const KINDS: readonly (readonly [string, (rig: Rig, i: number) => Request])[] = [
      ['uses', (rig) => rig.call('acme')],
      ['uses with keys', (rig, i) => rig.call('acme', { idempotencyKey: `${i}` })],
      ['uses given back', (rig) => rig.call('acme', { amount: unitsOf('-0.1') })],
      ['late uses', (rig, i) => rig.call('acme', { purpose: 'record', occurredAtMs: Date.parse('2026-02-20') + i })],
      ['uses of entities', (rig, i) => rig.call('acme', { entityId: `seat-${i}` })],
      ['holds', (rig) => holdOf(rig)],
      ['grants', (rig) => grantOf(rig)],
    ];

    it.each(KINDS)('are as many for 100 %s as for 1', async (_, requestOf) => {
      expect(await statementsOf(100, requestOf)).toBe(await statementsOf(1, requestOf));
    });

    it('are as many for 100 of all sorts as for 7', async () => {
      const anyOf = (rig: Rig, i: number): Request => {
        const [, requestOf] = KINDS[i % KINDS.length] ?? [];
        return requestOf?.(rig, i) ?? rig.call('acme');
      };
      expect(await statementsOf(100, anyOf)).toBe(await statementsOf(7, anyOf));
    });
  });
});

/** Rows that Postgres looks at to answer a statement, those it drops again too. */
async function rowsScanned(database: Database, { text, params }: Statement): Promise<number> {
  const [row] = await database.query({ text: `EXPLAIN (ANALYZE, FORMAT JSON) ${text}`, params });
  const [explained] = (row?.['QUERY PLAN'] ?? []) as { Plan: PlanNode }[]; // as EXPLAIN writes it
  return explained ? scannedBy(explained.Plan) : Number.NaN;
}

type PlanNode = {
  readonly 'Actual Rows': number;
  readonly 'Actual Loops': number;
  readonly 'Rows Removed by Filter'?: number;
  readonly Plans?: readonly PlanNode[];
};

const scannedBy = (node: PlanNode): number =>
  (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'] +
  (node.Plans ?? []).reduce((sum, child) => sum + scannedBy(child), 0);
