/**
 * Goal: wherever the clock stands, an event has its month; months are made and dropped once, whoever does it and whatever
 * runs meanwhile, and only what is old enough goes. Method: real engines and a clock that jumps by years; the catalog of
 * the database for what is there.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listEvents } from '../../server/actions/find-events.ts';
import type { Database } from '../../server/db/client.ts';
import { dropEventMonths, type EventMonth, eventMonths, makeEventMonths } from '../../server/db/event-months.ts';
import { migrate } from '../../server/db/migrate.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import type { EventPosition } from '../../server/db/queries/events.ts';
import { Upkeep } from '../../server/db/upkeep.ts';
import { ONE, unitsOf } from '../../server/domain/units.ts';
import { describeEngines, migrated } from '../support/engines.ts';
import { createDatabase, describePostgres, type TestDatabase } from '../support/postgres.ts';
import { counting } from './counting.ts';
import { errorOf } from './outcomes.ts';
import { expectConsistent } from './promises.ts';
import { openRig, query, type Rig, rigWith } from './rig.ts';

const DAY_MS = 24 * 3_600_000;
const at = (instant: string): number => Date.parse(instant);

const spell = ({ name, fromMs, untilMs }: EventMonth): string => {
  const day = (ms: number | null) => (ms === null ? '…' : new Date(ms).toISOString().slice(0, 10));
  return `${name.replace(/^.*\./, '')} ${day(fromMs)} to ${day(untilMs)}`;
};
const monthsOf = async (database: Database, year: string): Promise<readonly string[]> =>
  (await eventMonths(database.query)).map(spell).filter((said) => said.startsWith(`events_${year}`));
const eventsIn = async (database: Database) =>
  (await query(database, `SELECT tableoid::regclass::text AS month, sequence::integer FROM events ORDER BY 2`)).map(
    ({ month, sequence }) => `${sequence} ${String(month).replace(/^.*\./, '')}`,
  );

/** Calls, and an event in each of these months. */
async function useIn(rig: Rig, ...months: readonly string[]): Promise<void> {
  for (const month of months) {
    rig.clock.set(`${month}-15T12:00:00Z`);
    await rig.engine.consume(rig.call('acme'));
  }
}

