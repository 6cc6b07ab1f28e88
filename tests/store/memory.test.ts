/**
 * Goal: a gateway that remembers a customer answers as one that reads it, whatever another gateway did meanwhile. Method:
 * one gateway uses and remembers, another changes something, and the first is asked again; the flights of its transactions
 * are counted, so that each row is known to have been guessed. Random lives of two gateways are in `tests/model`.
 */
import { beforeEach, describe, expect, it } from 'vitest';
import { muteAlerts } from '../../server/actions/mute-alerts.ts';
import { setCustomerLimits } from '../../server/actions/set-customer-limits.ts';
import { Catalogs } from '../../server/db/catalogs.ts';
import type { Database } from '../../server/db/client.ts';
import { emptyCounter } from '../../server/domain/counter.ts';
import { unitsOf } from '../../server/domain/units.ts';
import { Memory } from '../../server/metering/memory.ts';
import type { Consumption } from '../../server/metering/requests.ts';
import { settlerOf } from '../../server/metering/settler.ts';
import { newConsume } from '../../server/metering/testing/new-consume.ts';
import { newCustomer } from '../../server/metering/testing/new-customer.ts';
import { describeEngines } from '../support/engines.ts';
import { expectConsistent } from './promises.ts';
import { openRig, type Rig, rigWith, saveFeature } from './rig.ts';

/** By flight: how many statements it had. */
type Flights = (readonly [first: number, second: number])[];

/** The database with an ear at the engine's lane. */
function listening(database: Database, flights: Flights): Database {
  const transact: Database['lane']['transact'] = (first, second) =>
    database.lane.transact(first, async (rows, query) => {
      const writes = await second(rows, query);
      flights.push([first.length, writes.length]);
      return writes;
    });
  return { ...database, lane: { transact, reset: () => database.lane.reset() } };
}

const READ = [4, 1] as const;
const GUESSED = [0, 1] as const;

