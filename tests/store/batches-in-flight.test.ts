/**
 * Goal: a batch that is decided by what the one before it will leave is exact whatever becomes of that: saved, decided by what
 * turned out to be otherwise, lost with the connection. Method: another session holds a customer's row, so that a batch is
 * certainly in flight while the next is made; an ear at the lane tells how many were.
 */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { Catalogs } from '../../server/db/catalogs.ts';
import type { Database, Statement } from '../../server/db/client.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { unitsOf } from '../../server/domain/units.ts';
import { Engine } from '../../server/metering/engine.ts';
import { Ledger } from '../../server/metering/ledger.ts';
import type { ConsumeRequest, Consumption } from '../../server/metering/requests.ts';
import { migrated } from '../support/engines.ts';
import { createDatabase, describePostgres, type TestDatabase } from '../support/postgres.ts';
import { outcomesOf } from './outcomes.ts';
import { expectConsistent } from './promises.ts';
import { recorded } from './recorded.ts';
import { openRig, query, type Rig, register, rigWith, saveFeature } from './rig.ts';
import { holdCustomer } from './row-lock.ts';

const newSettle = { kind: 'settle', idempotencyKey: null } as const;
const ownerOf = ({ tenantId, customerId, referenceId }: ConsumeRequest) => ({ tenantId, customerId, referenceId });

/** Transactions in the order in which they were begun: whether customers were read for them. */
type Begun = ('read' | 'remembered')[];

function listening(database: Database, begun: Begun): Database {
  return {
    ...database,
    lane: {
      reset: () => database.lane.reset(),
      transact: (first, second) => {
        begun.push(first.length > 0 ? 'read' : 'remembered');
        return database.lane.transact(first, second);
      },
    },
  };
}

