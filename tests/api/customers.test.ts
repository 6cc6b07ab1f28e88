/** Goal: customers are registered once whoever asks and however often, and their plan and limits hold from the next call on. */
import { beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../support/clock.ts';
import { describeEngines } from '../support/engines.ts';
import { leavingNoTrace, makeKey, openRig, type Rig } from './rig.ts';

const CUSTOMER = 'referenceId referenceType name email planKey timeZone anchorAt metadata createdAt';
const REGISTER = `mutation ($input: RegisterCustomerInput!) {
  registerCustomer(input: $input) { __typename ... on Customer { ${CUSTOMER} } ... on UserError { code message path } }
}`;
const SET_PLAN = `mutation ($input: SetCustomerPlanInput!) {
  setCustomerPlan(input: $input) { __typename ... on Customer { planKey } ... on UserError { code message path } }
}`;
const PLANS = `query ($referenceId: String!) {
  customer(referenceId: $referenceId) { planKey planVersion plan { key version } pendingPlan { plan { key } at } }
}`;
const SET_LIMITS = `mutation ($input: SetCustomerLimitsInput!) {
  setCustomerLimits(input: $input) {
    __typename
    ... on Customer { limits { feature { key } entitled limit enforcement } }
    ... on UserError { code message path }
    ... on FeatureNotFoundError { suggestion }
  }
}`;
const USAGE = `query ($referenceId: String!, $featureKey: String!) {
  usage(referenceId: $referenceId, featureKey: $featureKey) { planKey entitled used limit remaining cursor period { start } }
}`;

let rig: Rig;
let count = 0;
const fresh = (): string => `customer-${++count}`;

describeEngines('customers', (engine) => {
  beforeAll(async () => {
    rig = await openRig({ database: await engine.open() });
  });

  const register = async (input: Record<string, unknown>) =>
    (await rig.data<{ registerCustomer: Record<string, unknown> }>(REGISTER, { input })).registerCustomer;

  describe('registering', () => {
    it('a customer who says nothing takes the defaults', async () => {
      const referenceId = fresh();
      expect(await register({ referenceId })).toEqual({
        __typename: 'Customer',
        referenceId,
        referenceType: 'user',
        name: null,
        email: null,
        planKey: null,
        timeZone: 'UTC',
        anchorAt: '2026-03-15T12:00:00.000Z',
        metadata: null,
        createdAt: '2026-03-15T12:00:00.000Z',
      });
    });

    it('again changes what is given, keeps what is left out, and clears what is null', async () => {
      const referenceId = fresh();
      const all = {
        referenceId,
        referenceType: 'team',
        name: 'Acme',
        email: 'billing@acme.example',
        planKey: 'free',
        timeZone: 'Europe/Berlin',
        metadata: { seats: 3, tags: ['a', 'b'] },
      };
      expect(await register(all)).toMatchObject(all);
      expect(await register({ referenceId })).toMatchObject(all);
      expect(await register({ referenceId, name: 'Acme Inc' })).toMatchObject({ ...all, name: 'Acme Inc' });
      expect(await register({ referenceId, name: null, email: null, metadata: null })).toMatchObject({
        ...all,
        name: null,
        email: null,
        metadata: null,
      });
    });

    it('does not move the resume point unless limits move', async () => {
      const referenceId = fresh();
      await register({ referenceId, planKey: 'free' });
      const cursor = async () => {
        const read = await rig.data<{ usage: { cursor: string } }>(USAGE, { referenceId, featureKey: 'api_calls' });
        return read.usage.cursor;
      };
      const before = await cursor();
      await register({ referenceId, name: 'Acme', planKey: 'free', timeZone: 'UTC' });
      expect(await cursor()).toBe(before);
      await register({ referenceId, timeZone: 'Asia/Tokyo' });
      expect(await cursor()).not.toBe(before);
    });

    it('at once, by many, makes one', async () => {
      const referenceId = fresh();
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, i) => register({ referenceId, metadata: { [`from${i}`]: true } })),
      );
      expect(new Set(answers.map(({ __typename }) => __typename))).toEqual(new Set(['Customer']));
      const text = 'SELECT count(*)::text AS count FROM customers WHERE reference_id = $1';
      expect(await rig.database.query({ text, params: [referenceId] })).toEqual([{ count: '1' }]);
    });

    it('with a key that only ingests may choose the first plan, not another one', async () => {
      const { secret } = await makeKey(rig, ['ingest']);
      const ingester = rig.as(secret);
      const referenceId = fresh();
      const document = REGISTER.replace('metadata', ''); // which such a key may not read
      for (const input of [
        { referenceId, planKey: 'free' },
        { referenceId, planKey: 'free', name: 'Acme' },
      ]) {
        expect(await ingester.data(document, { input })).toMatchObject({ registerCustomer: input });
      }
      const { errors } = await leavingNoTrace(rig, () =>
        ingester.post(REGISTER, { input: { referenceId, planKey: 'pro' } }),
      );
      expect(errors?.[0]).toMatchObject({
        message: `Customer "${referenceId}" has plan "free" and this key may not change it to "pro": use a key with scope "admin", or leave planKey out.`,
        extensions: { code: 'FORBIDDEN', retryable: false },
      });
    });
  });

  describe('another plan', () => {
    const setPlan = async (input: Record<string, unknown>) =>
      (await rig.data<{ setCustomerPlan: Record<string, unknown> }>(SET_PLAN, { input })).setCustomerPlan;

    it('holds from the next call on', async () => {
      const referenceId = fresh();
      await register({ referenceId, planKey: 'free' });
      const usage = async (featureKey: string) =>
        (await rig.data<{ usage: unknown }>(USAGE, { referenceId, featureKey })).usage;
      expect(await usage('api_calls')).toMatchObject({ planKey: 'free', limit: '5' });
      expect(await usage('storage')).toMatchObject({ entitled: false });
      expect(await setPlan({ referenceId, planKey: 'pro' })).toEqual({ __typename: 'Customer', planKey: 'pro' });
      expect(await usage('api_calls')).toMatchObject({ planKey: 'pro', limit: null, remaining: null });
      expect(await usage('storage')).toMatchObject({ entitled: true, limit: '100', remaining: '100' });
    });

    it('at renewal is waited for, and had from that instant on', async () => {
      const clock = new ManualClock();
      const own = await openRig({ clock });
      const plans = async () => (await own.data<{ customer: unknown }>(PLANS, { referenceId: 'acme' })).customer;
      const pro = { planKey: 'pro', planVersion: 1, plan: { key: 'pro', version: 1 } };
      const input = { referenceId: 'acme', planKey: 'free', effective: 'AT_RENEWAL' };
      expect(await own.data(SET_PLAN, { input })).toMatchObject({ setCustomerPlan: { planKey: 'pro' } });
      const pendingPlan = { plan: { key: 'free' }, at: '2026-04-15T12:00:00.000Z' }; // a month after its registration
      expect(await plans()).toEqual({ ...pro, pendingPlan });
      expect(await own.data(SET_PLAN, { input: { ...input, planKey: 'pro' } })).toMatchObject({
        setCustomerPlan: { planKey: 'pro' },
      });
      expect(await plans()).toEqual({ ...pro, pendingPlan: null }); // called off
      await own.data(SET_PLAN, { input });
      clock.set('2026-04-15T12:00:00Z');
      expect(await plans()).toEqual({
        planKey: 'free',
        planVersion: 1,
        plan: { key: 'free', version: 1 },
        pendingPlan: null,
      });
    });
  });

  describe('alerts', () => {
    const mutes = '... on Customer { mutes { featureKey until } } ... on UserError { code }';

    it('are muted, by feature or all of them, and told again', async () => {
      const referenceId = fresh();
      await register({ referenceId });
      const mute = (fields: string) =>
        rig.data(`mutation { muteAlerts(input: { referenceId: "${referenceId}" ${fields} }) { ${mutes} } }`);
      const until = '2026-03-16T00:00:00.000Z';
      expect(await mute(`featureKey: "api_calls", until: "${until}"`)).toEqual({
        muteAlerts: { mutes: [{ featureKey: 'api_calls', until }] },
      });
      expect(await mute('')).toEqual({
        muteAlerts: {
          mutes: [
            { featureKey: 'api_calls', until },
            { featureKey: null, until: null },
          ],
        },
      });
      const unmute = (fields: string) =>
        rig.data(`mutation { unmuteAlerts(input: { referenceId: "${referenceId}" ${fields} }) { ${mutes} } }`);
      expect(await unmute('featureKey: "api_calls"')).toEqual({
        unmuteAlerts: { mutes: [{ featureKey: null, until: null }] },
      });
      expect(await unmute('')).toEqual({ unmuteAlerts: { mutes: [] } });
    });
  });

  describe('own limits', () => {
    const setLimits = async (referenceId: string, ...limits: Record<string, unknown>[]) =>
      (await rig.data<{ setCustomerLimits: Record<string, unknown> }>(SET_LIMITS, { input: { referenceId, limits } }))
        .setCustomerLimits;
    const entry = (key: string, limit: string | null, entitled = true, enforcement = 'HARD') => ({
      feature: { key },
      entitled,
      limit,
      enforcement,
    });

    it('become exactly what is given, feature by feature', async () => {
      const referenceId = fresh();
      await register({ referenceId, planKey: 'free' });
      expect(await setLimits(referenceId, { featureKey: 'api_calls', limit: '7', enforcement: 'SOFT' })).toEqual({
        __typename: 'Customer',
        limits: [entry('api_calls', '7', true, 'SOFT'), entry('exports', '10', false), entry('storage', null, false)],
      });
      // Another feature: the first keeps its own. Null is unlimited, and naming a feature entitles to it.
      expect(await setLimits(referenceId, { featureKey: 'exports', limit: null })).toMatchObject({
        limits: [entry('api_calls', '7', true, 'SOFT'), entry('exports', null), entry('storage', null, false)],
      });
      expect(await setLimits(referenceId, { featureKey: 'api_calls', limit: 8 })).toMatchObject({
        limits: [entry('api_calls', '8'), entry('exports', null), entry('storage', null, false)],
      });
      expect(await setLimits(referenceId, { featureKey: 'api_calls' }, { featureKey: 'exports' })).toMatchObject({
        limits: [entry('api_calls', '5'), entry('exports', '10', false), entry('storage', null, false)],
      });
    });

    it('are removed by the key alone, as often as it is sent; a value entitles and limits nothing', async () => {
      const referenceId = fresh();
      await register({ referenceId, planKey: 'free' });
      const exportsOf = async (limit: Record<string, unknown>) => {
        const { limits } = await setLimits(referenceId, { featureKey: 'exports', ...limit });
        return (limits as readonly { feature: { key: string } }[]).find(({ feature }) => feature.key === 'exports');
      };
      expect(await exportsOf({})).toEqual(entry('exports', '10', false));
      expect(await exportsOf({ value: true })).toEqual(entry('exports', '10'));
      expect(await exportsOf({ value: true, included: null })).toEqual(entry('exports', '10'));
      expect(await exportsOf({})).toEqual(entry('exports', '10', false));
    });

    it.each([
      [
        [{ featureKey: 'exports' }, { featureKey: 'exports' }],
        ['input', 'limits', '1', 'featureKey'],
      ],
      [
        [{ featureKey: 'exports' }, { featureKey: 'api_calls', limit: 'many' }],
        ['input', 'limits', '1', 'limit'],
      ],
      [[{ featureKey: 'exports', enforcement: null }], ['input', 'limits', '0', 'enforcement']],
      [
        [{ featureKey: 'exports' }, { featureKey: 'api_calls', included: null, minLimit: null }],
        ['input', 'limits', '1', 'included'],
      ],
      [[{ featureKey: 'exports', thresholds: [{ fraction: 11 }] }], ['input', 'limits', '0', 'thresholds', '0']],
    ])('refuse %j', async (limits, path) => {
      const answer = await leavingNoTrace(rig, () => setLimits('acme', ...limits));
      expect(answer).toMatchObject({ code: 'INVALID_INPUT', path });
    });

    it('are woken to', async () => {
      const referenceId = fresh();
      await register({ referenceId, planKey: 'free' });
      const socket = await rig.openWs((await makeKey(rig, ['read'])).secret);
      socket.subscribe(
        'own',
        `subscription { usageChanged(referenceId: "${referenceId}", featureKeys: ["api_calls"]) {
        ... on UsageSnapshot { usages { limit } } ... on UsageDelta { usage { limit } }
      } }`,
      );
      expect(await socket.waitForNext('own')).toEqual({ data: { usageChanged: { usages: [{ limit: '5' }] } } });
      await setLimits(referenceId, { featureKey: 'api_calls', limit: '6' });
      expect(await socket.waitForNext('own')).toEqual({ data: { usageChanged: { usage: { limit: '6' } } } });
    });
  });
});
