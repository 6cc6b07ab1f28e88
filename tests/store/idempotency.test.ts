/**
 * Goal: the first answer under a key is the answer for good, whatever has changed since. Method: one call, a change,
 * the same call again; compare the answers and count the events.
 */
import { beforeAll, expect, it } from 'vitest';
import type { Database, Statement } from '../../server/db/client.ts';
import { unitsOf } from '../../server/domain/units.ts';
import type { ConsumeRequest, Consumption } from '../../server/metering/requests.ts';
import { describeEngines } from '../support/engines.ts';
import { counting } from './counting.ts';
import { errorOf, outcomesOf } from './outcomes.ts';
import { expectConsistent } from './promises.ts';
import { recorded } from './recorded.ts';
import { openRig, query, type Rig, rigWith, saveFeature } from './rig.ts';
import { perUnit } from './scene.ts';

describeEngines('the same idempotency key', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  /** Calls, changes something, calls again: the second answer is the first. */
  async function expectReplay(rig: Rig, call: ConsumeRequest, change: () => Promise<unknown>) {
    const first = await rig.engine.consume(call);
    const before = await recorded(rig, 'acme');
    await change();
    const again = await rig.engine.consume(call);
    expect(again.replayed).toBe(true);
    const { feature, ...usage } = again.usage; // the feature itself is shown as it is now
    expect(first).toMatchObject({ ...again, usage, replayed: false });
    expect(feature.key).toBe(first.usage.feature.key);
    expect(await recorded(rig, 'acme')).toEqual(before);
    await expectConsistent(database);
    return first;
  }

  const priced = { ...perUnit('0.5'), currency: 'eur' };

  it('after an allowed call, though nothing is left', async () => {
    const rig = await rigWith(database, { limit: unitsOf('1') });
    const call = rig.call('acme', { idempotencyKey: 'k' });
    const first = await expectReplay(rig, call, async () => {});
    expect(first).toMatchObject({ allowed: true, usage: { used: unitsOf('1'), remaining: 0n } });
  });

  it('of many calls costs the statements of one, whatever alerts they had raised', async () => {
    const counted = counting(database);
    const rig = await rigWith(counted.database, { limit: null, thresholds: [{ kind: 'every', value: unitsOf('1') }] });
    const calls = Array.from({ length: 20 }, (_, i) => rig.call('acme', { idempotencyKey: `alert ${i}` }));
    const ask = (some: readonly ConsumeRequest[]) => Promise.all(some.map((call) => rig.engine.consume(call)));
    const first = await ask(calls);
    const marksOf = (answer: Consumption | undefined) =>
      answer?.alerts.map(({ mark, sequence }) => `${mark} ${sequence}`);
    const statementsOf = async (some: readonly ConsumeRequest[]) => {
      counted.clear();
      const again = await ask(some);
      expect(again.map(marksOf)).toEqual(some.map((call) => marksOf(first[calls.indexOf(call)])));
      return counted.statements.length;
    };
    expect(first.every(({ alerts }) => alerts.length === 1)).toBe(true);
    expect(await statementsOf(calls)).toBe(await statementsOf(calls.slice(0, 1)));
    expect(await statementsOf([...calls, ...calls])).toBe(await statementsOf(calls.slice(0, 1)));
  });

  it('after a denied call, though there is room now', async () => {
    const rig = await rigWith(database, { limit: 0n });
    const call = rig.call('acme', { idempotencyKey: 'k' });
    const first = await expectReplay(rig, call, () => saveFeature(rig, 'calls', { limit: null }));
    expect(first).toMatchObject({ allowed: false, denial: { reason: 'LIMIT_REACHED' }, amount: 0n });
    expect(await outcomesOf([rig.engine.consume({ ...call, idempotencyKey: 'another' })])).toEqual(['allowed']);
  });

  it('with its split, its price and its alerts, though all of them have changed', async () => {
    const thresholds = ['3', '5'].map((value) => ({ kind: 'used' as const, value: unitsOf(value) }));
    const rig = await rigWith(database, { included: unitsOf('2'), price: priced, thresholds });
    const call = rig.call('acme', { amount: unitsOf('7.5'), idempotencyKey: 'k', properties: '{"job":1}' });
    await rig.engine.consume(call);
    await saveFeature(rig, 'calls', { limit: unitsOf('1'), thresholds: [] });
    await rig.engine.consume(rig.call('acme', { mode: 'OVERFLOW' }));
    const again = await rig.engine.consume(call);
    expect(again).toMatchObject({
      replayed: true,
      amount: unitsOf('7.5'),
      split: {
        included: unitsOf('2'),
        overage: unitsOf('5.5'),
        overageCost: { amount: unitsOf('2.75'), currency: 'eur' },
      },
      usage: { used: unitsOf('7.5'), policy: { limit: null } },
    });
    expect(again.alerts.map(({ threshold, sequence }) => [threshold.value, sequence])).toEqual([
      [unitsOf('3'), 1n],
      [unitsOf('5'), 2n],
    ]);
  });

  it('though the feature has been archived, or the period has ended', async () => {
    const rig = await rigWith(database, { limit: unitsOf('5') });
    const call = rig.call('acme', { idempotencyKey: 'k' });
    await expectReplay(rig, call, async () => rig.clock.set('2026-05-02T00:00:00Z'));
    await query(database, 'UPDATE features SET archived_at = now() WHERE tenant_id = $1', rig.tenantId);
    await query(database, 'UPDATE tenants SET catalog_version = catalog_version + 1 WHERE id = $1', rig.tenantId);
    expect(await rig.engine.consume(call)).toMatchObject({ allowed: true, replayed: true });
    expect(await errorOf(rig.engine.consume({ ...call, idempotencyKey: 'another' }))).toMatchObject({
      code: 'FEATURE_NOT_FOUND',
    });
  });

  it('through another gateway that has just started', async () => {
    const rig = await rigWith(database, { limit: unitsOf('5') });
    const call = rig.call('acme', { idempotencyKey: 'k' });
    await rig.engine.consume(call);
    const other = await openRig(database, { tenantId: rig.tenantId });
    expect(await other.engine.consume(call)).toMatchObject({ replayed: true, usage: { used: unitsOf('1') } });
  });

  it('and other content: a conflict, with nothing written and the first answer still there', async () => {
    const rig = await rigWith(database, { limit: unitsOf('50') });
    const call = rig.call('acme', { idempotencyKey: 'k', amount: unitsOf('2') });
    await rig.engine.consume(call);
    const error = await errorOf(rig.engine.consume({ ...call, amount: unitsOf('3') }));
    expect(error).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT', path: ['input', 'idempotencyKey'], retryable: false });
    expect(await rig.engine.consume({ ...call, amount: unitsOf('2.000') })).toMatchObject({ replayed: true });
    expect(await recorded(rig, 'acme')).toMatchObject({ used: 2, events: 1, answers: 1 });
  });

  it('is any text: quotes, backslashes, commas, braces and letters beyond', async () => {
    const rig = await rigWith(database, { limit: null });
    const keys = ['a"b', "a'b", 'a\\b', '{a,b}', 'NULL', 'null', '', ' ', 'ключ', '🔑', 'a\nb', '%s $1'];
    for (const pass of [false, true]) {
      const results = await rig.engine.consumeMany(keys.map((idempotencyKey) => rig.call('acme', { idempotencyKey })));
      expect(results).toMatchObject(keys.map(() => ({ status: 'fulfilled', value: { replayed: pass } })));
    }
    expect(await recorded(rig, 'acme')).toMatchObject({ used: keys.length, answers: keys.length });
  });
});

