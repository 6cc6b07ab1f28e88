/**
 * Goal: every alert is told exactly once and in order, to who listens, to who comes back, and to who is slow; across
 * gateways too. Method: raw streams over both ways; 80 and 100 of 100 GB are the lines that are crossed.
 */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { ADMIN_KEY } from '../support/gateway.ts';
import { describePostgres } from '../support/postgres.ts';
import {
  type AlertItem,
  consume,
  consumeMany,
  cursorOf,
  openAlerts,
  openPair,
  openRig,
  type Rig,
  register,
  spellAlert,
  tokenOf,
  WAYS,
} from './rig.ts';

/** Where a stream of alerts that begins now begins. */
async function nowOf(rig: Rig, key = ADMIN_KEY): Promise<string> {
  const { viewer } = await rig.as(key).data<{ viewer: { alertCursor: string } }>('{ viewer { alertCursor } }');
  return viewer.alertCursor;
}
const idOf = (item: AlertItem): string => ('alert' in item ? item.alert.id : '');

describe.each(WAYS)('an alert stream over %s', (way) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });

  it('tells each alert of a customer once, as it is raised', async () => {
    for (const referenceId of ['acme', 'globex']) await register(rig, referenceId);
    await consume(rig, 'acme', 'storage', { amount: 80 }); // before anybody listens
    const stream = await openAlerts(rig, { referenceId: 'acme' }, { way });
    await vi.waitFor(() => expect(rig.gateway.services.streams.openStreams).toBe(1));
    await consume(rig, 'globex', 'storage', { amount: 100 });
    const { alerts } = await consume(rig, 'acme', 'storage', { amount: 20 });
    await consume(rig, 'acme', 'exports', { amount: 1 });
    const item = await stream.next();
    expect(spellAlert(item)).toBe('acme storage fraction 1');
    expect(idOf(item)).toBe(alerts[0]?.id);
    for (let i = 0; i < 7; i++) await consume(rig, 'acme', 'exports');
    expect(spellAlert(await stream.next())).toBe('acme exports fraction 0.8');
  });

  it('resumes after an alert, and after a usage, with what was raised since', async () => {
    await register(rig, 'back');
    const before = await consume(rig, 'back', 'storage', { amount: 1 });
    const { alerts } = await consume(rig, 'back', 'storage', { amount: 79 });
    await consume(rig, 'back', 'storage', { amount: 20 });
    const afterUsage = await openAlerts(rig, { referenceId: 'back', after: before.usage.cursor }, { way });
    const both = await afterUsage.take(2);
    expect(both.map(spellAlert)).toEqual(['back storage fraction 0.8', 'back storage fraction 1']);
    for (const after of [alerts[0]?.cursor ?? '', cursorOf(both[0])]) {
      const afterAlert = await openAlerts(rig, { referenceId: 'back', after }, { way });
      expect(spellAlert(await afterAlert.next())).toBe('back storage fraction 1');
    }
    const newest = await openAlerts(rig, { referenceId: 'back', after: cursorOf(both[1]) }, { way });
    for (let i = 0; i < 8; i++) await consume(rig, 'back', 'exports');
    expect(spellAlert(await newest.next())).toBe('back exports fraction 0.8');
  });

  it('tells nothing of what was muted, neither as it is raised nor to who resumes', async () => {
    await register(rig, 'quiet');
    const before = await consume(rig, 'quiet', 'storage', { amount: 1 });
    const stream = await openAlerts(rig, { referenceId: 'quiet', after: before.usage.cursor }, { way });
    const say = (what: string) =>
      rig.data(`mutation { told: ${what}(input: { referenceId: "quiet", featureKey: "storage" }) { __typename } }`);
    expect(await say('muteAlerts')).toEqual({ told: { __typename: 'Customer' } });
    const muted = await consume(rig, 'quiet', 'storage', { amount: 79 });
    expect(muted.alerts).toHaveLength(1); // a stored fact all the same
    for (let i = 0; i < 8; i++) await consume(rig, 'quiet', 'exports');
    expect(spellAlert(await stream.next())).toBe('quiet exports fraction 0.8');
    expect(await say('unmuteAlerts')).toEqual({ told: { __typename: 'Customer' } });
    await consume(rig, 'quiet', 'storage', { amount: 20 });
    expect(spellAlert(await stream.next())).toBe('quiet storage fraction 1');
    const resumed = await openAlerts(rig, { referenceId: 'quiet', after: before.usage.cursor }, { way });
    expect((await resumed.take(2)).map(spellAlert)).toEqual(['quiet exports fraction 0.8', 'quiet storage fraction 1']);
  });

  it.each(['an API key', 'a customer token'])('begins where %s was told that it would', async (credential) => {
    const id = `asked by ${credential}`;
    await register(rig, id);
    await consume(rig, id, 'storage', { amount: 80 }); // before it asked
    const key = credential === 'an API key' ? ADMIN_KEY : await tokenOf(rig, id);
    const after = await nowOf(rig, key);
    await consume(rig, id, 'storage', { amount: 20 }); // before it listens
    const stream = await openAlerts(rig, { after }, { way, key });
    expect(spellAlert(await stream.next())).toBe(`${id} storage fraction 1`);
    for (let i = 0; i < 8; i++) await consume(rig, id, 'exports');
    expect(spellAlert(await stream.next())).toBe(`${id} exports fraction 0.8`);
  });

  it('shows a customer its own, of the features that its token names', async () => {
    for (const referenceId of ['narrow', 'wide']) await register(rig, referenceId);
    const key = await tokenOf(rig, 'narrow', { featureKeys: ['exports'] });
    const stream = await openAlerts(rig, { after: await nowOf(rig) }, { way, key });
    await consume(rig, 'wide', 'storage', { amount: 100 });
    await consume(rig, 'narrow', 'storage', { amount: 100 });
    for (let i = 0; i < 10; i++) await consume(rig, 'narrow', 'exports');
    expect((await stream.take(2)).map(spellAlert)).toEqual(
      ['0.8', '1'].map((line) => `narrow exports fraction ${line}`),
    );
  });

  it.each([
    ['that is no cursor', null, {}],
    ['of usage, for all customers', 'lender', {}],
    ['of another customer’s usage', 'lender', { referenceId: 'strict' }],
  ])('refuses a cursor %s', async (_, lender, asked) => {
    for (const referenceId of ['strict', 'lender']) await register(rig, referenceId);
    const after = lender ? (await consume(rig, lender, 'api_calls')).usage.cursor : 'bm90IGEgY3Vyc29y';
    const stream = await openAlerts(rig, { ...asked, after }, { way });
    await expect(stream.next()).rejects.toThrow('INVALID_CURSOR');
  });
});