describePostgres('two batches in flight', () => {
  let server: TestDatabase;
  let database: Database;
  let elsewhere: Database;
  let rig: Rig;
  let begun: Begun;
  beforeAll(async () => {
    server = await createDatabase({ template: migrated });
    const open = () => openPostgres({ url: server.url, poolSize: 3, statementTimeoutMs: 10_000, lockTimeoutMs: 8_000 });
    database = open();
    elsewhere = open();
  });
  afterAll(async () => {
    await database.close();
    await elsewhere.close();
    await server.drop();
  });
  beforeEach(async () => {
    begun = [];
    rig = await rigWith(listening(database, begun), { limit: unitsOf('100'), thresholds: [], minLimit: 0n });
    await register(rig, 'beta');
    for (const customer of ['acme', 'beta']) await rig.engine.consume(rig.call(customer)); // remembered from now on
    begun.length = 0;
  });

  const use = (customer: string, fields = {}): Promise<Consumption> => rig.engine.consume(rig.call(customer, fields));
  const inFlight = async (count: number): Promise<void> => {
    while (begun.length < count) await new Promise(setImmediate);
  };
  /** Two batches, of which the first waits for a customer that somebody else holds. */
  async function twoInFlight<T>(
    first: () => readonly Promise<T>[],
    second: () => readonly Promise<T>[],
  ): Promise<readonly Promise<T>[]> {
    const calls = [...first()];
    await inFlight(1);
    calls.push(...second());
    await inFlight(2);
    return calls;
  }
  const sequencesOf = async (customer: string): Promise<readonly unknown[]> =>
    (
      await query(
        database,
        'SELECT properties->>$2 AS i FROM events WHERE customer_id = $1 ORDER BY sequence',
        rig.call(customer).customerId,
        'i',
      )
    ).map(({ i }) => i);
  const numbered = (i: number) => ({ properties: JSON.stringify({ i: String(i) }) });

  it('are decided one by the other, and answered in order', async () => {
    const letGo = await holdCustomer({ ...rig, database: elsewhere }, 'acme');
    const order: bigint[] = [];
    const calls = await twoInFlight(
      () => [use('acme', numbered(1)), use('acme', numbered(2))],
      () => [use('acme', numbered(3))],
    );
    for (const call of calls) void call.then(({ usage }) => order.push(BigInt(usage.sequence)));
    await letGo();
    const answers = await Promise.all(calls);
    expect(answers.map(({ usage }) => usage.used)).toEqual(['2', '3', '4'].map(unitsOf));
    expect(order).toEqual([2n, 3n, 4n]);
    expect(begun).toEqual(['remembered', 'remembered']);
    expect(await sequencesOf('acme')).toEqual([null, '1', '2', '3']);
    await expectConsistent(database, rig.tenantId);
  });

  it('share the last units that there are', async () => {
    await use('acme', { amount: unitsOf('96') });
    begun.length = 0;
    const letGo = await holdCustomer({ ...rig, database: elsewhere }, 'acme');
    const calls = await twoInFlight(
      () => [use('acme'), use('acme')],
      () => [use('acme'), use('acme')],
    );
    await letGo();
    expect(await outcomesOf([...calls])).toEqual(['allowed', 'allowed', 'allowed', 'LIMIT_REACHED']);
    expect(await recorded(rig, 'acme')).toMatchObject({ used: 100, events: 5 });
  });

  it('are both decided anew, in order, when the first was decided by what is not so any more', async () => {
    const other = await openRig(elsewhere, { tenantId: rig.tenantId });
    other.clock.set(rig.clock.now());
    const letGo = await holdCustomer({ ...rig, database: elsewhere }, 'acme');
    const before = other.engine.consume(other.call('acme', { amount: unitsOf('96') })); // waits as well, and first
    await waiting(1);
    const calls = await twoInFlight(
      () => [use('acme', numbered(1)), use('beta', numbered(1))],
      () => [use('acme', numbered(2)), use('beta', numbered(2)), use('acme', numbered(3)), use('acme', numbered(4))],
    );
    await waiting(2);
    await letGo();
    expect((await before).allowed).toBe(true);
    expect(await outcomesOf([...calls])).toEqual([
      'allowed',
      'allowed',
      'allowed',
      'allowed',
      'allowed',
      'LIMIT_REACHED',
    ]);
    expect(begun).toEqual(['remembered', 'remembered', 'read']); // both in one
    expect(await sequencesOf('acme')).toEqual([null, null, '1', '2', '3']);
    expect(await sequencesOf('beta')).toEqual([null, '1', '2']);
    await expectConsistent(database, rig.tenantId);
    begun.length = 0;
    for (const customer of ['beta', 'acme', 'acme']) await use(customer);
    expect(begun).toEqual(['remembered', 'read', 'read']); // whom others have changed is left alone for a while
  });

  it('of others is not decided anew with one that was', async () => {
    const letGo = await holdCustomer({ ...rig, database: elsewhere }, 'acme');
    const change = Promise.resolve(
      query(elsewhere, 'UPDATE customers SET revision = revision + 1 WHERE id = $1', rig.call('acme').customerId),
    ); // waits as well, and first
    await waiting(1);
    const calls = await twoInFlight(
      () => [use('acme')],
      () => [use('beta'), use('beta')],
    );
    await waiting(2);
    await letGo();
    await change;
    expect(await outcomesOf([...calls])).toEqual(['allowed', 'allowed', 'allowed']);
    expect(begun).toEqual(['remembered', 'remembered', 'read']);
    expect(await recorded(rig, 'acme')).toMatchObject({ used: 2, events: 2 });
    expect(await recorded(rig, 'beta')).toMatchObject({ used: 3, events: 3 });
  });

  it('are decided in order of arrival also about a customer whom the first only looked at', async () => {
    await use('beta', { amount: unitsOf('99') }); // at its limit, and may give back
    begun.length = 0;
    const letGo = await holdCustomer({ ...rig, database: elsewhere }, 'acme');
    const change = Promise.resolve(
      query(elsewhere, 'UPDATE customers SET revision = revision + 1 WHERE id = $1', rig.call('acme').customerId),
    );
    await waiting(1);
    const denied = [use('acme'), use('beta')];
    await waiting(2);
    const givenBack = use('beta', { amount: unitsOf('-1') });
    for (let i = 0; i < 5; i += 1) await new Promise(setImmediate); // time enough to be sent, if it were
    await letGo();
    await change;
    expect(await outcomesOf([...denied, givenBack])).toEqual(['allowed', 'LIMIT_REACHED', 'allowed']);
    expect(await recorded(rig, 'beta')).toMatchObject({ used: 99 });
  });

  it('raise an alert once, in its order, when the first of them failed that would have raised it', async () => {
    await saveFeature(rig, 'calls', { limit: unitsOf('100'), thresholds: [{ kind: 'used', value: unitsOf('3') }] });
    await use('acme'); // 2
    begun.length = 0;
    const letGo = await holdCustomer({ ...rig, database: elsewhere }, 'acme');
    const change = Promise.resolve(
      query(elsewhere, 'UPDATE customers SET revision = revision + 1 WHERE id = $1', rig.call('acme').customerId),
    );
    await waiting(1);
    const calls = await twoInFlight(
      () => [use('acme')],
      () => [use('acme')],
    );
    await waiting(2);
    await letGo();
    await change;
    expect((await Promise.all(calls)).map(({ alerts }) => alerts.length)).toEqual([1, 0]);
    const [row] = await query(
      database,
      'SELECT count(*)::integer AS count FROM alerts WHERE tenant_id = $1',
      rig.tenantId,
    );
    expect(row).toEqual({ count: 1 });
  });

  it('that fail are tried again by themselves, and cost nobody a second try who came later', async () => {
    const letGo = await holdCustomer({ ...rig, database: elsewhere }, 'acme');
    const calls = await twoInFlight(
      () => [use('acme', { properties: '{' }), use('acme')],
      () => [use('acme')],
    );
    const later = Array.from({ length: 50 }, () => use('beta'));
    await letGo();
    expect(await outcomesOf(calls)).toEqual(['INVALID_INPUT', 'allowed', 'allowed']);
    expect(await outcomesOf(later)).toEqual(later.map(() => 'allowed'));
    // All three in one, which fails, then one by one; and all fifty in one.
    expect(begun).toEqual(['remembered', 'remembered', 'read', 'read', 'read', 'remembered', 'remembered']);
  });

  it('hear of a key that came in the first', async () => {
    const letGo = await holdCustomer({ ...rig, database: elsewhere }, 'acme');
    const first = use('acme', { idempotencyKey: 'k' });
    await inFlight(1);
    const again = use('acme', { idempotencyKey: 'k' });
    await letGo();
    expect((await Promise.all([first, again])).map(({ replayed, usage }) => [replayed, usage.used])).toEqual([
      [false, unitsOf('2')],
      [true, unitsOf('2')],
    ]);
    expect(await recorded(rig, 'acme')).toMatchObject({ used: 2, events: 2 });
  });

  it('are both UNAVAILABLE when the connection is lost, and count once when they are sent again', async () => {
    const letGo = await holdCustomer({ ...rig, database: elsewhere }, 'acme');
    const keyed = (key: string) => () => [use('acme', { idempotencyKey: key })];
    const outcomes = outcomesOf([...(await twoInFlight(keyed('a'), keyed('b')))]);
    await waiting(1);
    await query(
      elsewhere,
      `SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'metergraph-engine' AND datname = current_database()`,
    );
    expect(await outcomes).toEqual(['UNAVAILABLE', 'UNAVAILABLE']);
    await letGo();
    expect(await outcomesOf([...keyed('b')(), ...keyed('a')(), use('acme')])).toEqual([
      'allowed',
      'allowed',
      'allowed',
    ]);
    expect(await recorded(rig, 'acme')).toMatchObject({ used: 4, events: 4, answers: 2 });
  });

  it('are both answered before an engine has ended', async () => {
    const letGo = await holdCustomer({ ...rig, database: elsewhere }, 'acme');
    const answered: string[] = [];
    const calls = await twoInFlight(
      () => [use('acme').finally(() => answered.push('first'))],
      () => [use('acme').finally(() => answered.push('second'))],
    );
    const ended = rig.engine.drain().then(() => answered.push('ended'));
    await letGo();
    await Promise.all([...calls, ended]);
    expect(answered).toEqual(['first', 'second', 'ended']);
  });

  it('that fails for what is in one of its calls fails that call alone, and nothing of the next', async () => {
    const letGo = await holdCustomer({ ...rig, database: elsewhere }, 'acme');
    const calls = await twoInFlight(
      () => [use('acme', numbered(1)), use('acme', { properties: '{' }), use('acme', numbered(2))],
      () => [use('acme', numbered(3)), use('beta')],
    );
    await letGo();
    expect(await outcomesOf([...calls])).toEqual(['allowed', 'INVALID_INPUT', 'allowed', 'allowed', 'allowed']);
    expect(await sequencesOf('acme')).toEqual([null, '1', '2', '3']);
    await expectConsistent(database, rig.tenantId);
    begun.length = 0;
    await use('acme');
    expect(begun).toEqual(['remembered']); // nobody else has changed it
  });

  it('are no transaction where all of them have waited too long', async () => {
    const patient = { deadlineMs: 5_000 };
    const slow = await openRig(listening(database, begun), { tenantId: rig.tenantId, engine: patient });
    await slow.engine.consume(rig.call('acme'));
    begun.length = 0;
    const letGo = await holdCustomer({ ...rig, database: elsewhere }, 'acme');
    const reading = slow.engine.execute({ ...newSettle, ...ownerOf(rig.call('acme')) }); // nothing is decided beside it
    await inFlight(1);
    const late = slow.engine.consume(rig.call('acme'));
    slow.clock.set(slow.clock.now() + patient.deadlineMs + 1);
    await letGo();
    await reading;
    expect(await outcomesOf([late])).toEqual(['OVERLOADED']);
    await slow.engine.drain();
    expect(begun).toEqual(['read']);
  });

  it('are given up when the first takes too long, and count once when they are sent again', async () => {
    const impatient = await openRig(listening(database, begun), {
      tenantId: rig.tenantId,
      engine: { deadlineMs: 400 },
    });
    const keyed = (key: string) => () => [impatient.engine.consume(rig.call('acme', { idempotencyKey: key }))];
    await Promise.all(keyed('remembered from now on')());
    begun.length = 0;
    const letGo = await holdCustomer({ ...rig, database: elsewhere }, 'acme');
    const outcomes = outcomesOf([...(await twoInFlight(keyed('a'), keyed('b')))]);
    expect(await outcomes).toEqual(['DEADLINE_EXCEEDED', 'UNAVAILABLE']);
    await letGo();
    expect(await outcomesOf([...keyed('b')(), ...keyed('a')()])).toEqual(['allowed', 'allowed']);
    expect(await recorded(rig, 'acme')).toMatchObject({ used: 4, events: 4 });
  });

  it('write a row only where it has still its revision, also when it was written while they waited for it', async () => {
    const written: Statement[] = [];
    const hearing: Database = {
      ...database,
      lane: {
        reset: () => database.lane.reset(),
        transact: (first, second) =>
          database.lane.transact(first, async (rows, run) => {
            const statements = await second(rows, run);
            written.push(...statements);
            return statements;
          }),
      },
    };
    const heard = await openRig(hearing, { tenantId: rig.tenantId });
    await heard.engine.consume(heard.call('acme'));
    const [save] = written;
    if (!save) throw new Error('nothing was written');
    const plan = await query(database, `EXPLAIN ${save.text}`, ...save.params);
    // What was found before the wait says nothing of the row after it: of that, a server asks the conditions on `c` again.
    expect(plan.map((line) => String(line['QUERY PLAN'])).join('\n')).toMatch(/Filter: .*\bc\.revision\b/);
  });

  it('are answered though whoever listens to the engine throws', async () => {
    const fail = () => {
      throw new Error('a listener failed');
    };
    const ledger = new Ledger({
      database,
      catalogs: new Catalogs(),
      clock: rig.clock,
      onCommitted: () => {},
      hintOf: () => null,
    });
    const engine = new Engine({ ledger, clock: rig.clock, onUnreachable: fail, onBatch: fail, onAnswered: fail });
    const warned: Error[] = [];
    const hear = (warning: Error) => warned.push(warning);
    process.on('warning', hear);
    for (const customer of ['acme', 'beta', 'acme']) {
      expect((await engine.consume(rig.call(customer))).allowed).toBe(true);
    }
    await engine.drain();
    await new Promise(setImmediate);
    process.off('warning', hear);
    expect(warned.map(({ message }) => message)).toContain('a listener failed');
  });

  /** Until so many engines wait for a lock. */
  async function waiting(count: number): Promise<void> {
    for (;;) {
      const [row] = await query(
        elsewhere,
        `SELECT count(*)::integer AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      if (Number(row?.count) >= count) return;
    }
  }
});