describeEngines('check', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  it('says what consume then says, and writes nothing', async () => {
    const rig = await rigWith(database, { limit: unitsOf('3') });
    const calls = [
      rig.call('acme', { amount: unitsOf('2'), idempotencyKey: 'k' }),
      rig.call('acme', { amount: unitsOf('2') }),
    ];
    for (const call of [...calls, ...calls]) {
      const before = await recorded(rig, 'acme');
      const checked = await rig.engine.check(call);
      expect(await recorded(rig, 'acme')).toEqual(before);
      const consumed = await rig.engine.consume(call);
      const { sequence, ...usage } = consumed.usage;
      expect(checked).toMatchObject({ ...consumed, usage, alerts: consumed.replayed ? consumed.alerts : [] });
      // A check takes no sequence, so a stream that is resumed from its cursor hears the consume.
      const taken = consumed.allowed && !consumed.replayed ? 1n : 0n;
      expect(checked.usage.sequence).toBe(sequence - taken);
    }
  });

  it('fails as consume does', async () => {
    const rig = await rigWith(database, {});
    for (const call of [
      rig.call('nobody'),
      rig.call('acme', { featureKey: 'cals' }),
      rig.call('acme', { overrideKey: 'pro' }),
    ]) {
      const error = await errorOf(rig.engine.check(call));
      expect(await errorOf(rig.engine.consume(call))).toEqual(error);
    }
  });

  it('carries a cursor that is not ahead of its numbers, though use comes in between', async () => {
    const rig = await rigWith(database, { limit: null });
    await rig.engine.consume(rig.call('acme'));
    // The other reads of the check wait until one more call is recorded.
    let isFirst = true;
    const slow: Database = {
      ...database,
      query: async <R extends object>(statement: Statement) => {
        const counters = statement.text.includes('FROM counters');
        const rows = counters ? await database.query<R>(statement) : [];
        if (isFirst) {
          isFirst = false;
          await rig.engine.consume(rig.call('acme'));
        }
        return counters ? rows : database.query<R>(statement);
      },
    };
    const checker = await openRig(slow, { tenantId: rig.tenantId });
    const { usage } = await checker.engine.check(rig.call('acme'));
    expect({ used: usage.used, sequence: usage.sequence }).toEqual({ used: unitsOf('3'), sequence: 2n });
  });
});