describe('an alert stream', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });

  it('loses none of many to a reader who is slow, or cut off', async () => {
    const customers = Array.from({ length: 250 }, (_, i) => `many ${i}`);
    await Promise.all(customers.map((referenceId) => register(rig, referenceId)));
    const asked = { after: await nowOf(rig) };
    const slow = await openAlerts(rig, asked);
    const cut = await openAlerts(rig, asked);
    for (const amount of [80, 20]) {
      const inputs = customers.map((referenceId) => ({ referenceId, featureKey: 'storage', amount }));
      await consumeMany(rig, inputs);
    }
    const first = await cut.take(123);
    cut.cut();
    const resumed = await openAlerts(rig, { after: cursorOf(first.at(-1)) });
    const [told, again] = [await slow.take(500), [...first, ...(await resumed.take(500 - 123))]];
    expect(new Set(told.map(idOf)).size).toBe(500);
    expect(again.map(idOf)).toEqual(told.map(idOf));
    expect(told.map(spellAlert)).toEqual(
      ['0.8', '1'].flatMap((line) => customers.map((id) => `${id} storage fraction ${line}`)),
    );
  });

  it.each(['alert', 'usage'])('says that the cursor of a %s has expired, and goes on from now', async (kind) => {
    const id = `expired ${kind}`;
    await register(rig, id);
    const { usage, alerts } = await consume(rig, id, 'storage', { amount: 80 });
    rig.clock.advance(36 * 24 * 3_600_000);
    const after = kind === 'alert' ? (alerts[0]?.cursor ?? '') : usage.cursor;
    const stream = await openAlerts(rig, { referenceId: id, after });
    expect(spellAlert(await stream.next())).toBe('expired');
    await consume(rig, id, 'storage', { amount: 20 });
    expect(spellAlert(await stream.next())).toBe(`${id} storage fraction 1`);
  });

  it.each(['alert', 'usage'])(
    'says that the cursor of a %s is of no use that is ahead of the database',
    async (kind) => {
      const id = `restored ${kind}`;
      await register(rig, id);
      await consume(rig, id, 'storage', { amount: 1 });
      const { usage, alerts } = await consume(rig, id, 'storage', { amount: 79 });
      // As after a backup was restored.
      await rig.database.query({ text: 'UPDATE customers SET sequence = 1 WHERE reference_id = $1', params: [id] });
      await rig.database.query({ text: 'UPDATE tenants SET alert_sequence = alert_sequence - 1', params: [] });
      await rig.database.query({
        text: 'DELETE FROM alerts WHERE used = 80 AND customer_id IN (SELECT id FROM customers WHERE reference_id = $1)',
        params: [id],
      });
      const after = kind === 'alert' ? (alerts[0]?.cursor ?? '') : usage.cursor;
      const stream = await openAlerts(rig, { referenceId: id, after });
      expect(spellAlert(await stream.next())).toBe('expired');
    },
  );
});

describePostgres('an alert stream of one gateway while others count too', () => {
  it('tells every alert of the tenant once, in one order for everybody', async () => {
    const { one, other } = await openPair();
    const customers = Array.from({ length: 40 }, (_, i) => `tenant ${i}`);
    await Promise.all(customers.map((referenceId) => register(one, referenceId)));
    const after = await nowOf(one);
    const streams = await Promise.all([one, other].map((gateway) => openAlerts(gateway, { after })));
    await Promise.all(
      customers.flatMap((referenceId, i) => [
        consume(i % 2 ? one : other, referenceId, 'storage', { amount: 80 }),
        consume(i % 2 ? other : one, referenceId, 'storage', { amount: 20 }),
      ]),
    );
    const [here, there] = await Promise.all(streams.map((stream) => stream.take(80)));
    expect(here?.map(idOf)).toEqual(there?.map(idOf));
    expect(new Set(here?.map(idOf)).size).toBe(80);
  });
});