describeEngines('months of events', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  const fresh = () => engine.open({ until: 'test' });

  it('are made ahead, over the turn of a year, and once', async () => {
    expect(await makeEventMonths(database, at('2041-11-30T23:59:59.999Z'))).toHaveLength(3);
    const made = [
      'events_2041_11 2041-11-01 to 2041-12-01',
      'events_2041_12 2041-12-01 to 2042-01-01',
      'events_2042_01 2042-01-01 to 2042-02-01',
    ];
    expect(await monthsOf(database, '204')).toEqual(made);
    const counted = counting(database);
    expect(await makeEventMonths(counted.database, at('2041-11-01'))).toEqual([]);
    expect(counted.statements).toHaveLength(1);
    expect(await makeEventMonths(database, at('2041-12-01'))).toHaveLength(1);
    expect(await monthsOf(database, '204')).toEqual([...made, 'events_2042_02 2042-02-01 to 2042-03-01']);
  });

  it('have what is in the table itself: its indexes, defaults, and a sequence once', async () => {
    await makeEventMonths(database, at('2044-01-01'));
    const columns = `customer_id, sequence, tenant_id, feature_key, period_start, reported, amount, overage, used_after, occurred_at, recorded_at`;
    const insert = (sequence: number, day: string) =>
      query(
        database,
        `INSERT INTO events (${columns}) VALUES ('2ed6657d-e927-568b-95e1-2665a8aea6a2', ${sequence}, '2ed6657d-e927-568b-95e1-2665a8aea6a2', 'calls', '2044-01-01', 1, 1, 0, 1, '${day}', '${day}')`,
      );
    await insert(1, '2044-01-02');
    await expect(insert(1, '2044-01-31')).rejects.toMatchObject({ code: '23505' });
    const definition = (month: string) =>
      query(
        database,
        `SELECT replace(replace(indexdef, tablename, 'T'), schemaname || '.', '') AS def FROM pg_indexes WHERE tablename = $1 ORDER BY 1`,
        month,
      ).then((rows) => rows.map(({ def }) => String(def).replace(/INDEX \S+ ON/, 'INDEX ON')));
    const [before] = await eventMonths(database.query);
    expect(await definition('events_2044_01')).toEqual(await definition(before?.name.replace(/^.*\./, '') ?? ''));
    await query(database, `DELETE FROM events WHERE recorded_at >= '2044-01-01'`);
  });

  it('that are missing are made by the batch that needs one, and cost the next one nothing', async () => {
    const own = await fresh();
    const counted = counting(own);
    const rig = await openRig(counted.database);
    const other = await rigWith(own, { limit: null }, { tenantId: rig.tenantId });
    // Twice in turn: found changed by the other, the customer is not remembered but read, as it is after the months.
    for (const { engine } of [rig, other, rig]) await engine.consume(rig.call('acme'));
    counted.clear();
    await rig.engine.consume(rig.call('acme'));
    const usual = counted.statements.length;

    rig.clock.set('2051-07-04T12:00:00Z');
    const answers = await Promise.all(
      ['a', 'b', 'a'].map((key) => rig.engine.consume(rig.call('acme', { idempotencyKey: key }))),
    );
    expect(answers.map(({ allowed, replayed }) => [allowed, replayed])).toEqual([
      [true, false],
      [true, false],
      [true, true],
    ]);
    expect(await monthsOf(own, '2051')).toHaveLength(3);
    counted.clear();
    await rig.engine.consume(rig.call('acme'));
    expect(counted.statements).toHaveLength(usual);
    await expectConsistent(own);
  });

  it('are one list: pages, look-ups and reversals go over all of them', async () => {
    const own = await fresh();
    const rig = await rigWith(own, { limit: null, minLimit: 0n });
    await useIn(rig, '2061-01', '2061-02', '2061-03', '2062-06', '2064-01');
    expect(await eventsIn(own)).toEqual([
      '1 events_2061_01',
      '2 events_2061_02',
      '3 events_2061_03',
      '4 events_2062_06',
      '5 events_2064_01',
    ]);
    const pages: bigint[][] = [];
    for (const customerId of [rig.call('acme').customerId, null]) {
      const found: bigint[] = [];
      for (let after: EventPosition | null = null, more = true; more; ) {
        const filter = {
          customerId,
          featureKeys: null,
          kind: null,
          fromMs: null,
          toMs: null,
          idempotencyKey: null,
          properties: null,
        };
        const page = await listEvents({ database: own }, rig.tenantId, filter, { first: 2, after });
        found.push(...page.nodes.map(({ sequence }) => sequence));
        after = page.nodes.at(-1) ?? null;
        more = page.hasNextPage;
      }
      pages.push(found);
    }
    expect(pages).toEqual([
      [5n, 4n, 3n, 2n, 1n],
      [5n, 4n, 3n, 2n, 1n],
    ]);
    const { tenantId, customerId, referenceId } = rig.call('acme');
    const reverse = (sequence: bigint) =>
      rig.engine.execute({ kind: 'reverse', tenantId, customerId, referenceId, sequence, idempotencyKey: null });
    expect(await reverse(2n)).toMatchObject({ amount: -ONE });
    expect(await errorOf(reverse(2n))).toMatchObject({ code: 'EVENT_ALREADY_REVERSED' });
    expect(await errorOf(reverse(99n))).toMatchObject({ code: 'EVENT_NOT_FOUND' });
    await expectConsistent(own);
  });

  describe('that are old', () => {
    it('are dropped whole, once their last day is; counters, answers and what is younger stay', async () => {
      const own = await fresh();
      const rig = await rigWith(own, { limit: null });
      await useIn(rig, '2061-01', '2061-02', '2061-03');
      const names = (dropped: readonly string[]) => dropped.map((name) => name.replace(/^.*\./, ''));
      const [before] = await eventMonths(own.query);
      const drop = async (instant: string) => names(await dropEventMonths(own, 90 * DAY_MS, at(instant)));
      expect(await drop('2026-03-01')).toEqual([]);
      const early = names([before?.name ?? '']);
      expect(await drop('2061-05-01T23:59:59.999Z')).toEqual(early); // 90 days before are the 31st of January
      expect(await drop('2061-05-02')).toEqual(['events_2061_01']);
      expect(await drop('2061-05-02')).toEqual([]);
      expect(await eventsIn(own)).toEqual(['2 events_2061_02', '3 events_2061_03']);
      expect(await query(own, 'SELECT used::integer FROM counters ORDER BY period_start')).toHaveLength(3);
      rig.clock.set('2061-05-02');
      expect(await rig.engine.consume(rig.call('acme'))).toMatchObject({ allowed: true, usage: { sequence: 4n } });
    });

    it('are left alone where an operator took one out, and ended where a process only began', async () => {
      const own = await fresh();
      const rig = await rigWith(own, { limit: null });
      await useIn(rig, '2061-01', '2061-02');
      const named = async (month: string) =>
        (await eventMonths(own.query)).find(({ name }) => name.endsWith(month))?.name ?? '';
      const archived = await named('events_2061_01');
      await query(own, `ALTER TABLE events DETACH PARTITION ${archived}`);
      const begun = await named('events_2061_02');
      await query(own, `COMMENT ON TABLE ${begun} IS 'Older than METERGRAPH_EVENTS_KEPT_DAYS: dropped by Metergraph.'`);
      await query(own, `ALTER TABLE events DETACH PARTITION ${begun}`);
      expect(await dropEventMonths(own, 90 * DAY_MS, at('2026-03-15'))).toEqual([begun]);
      expect(await query(own, `SELECT sequence::integer FROM ${archived}`)).toEqual([{ sequence: 1 }]);
    });

    it('are kept for ever unless it is said for how long, and looked for once a minute', async () => {
      const own = await fresh();
      const rig = await rigWith(own, { limit: null });
      await useIn(rig, '2061-01');
      const errors: unknown[] = [];
      const dropped: string[] = [];
      const upkeepOf = (eventsKeptMs: number | null) =>
        new Upkeep({
          database: own,
          eventsKeptMs,
          onError: (error) => errors.push(error),
          onDropped: (names) => dropped.push(...names),
        });
      await upkeepOf(null).run(at('2071-01-01'));
      expect([dropped, errors]).toEqual([[], []]);
      expect(await monthsOf(own, '2071')).toHaveLength(3);
      const upkeep = upkeepOf(70 * DAY_MS);
      await upkeep.run(at('2061-01-31'));
      const early = dropped.length;
      await upkeep.run(at('2061-01-31') + 59_999);
      expect(dropped).toHaveLength(early);
      await upkeep.run(at('2071-01-01'));
      expect(dropped.length).toBeGreaterThan(early);
      expect(await eventsIn(own)).toEqual([]);
      upkeep.stop();
      await upkeep.run(at('2081-01-01'));
      expect(await monthsOf(own, '2081')).toEqual([]);
      expect(errors).toEqual([]);
    });
  });
});