describeEngines('what a gateway remembers', (engine) => {
  let rig: Rig;
  let other: Rig;
  let flights: Flights;
  const limits = { limit: unitsOf('10'), thresholds: [{ kind: 'used' as const, value: unitsOf('8') }] };

  beforeEach(async () => {
    flights = [];
    const database = await engine.open();
    rig = await rigWith(listening(database, flights), limits);
    other = await openRig(database, { tenantId: rig.tenantId });
    other.clock.set(rig.clock.now());
  });

  const use = (of: Rig, units: string, fields = {}) =>
    of.engine.consume(of.call('acme', { amount: unitsOf(units), ...fields }));
  const deps = () => ({
    database: other.database,
    clock: other.clock,
    announce: () => {},
    catalogs: new Catalogs(),
    settle: settlerOf(other.engine),
    tokenSecret: new Uint8Array(),
  });
  const said = ({ denial, usage, replayed, alerts }: Consumption) =>
    [denial?.reason ?? usage.used / unitsOf('1'), replayed && 'replayed', alerts.length > 0 && 'alert']
      .filter((word) => word !== false)
      .join(' ');

  it('is not read again: one flight, proven as it is written', async () => {
    for (const key of ['a', 'b', 'c']) await use(rig, '1', { idempotencyKey: key });
    expect(flights).toEqual([READ, GUESSED, GUESSED]);
  });

  it('is not read again for one feature after another was used, or an entity', async () => {
    await saveFeature(rig, 'tokens', { limit: unitsOf('10') });
    const uses = [{}, { featureKey: 'tokens' }, { entityId: 'bot' }];
    for (const fields of [...uses, ...uses]) await use(rig, '1', fields);
    expect(flights.map(([first]) => first)).toEqual([4, 4, 4, 0, 0, 0]);
    await expectConsistent(rig.database, rig.tenantId);
  });

  it('is proven also where nothing is written', async () => {
    await use(rig, '10');
    expect(said(await use(rig, '1'))).toBe('LIMIT_REACHED');
    expect(flights).toEqual([READ, [0, 1]]);
  });

  it.each<[string, () => Promise<unknown>, string, object, string]>([
    ['nothing', async () => {}, '1', {}, '8 alert'],
    ['use', () => use(other, '3'), '1', {}, 'LIMIT_REACHED'],
    ['use that is given back', () => use(other, '-3', {}), '6', {}, '10 alert'],
    ['a higher limit', () => saveFeature(other, 'calls', { limit: unitsOf('20') }), '6', {}, '13'],
    ['a lower limit', () => saveFeature(other, 'calls', { ...limits, limit: unitsOf('7') }), '1', {}, 'LIMIT_REACHED'],
    [
      'limits of the customer',
      () =>
        setCustomerLimits(deps(), rig.tenantId, {
          referenceId: 'acme',
          limits: [{ featureKey: 'calls', fields: { limit: unitsOf('7') } }],
        }),
      '1',
      {},
      'LIMIT_REACHED',
    ],
    ['the same key', () => use(other, '1', { idempotencyKey: 'k' }), '1', { idempotencyKey: 'k' }, '8 replayed alert'],
    ['another key', () => use(other, '1', { idempotencyKey: 'k' }), '1', { idempotencyKey: 'l' }, '9'],
    ['all that is left', () => use(other, '3'), '5', { mode: 'CLAMP' }, 'LIMIT_REACHED'],
  ])('counts for nothing against what another did meanwhile: %s', async (_, change, units, fields, says) => {
    await saveFeature(rig, 'calls', { ...limits, minLimit: 0n });
    await use(rig, '7');
    await change();
    flights.length = 0;
    expect(said(await use(rig, units, fields))).toBe(says);
    expect(flights[0]?.[0]).toBe(0); // guessed
    await expectConsistent(rig.database, other.tenantId);
  });

  it('counts for nothing against alerts that were muted meanwhile', async () => {
    await use(rig, '7');
    await muteAlerts(deps(), rig.tenantId, {
      referenceId: 'acme',
      featureKey: 'calls',
      untilMs: rig.clock.now() + 1_000,
    });
    const { alerts } = await use(rig, '1');
    expect(alerts.map(({ mutedAtMs }) => mutedAtMs)).toEqual([rig.clock.now()]);
  });

  it('is read again in a month that nobody has made, too', async () => {
    await use(rig, '1');
    await use(other, '1');
    for (const { clock } of [rig, other]) clock.set('2031-05-05T00:00:00Z');
    expect(said(await use(rig, '1'))).toBe('1');
    await use(other, '1'); // its month is there, and what it remembers is not so
    expect(said(await use(rig, '1'))).toBe('3');
  });

  it('is left alone for a while where others go on changing it, and nobody hears of it', async () => {
    await use(rig, '1');
    await use(other, '1');
    flights.length = 0;
    for (const units of ['1', '1', '1']) await use(rig, units);
    expect(flights).toEqual([GUESSED, READ, READ, READ]);
  });

  it('is not doubted for long where it was only the catalog that changed', async () => {
    await use(rig, '1');
    await saveFeature(other, 'calls', { ...limits, limit: unitsOf('20') });
    flights.length = 0;
    for (const units of ['1', '1', '1']) await use(rig, units);
    expect(flights).toEqual([GUESSED, READ, GUESSED, GUESSED]);
  });

  it('is read for a while of whom keys come again that it has not heard', async () => {
    for (const idempotencyKey of ['a', 'b', 'c']) await use(other, '1', { idempotencyKey });
    await use(rig, '1'); // as after a restart
    flights.length = 0;
    const answers = [];
    for (const idempotencyKey of ['a', 'b', 'c', 'd']) answers.push(said(await use(rig, '1', { idempotencyKey })));
    expect(answers).toEqual(['1 replayed', '2 replayed', '3 replayed', '5']);
    expect(flights.map(([first]) => first)).toEqual([0, 4, 4, 4, 4]); // one guess was wrong
  });

  it('is read again after whatever else was asked of the customer', async () => {
    await use(rig, '1');
    const { tenantId } = rig;
    const { customerId, referenceId } = rig.call('acme');
    await rig.engine.execute({ kind: 'settle', tenantId, customerId, referenceId, idempotencyKey: null });
    flights.length = 0;
    await use(rig, '1');
    expect(flights).toEqual([READ]);
  });
});

describe('the memory', () => {
  const period = { startMs: 0, endMs: null, reset: 'never' as const };
  const counter = { ...emptyCounter(period), period, sequence: 1n, closedAtMs: null, correctedAtMs: null };
  const customer = (id: string) => newCustomer({ tenantId: 'tenant', id, counters: new Map([['calls', counter]]) });

  it.each([
    [0, []],
    [2, ['c']],
    [4, ['b', 'c']],
    [100, ['a', 'b', 'c']],
  ])('of size %i forgets whom it heard of longest ago', (sizeMax, known) => {
    const memory = new Memory({ sizeMax });
    for (const id of ['a', 'b', 'c']) memory.keep([customer(id)], null);
    const asked = ['a', 'b', 'c'].map((customerId) =>
      newConsume({ tenantId: 'tenant', customerId, referenceId: customerId }),
    );
    expect([...memory.recall(asked).keys()]).toEqual(known);
  });
});
