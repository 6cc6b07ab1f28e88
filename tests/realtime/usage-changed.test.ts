/**
 * Goal: a usage stream begins with the whole state and goes on with every change, whatever changes it: use, limits,
 * plans, features, or time. Method: raw streams over both ways on a real gateway, read item by item.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import {
  consume,
  consumeMany,
  cursorOf,
  openRig,
  openUsage,
  type Rig,
  register,
  spellItem,
  tokenOf,
  truthOf,
  WAYS,
} from './rig.ts';

describe.each(WAYS)('a usage stream over %s', (way) => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig();
  });

  it('begins with a snapshot and goes on with each change', async () => {
    await register(rig, 'acme');
    await consume(rig, 'acme', 'api_calls', { amount: 3 });
    const stream = await openUsage(rig, { referenceId: 'acme' }, { way });
    expect(spellItem(await stream.next())).toBe('snapshot api_calls 3/∞, exports 0/10, storage 0/100');
    await consume(rig, 'acme', 'api_calls');
    expect(spellItem(await stream.next())).toBe('api_calls 4/∞');
    await consume(rig, 'acme', 'storage', { amount: '0.5' });
    expect(spellItem(await stream.next())).toBe('storage 0.5/100');
    await consume(rig, 'acme', 'storage', { amount: '-0.25' });
    expect(spellItem(await stream.next())).toBe('storage 0.25/100');
  });

  it('tells only of the meters that were asked for', async () => {
    await register(rig, 'chosen');
    const stream = await openUsage(rig, { referenceId: 'chosen', featureKeys: ['storage'] }, { way });
    expect(spellItem(await stream.next())).toBe('snapshot storage 0/100');
    await consume(rig, 'chosen', 'api_calls');
    await consume(rig, 'chosen', 'storage');
    expect(spellItem(await stream.next())).toBe('storage 1/100');
  });

  it('shows a customer its own, of the features that its token names', async () => {
    await register(rig, 'token');
    const key = await tokenOf(rig, 'token', { featureKeys: ['api_calls', 'storage'] });
    const all = await openUsage(rig, {}, { way, key });
    const one = await openUsage(rig, { featureKeys: ['storage'] }, { way, key });
    expect(spellItem(await all.next())).toBe('snapshot api_calls 0/∞, storage 0/100');
    expect(spellItem(await one.next())).toBe('snapshot storage 0/100');
    for (const featureKey of ['exports', 'api_calls', 'storage']) await consume(rig, 'token', featureKey);
    expect((await all.take(2)).map(spellItem)).toEqual(['api_calls 1/∞', 'storage 1/100']);
    expect(spellItem(await one.next())).toBe('storage 1/100');
  });

  it('resumes after a cursor with what was missed, and after the newest with nothing', async () => {
    await register(rig, 'resumed');
    const first = await openUsage(rig, { referenceId: 'resumed' }, { way });
    const after = cursorOf(await first.next());
    first.cut();
    await consume(rig, 'resumed', 'api_calls');
    await consume(rig, 'resumed', 'exports');
    await consume(rig, 'resumed', 'api_calls');
    const second = await openUsage(rig, { referenceId: 'resumed', after }, { way });
    const missed = await second.take(2);
    expect(missed.map(spellItem)).toEqual(['api_calls 2/∞', 'exports 1/10']);
    second.cut();
    const third = await openUsage(rig, { referenceId: 'resumed', after: cursorOf(missed[0]) }, { way });
    expect((await third.take(2)).map(spellItem)).toEqual(['api_calls 2/∞', 'exports 1/10']);
    const fourth = await openUsage(rig, { referenceId: 'resumed', after: cursorOf(missed[1]) }, { way });
    const { usage } = await consume(rig, 'resumed', 'storage');
    expect(spellItem(await fourth.next())).toBe('storage 1/100');
    const fifth = await openUsage(rig, { referenceId: 'resumed', after: usage.cursor }, { way }); // of an answer
    await consume(rig, 'resumed', 'storage');
    expect(spellItem(await fifth.next())).toBe('storage 2/100');
  });

  it.each([
    ['of another customer', 'CUSTOMER'],
    ['of an alert', 'ALERT'],
    ['that is no cursor', 'bm90IGEgY3Vyc29y'],
    ['that is empty', ''],
    ['that is long', 'A'.repeat(5_000)],
  ])('refuses a cursor %s', async (_, what) => {
    await register(rig, 'strict');
    await register(rig, 'stranger');
    const foreign = await consume(rig, 'stranger', 'storage', { amount: 80 });
    const cursors: Record<string, string | undefined> = {
      CUSTOMER: foreign.usage.cursor,
      ALERT: foreign.alerts[0]?.cursor,
    };
    const after = cursors[what] ?? what;
    const stream = await openUsage(rig, { referenceId: 'strict', after }, { way });
    await expect(stream.next()).rejects.toThrow('INVALID_CURSOR');
    await consume(rig, 'stranger', 'storage', { amount: -80 });
  });

  it.each([
    [{ referenceId: 'nobody' }, 'CUSTOMER_NOT_FOUND'],
    [{}, 'INVALID_INPUT'],
    [{ referenceId: 'strict', featureKeys: ['storage', 'storrage'] }, 'FEATURE_NOT_FOUND'],
  ])('refuses %j', async (asked, code) => {
    const stream = await openUsage(rig, asked, { way });
    await expect(stream.next()).rejects.toThrow(code);
  });
});

describe('a usage stream', () => {
  let rig: Rig;
  beforeAll(async () => {
    rig = await openRig({ pollIntervalMs: 50, engine: { batchSizeMax: 1_000 } });
  });

  it.each([
    ['setCustomerPlan', 'setCustomerPlan(input: { referenceId: $id, planKey: "free" })', 'api_calls 2/5'],
    [
      'setCustomerLimits',
      'setCustomerLimits(input: { referenceId: $id, limits: [{ featureKey: "api_calls", limit: 7 }] })',
      'api_calls 2/7',
    ],
    ['registerCustomer', 'registerCustomer(input: { referenceId: $id, planKey: "free" })', 'api_calls 2/5'],
    [
      'savePlan',
      'savePlan(input: { key: "team", existingCustomers: MOVE, features: [{ featureKey: "api_calls", limit: 9 }] })',
      'api_calls 2/9',
    ],
    [
      'saveFeature',
      'saveFeature(input: { key: "storage", displayName: "Storage", unit: "GB", reset: NEVER, minLimit: 0, limit: 12 })',
      'storage 0/12',
    ],
  ])('tells of the new limit at once after %s', async (name, mutation, told) => {
    await rig.data(
      'mutation { savePlan(input: { key: "team", existingCustomers: MOVE, features: [{ featureKey: "api_calls" }, { featureKey: "storage" }] }) { __typename } }',
    );
    await register(rig, name, 'team');
    await consume(rig, name, 'api_calls', { amount: 2 });
    const stream = await openUsage(rig, { referenceId: name });
    const one = await openUsage(rig, { referenceId: name, featureKeys: [told.split(' ')[0] ?? ''] });
    await Promise.all([stream.next(), one.next()]);
    const id = mutation.includes('$id') ? '($id: String!)' : '';
    expect(await rig.data(`mutation ${id} { changed: ${mutation} { __typename } }`, { id: name })).not.toMatchObject({
      changed: { __typename: expect.stringContaining('Error') },
    });
    const items = [spellItem(await stream.next())];
    while (!items.includes(told)) items.push(spellItem(await stream.next()));
    expect(spellItem(await one.next())).toBe(told);
  });

  it('shows the own plan’s limit also after a call that names another plan for itself', async () => {
    await register(rig, 'override', 'free');
    const stream = await openUsage(rig, { referenceId: 'override' });
    await stream.next();
    await consume(rig, 'override', 'api_calls', { overrideKey: 'pro' });
    const item = await stream.next();
    expect(item).toMatchObject({ usage: (await truthOf(rig, 'override')).api_calls });
  });

  it('gives a reader who stayed away the newest state, once', async () => {
    await register(rig, 'away');
    const stream = await openUsage(rig, { referenceId: 'away' });
    await stream.next();
    await consumeMany(
      rig,
      Array.from({ length: 500 }, () => ({ referenceId: 'away', featureKey: 'api_calls' })),
    );
    expect(spellItem(await stream.next())).toBe('api_calls 500/∞'); // one batch, one item
  });

  it('drops to 0 by itself when a period has ended', async () => {
    await register(rig, 'ends');
    await consume(rig, 'ends', 'exports', { amount: 1 });
    const early = await openUsage(rig, { referenceId: 'ends', featureKeys: ['storage'] });
    await early.next();
    const stream = await openUsage(rig, { referenceId: 'ends' });
    await stream.next();
    rig.clock.set('2026-03-16T00:00:00Z');
    expect(spellItem(await stream.next())).toBe('exports 0/10');
    await consume(rig, 'ends', 'api_calls');
    expect(spellItem(await stream.next())).toBe('api_calls 1/∞');
    rig.clock.set('2026-04-01T00:00:00Z');
    const ended = await stream.take(2);
    expect(ended.map(spellItem).sort()).toEqual(['api_calls 0/∞', 'exports 0/10']);
    expect(ended).toMatchObject([{ usage: { period: { start: '2026-04-01T00:00:00.000Z' } } }, {}]);
    const resumed = await openUsage(rig, { referenceId: 'ends', after: cursorOf(ended[1]) });
    await consume(rig, 'ends', 'storage');
    expect(spellItem(await resumed.next())).toBe('storage 1/100'); // nothing was told twice
    expect(spellItem(await early.next())).toBe('storage 1/100'); // nor did this reader hear of the others
  });

  it('says that a cursor has expired, and begins anew', async () => {
    await register(rig, 'old');
    const { usage } = await consume(rig, 'old', 'storage');
    rig.clock.advance(36 * 24 * 3_600_000);
    const stream = await openUsage(rig, { referenceId: 'old', after: usage.cursor });
    expect((await stream.take(2)).map(spellItem)).toEqual([
      'expired',
      'snapshot api_calls 0/∞, exports 0/10, storage 1/100',
    ]);
  });

  it('keeps the cursor of a long stream as young as its last item', async () => {
    await register(rig, 'long');
    const asked = { referenceId: 'long', featureKeys: ['storage'] };
    const stream = await openUsage(rig, asked);
    let after = cursorOf(await stream.next());
    for (let week = 1; week <= 6; week++) {
      rig.clock.advance(7 * 24 * 3_600_000);
      await consume(rig, 'long', 'storage');
      after = cursorOf(await stream.next());
    }
    stream.cut();
    await consume(rig, 'long', 'storage');
    const resumed = await openUsage(rig, { ...asked, after });
    expect(spellItem(await resumed.next())).toBe('storage 7/100');
  });

  it('says that a cursor is of no use that is ahead of the database', async () => {
    await register(rig, 'restored');
    const { usage } = await consume(rig, 'restored', 'storage');
    // As after a backup was restored: the customer is behind what its clients have heard.
    await rig.database.query({ text: `UPDATE customers SET sequence = 0 WHERE reference_id = 'restored'`, params: [] });
    const stream = await openUsage(rig, { referenceId: 'restored', after: usage.cursor });
    expect((await stream.take(2)).map(({ __typename }) => __typename)).toEqual(['CursorExpired', 'UsageSnapshot']);
  });
});
