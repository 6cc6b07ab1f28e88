/**
 * Goal: a hint that never comes delays a change by a poll, and loses none. Method: two gateways on one Postgres; the
 * connection by which one hears the other is killed, or the other never speaks.
 */
import { expect, it } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { describePostgres } from '../support/postgres.ts';
import { consume, openAlerts, openPair, openUsage, register, spellAlert, spellItem } from './rig.ts';

const LISTENERS = `
  SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query ILIKE 'listen%' ORDER BY pid`;

const listeners = async ({ query }: Database): Promise<readonly number[]> =>
  (await query<{ pid: number }>({ text: LISTENERS, params: [] })).map(({ pid }) => pid);

const kill = ({ query }: Database, pids: readonly number[]) =>
  query({
    text: 'SELECT pg_terminate_backend(pid) FROM unnest($1::text[]::integer[]) AS pid',
    params: [pids.map(String)],
  });

describePostgres('a gateway that has lost the ear for others', () => {
  it('listens again by itself, and then tells what it has missed and what comes', async () => {
    const { one, other } = await openPair();
    await register(one, 'acme');
    const usage = await openUsage(other, { referenceId: 'acme' });
    const { usage: start } = await consume(one, 'acme', 'storage', { amount: 1 });
    const alerts = await openAlerts(other, { referenceId: 'acme', after: start.cursor });
    expect((await usage.next()).__typename).toBe('UsageSnapshot');
    const ears = await listeners(one.database);
    expect(ears).toHaveLength(2);
    await kill(one.database, ears);
    await consume(one, 'acme', 'storage', { amount: 79 }); // while nobody listens
    const told: string[] = [];
    while (!told.includes('storage 80/100')) told.push(spellItem(await usage.next()));
    expect(spellAlert(await alerts.next())).toBe('acme storage fraction 0.8');
    await expect.poll(async () => (await listeners(one.database)).length).toBe(2);
    expect(await listeners(one.database)).not.toEqual(ears);
    await consume(one, 'acme', 'storage', { amount: 20 });
    expect(spellItem(await usage.next())).toBe('storage 100/100');
    expect(spellAlert(await alerts.next())).toBe('acme storage fraction 1');
  });
});

describePostgres('a gateway beside one that says nothing', () => {
  it.each([
    ['use', 'storage 80/100', 'consume(input: { referenceId: "acme", featureKey: "storage", amount: 80 })'],
    [
      'limits',
      'storage 0/7',
      'setCustomerLimits(input: { referenceId: "acme", limits: [{ featureKey: "storage", limit: 7 }] })',
    ],
    [
      'a plan',
      'api_calls 0/9',
      'savePlan(input: { key: "pro", existingCustomers: MOVE, features: [{ featureKey: "api_calls", limit: 9 }, { featureKey: "storage", limit: 100 }, { featureKey: "exports" }] })',
    ],
  ])('finds %s out by its poll', async (_, told, mutation) => {
    const { one, other } = await openPair({ pollIntervalMs: 100 }, (database) => ({ ...database, listen: null }));
    await register(one, 'acme');
    const usage = await openUsage(other, { referenceId: 'acme' });
    await usage.next();
    await one.data(`mutation { ${mutation} { __typename } }`);
    expect(spellItem(await usage.next())).toBe(told);
  });

  it('finds alerts out by its poll', async () => {
    const { one, other } = await openPair({ pollIntervalMs: 100 }, (database) => ({ ...database, listen: null }));
    await register(one, 'acme');
    const stream = await openAlerts(other, { after: await other.gateway.services.streams.alertCursor(other.tenantId) });
    await consume(one, 'acme', 'storage', { amount: 100 });
    expect((await stream.take(2)).map(spellAlert)).toEqual(['0.8', '1'].map((line) => `acme storage fraction ${line}`));
  });
});

describePostgres('a batch of more customers than a notification can name', () => {
  it('is told by the other gateway all the same', async () => {
    const { one, other } = await openPair();
    const ids = Array.from({ length: 200 }, (_, i) => `customer ${i}`);
    await Promise.all(ids.map((referenceId) => register(one, referenceId)));
    const streams = await Promise.all([0, 100, 199].map((i) => openUsage(other, { referenceId: `customer ${i}` })));
    for (const stream of streams) await stream.next();
    await one.data('mutation ($inputs: [ConsumeInput!]!) { consumeMany(input: { inputs: $inputs }) { __typename } }', {
      inputs: ids.map((referenceId) => ({ referenceId, featureKey: 'storage', amount: 3 })),
    });
    for (const stream of streams) expect(spellItem(await stream.next())).toBe('storage 3/100');
  });
});