describePostgres('months of events, by several gateways at once', () => {
  let server: TestDatabase;
  const databases: Database[] = [];
  beforeAll(async () => {
    server = await createDatabase({ template: migrated });
    for (let i = 0; i < 3; i += 1)
      databases.push(openPostgres({ url: server.url, poolSize: 3, statementTimeoutMs: 10_000 }));
  });
  afterAll(async () => {
    for (const database of databases) await database.close();
    await server.drop();
  });

  it('are made once and dropped once, while calls are counted', async () => {
    const [first] = databases;
    if (!first) throw new Error('no database is open');
    const { tenantId } = await rigWith(first, { limit: unitsOf('1000000') });
    const rigs = await Promise.all(databases.map((database) => openRig(database, { tenantId })));
    let calls = 0;
    for (const [round, month] of ['2061-01', '2061-06', '2061-12', '2062-06'].entries()) {
      for (const rig of rigs) rig.clock.set(`${month}-15T12:00:00Z`);
      const nowMs = at(`${month}-15`);
      const work = rigs.flatMap((rig, i): Promise<unknown>[] => [
        ...Array.from({ length: 50 }, () => rig.engine.consume(rig.call('acme'))),
        makeEventMonths(databases[i] ?? first, nowMs),
        dropEventMonths(databases[i] ?? first, 70 * DAY_MS, nowMs),
      ]);
      calls += 150;
      await Promise.all(work);
      const [counter] = await query(first, 'SELECT sum(used)::integer AS used FROM counters');
      expect({ round, ...counter }).toEqual({ round, used: calls });
    }
    for (const database of databases) await dropEventMonths(database, 70 * DAY_MS, at('2062-06-15'));
    expect((await eventMonths(first.query)).map(spell)).toEqual([
      'events_2062_06 2062-06-01 to 2062-07-01',
      'events_2062_07 2062-07-01 to 2062-08-01',
      'events_2062_08 2062-08-01 to 2062-09-01',
    ]);
    expect(
      await query(first, 'SELECT count(*)::integer AS count, min(sequence)::integer AS first FROM events'),
    ).toEqual([{ count: 150, first: 451 }]);
  });

  it('that could not be taken out at once, because somebody reads, are the next time', async () => {
    const [database] = databases;
    const hurried = openPostgres({ url: server.url, poolSize: 1, statementTimeoutMs: 300 });
    if (!database) throw new Error('no database is open');
    await makeEventMonths(database, at('2071-01-01'));
    const oldest = (await eventMonths(database.query))[0];
    await database.db.transaction(async (tx) => {
      await tx.execute('SELECT count(*) FROM events');
      await expect(dropEventMonths(hurried, 0, oldest?.untilMs ?? 0)).rejects.toMatchObject({ code: '57014' });
    });
    expect((await eventMonths(database.query))[0]).toEqual({ ...oldest, isLeaving: true });
    expect(await dropEventMonths(database, 0, oldest?.untilMs ?? 0)).toEqual([oldest?.name]);
    await hurried.close();
  });
});

describePostgres('months of events where no schema may be made', () => {
  it('are beside the tables', async () => {
    await using server = await createDatabase();
    const owner = openPostgres({ url: server.url, poolSize: 1, statementTimeoutMs: 30_000 });
    const user = `plain_${server.name}`.slice(0, 60);
    await query(
      owner,
      `DO $$ BEGIN CREATE ROLE metergraph_reader NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`,
    );
    await query(owner, `CREATE ROLE ${user} LOGIN CREATEROLE PASSWORD 'plain' IN ROLE metergraph_reader`);
    await query(owner, `GRANT ALL ON SCHEMA public TO ${user}`);
    const url = Object.assign(new URL(server.url), { username: user, password: 'plain' });
    const database = openPostgres({ url: url.href, poolSize: 2, statementTimeoutMs: 30_000 });
    try {
      await migrate(database);
      const rig = await rigWith(database, { limit: null });
      await useIn(rig, '2061-01');
      expect(
        await query(
          database,
          `SELECT relnamespace::regnamespace::text AS home FROM pg_class WHERE relispartition AND relkind = 'r' GROUP BY 1`,
        ),
      ).toEqual([{ home: 'public' }]);
      expect(await dropEventMonths(database, 0, at('2061-02-01'))).toHaveLength(2);
    } finally {
      await database.close();
      await query(owner, `DROP OWNED BY ${user} CASCADE`);
      await query(owner, `DROP ROLE ${user}`);
      await owner.close();
    }
  });
});
