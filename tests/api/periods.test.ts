/**
 * Goal: what each period of a meter came to can be read back, what paid for it and whether it is final, a page at a time,
 * by whom it belongs to. Method: three months of use through the API by a clock that is moved by hand, on both databases.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { defineConfig } from '../../server/index.ts';
import { describeEngines } from '../support/engines.ts';
import { addTenant, makeKey, makeToken, openRig, type Rig, refusalsOf } from './rig.ts';

const CONFIG = defineConfig({
  features: {
    tokens: { aggregation: 'sum', reset: 'monthly', included: 10, price: { unitAmount: 2, currency: 'eur' } },
    calls: { aggregation: 'sum', reset: 'monthly', limit: 100, included: 3, entityLimit: 50 },
    storage: { aggregation: 'weighted_sum', reset: 'monthly', price: { unitAmount: 3 } },
    seats: { aggregation: 'latest', reset: 'never' },
  },
  plans: { pro: { features: { tokens: {}, calls: { credits: { allocation: 5 } }, storage: {}, seats: {} } } },
});

const PERIODS = `query ($referenceId: String, $featureKey: String = "tokens", $first: Int = 10, $after: String) {
  usagePeriods(referenceId: $referenceId, featureKey: $featureKey, first: $first, after: $after) {
    nodes {
      period { start end } used reserved included credits wallet overage cost { amount currency } closedAt correctedAt
    }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}`;

type Periods = {
  readonly usagePeriods: {
    readonly nodes: readonly { readonly period: { readonly start: string }; readonly used: string }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean; readonly endCursor: string };
  };
};

const instant = (date: string): string => `${date}T00:00:00.000Z`;
const MARCH = { start: instant('2026-03-01'), end: instant('2026-04-01') };
const APRIL = { start: instant('2026-04-01'), end: instant('2026-05-01') };
const MAY = { start: instant('2026-05-01'), end: instant('2026-06-01') };
const NOTHING = { reserved: '0', included: '0', credits: '0', wallet: '0', overage: '0', cost: null };
const OPEN = { closedAt: null, correctedAt: null };

describeEngines('periods', (engine) => {
  let rig: Rig;

  const write = async (verb: string, fields: Record<string, unknown>): Promise<void> => {
    const type = `${verb.charAt(0).toUpperCase()}${verb.slice(1)}Input`;
    const input = { referenceId: 'acme', ...fields };
    const document = `mutation ($input: ${type}!) { ${verb}(input: $input) { __typename ... on UserError { message } } }`;
    const answer = await rig.data<Record<string, Record<string, unknown>>>(document, { input });
    expect(answer[verb]).not.toHaveProperty('message');
  };
  const list = async (variables: Record<string, unknown>, by: Pick<Rig, 'data'> = rig) =>
    (await by.data<Periods>(PERIODS, variables)).usagePeriods;
  const periods = async (featureKey: string) => (await list({ referenceId: 'acme', featureKey })).nodes;

  beforeAll(async () => {
    rig = await openRig({ database: await engine.open(), config: CONFIG });
    await write('topUpWallet', { amount: 4, currency: 'eur' });
    await write('consume', { featureKey: 'tokens', amount: 15 }); // 10 included, 2 by the wallet, 3 billed
    await write('consume', { featureKey: 'calls', amount: 8, entityId: 'ann' }); // an entity's counter is no period
    await write('consume', { featureKey: 'seats', amount: 3 });
    await write('consume', { referenceId: 'other', featureKey: 'tokens', amount: 1 });
    rig.clock.set('2026-04-02T00:00:00Z');
    await write('consume', { featureKey: 'tokens', amount: 1 });
    rig.clock.set('2026-05-02T00:00:00Z');
    await write('consume', { featureKey: 'tokens', amount: 2 });
    await write('reserve', { featureKey: 'tokens', amount: 12 });
    rig.clock.set('2026-05-03T00:00:00Z');
    await write('recordUsage', { featureKey: 'tokens', amount: 4, timestamp: '2026-04-15T00:00:00Z' });
  });

  it('are told newest first, with what paid for them, when they were closed and when corrected', async () => {
    expect(await list({ referenceId: 'acme' })).toEqual({
      nodes: [
        {
          ...NOTHING,
          ...OPEN,
          ...{ period: MAY, used: '2', reserved: '0', included: '2' }, // the hold was over on the next day
        },
        {
          ...NOTHING,
          ...{ period: APRIL, used: '5', included: '5' },
          ...{ closedAt: instant('2026-05-02'), correctedAt: instant('2026-05-03') },
        },
        {
          ...{ period: MARCH, used: '15', reserved: '0', included: '10', credits: '0', wallet: '2', overage: '3' },
          cost: { amount: '10', currency: 'eur' },
          ...{ closedAt: instant('2026-04-02'), correctedAt: null },
        },
      ],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, endCursor: expect.any(String) },
    });
  });

  it('hold what is reserved, and price it like use', async () => {
    await write('reserve', { featureKey: 'tokens', amount: 12 });
    const [may] = await periods('tokens');
    expect(may).toMatchObject({ used: '2', reserved: '12', included: '10', overage: '4' });
    expect(may).toMatchObject({ cost: { amount: '8', currency: 'eur' } });
  });

  it('say what credits paid, and leave out entities', async () => {
    expect(await periods('calls')).toEqual([
      {
        ...NOTHING,
        ...{ period: MARCH, used: '8', included: '3', credits: '5' },
        closedAt: instant('2026-04-02'),
        correctedAt: null,
      },
    ]);
  });

  it('that never end are never closed', async () => {
    const [only, ...rest] = await periods('seats');
    expect(rest).toEqual([]);
    expect(only).toMatchObject({ ...OPEN, period: { end: null }, used: '3' });
  });

  it('into which a level was carried are priced in the currency of that', async () => {
    await write('consume', { featureKey: 'storage', amount: 31 });
    rig.clock.set('2026-06-01T00:00:00Z');
    await write('consume', { featureKey: 'calls' });
    const [june] = await periods('storage');
    expect(june).toMatchObject({ period: { start: instant('2026-06-01') }, used: '31' });
    expect(june).toMatchObject({ overage: '31', cost: { amount: '93', currency: 'usd' } });
  });

  it('are paged without a gap or a repetition', async () => {
    const first = await list({ referenceId: 'acme', first: 2 });
    expect(first.nodes.map(({ period }) => period)).toEqual([MAY, APRIL]);
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const rest = await list({ referenceId: 'acme', first: 2, after: first.pageInfo.endCursor });
    expect(rest.nodes.map(({ period }) => period)).toEqual([MARCH]);
    expect(rest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    for (const variables of [{ referenceId: 'other' }, { referenceId: 'acme', featureKey: 'calls' }]) {
      const foreign = await rig.post(PERIODS, { ...variables, after: first.pageInfo.endCursor });
      expect(refusalsOf(foreign).codes).toEqual(['INVALID_CURSOR']);
    }
  });

  it.each([
    [{ referenceId: 'acme', first: 0 }, 'INVALID_INPUT', '`first`'],
    [{ referenceId: 'acme', first: 101 }, 'INVALID_INPUT', '`first`'],
    [{}, 'INVALID_INPUT', '`referenceId`'],
    [{ referenceId: 'nobody' }, 'CUSTOMER_NOT_FOUND', '"nobody"'],
    [{ referenceId: 'acme', featureKey: 'token' }, 'FEATURE_NOT_FOUND', '"tokens"'],
    [{ referenceId: 'acme', after: 'x' }, 'INVALID_CURSOR', '"x"'],
  ])('for %j are refused', async (variables, code, says) => {
    const { codes, sentences } = refusalsOf(await rig.post(PERIODS, variables));
    expect(codes).toEqual([code]);
    expect(sentences).toContain(says);
  });

  describe('are told', () => {
    it('a customer of its own, and of what its token names', async () => {
      const own = rig.as(await makeToken(rig));
      expect(await list({}, own)).toEqual(await list({ referenceId: 'acme' }));
      expect(refusalsOf(await own.post(PERIODS, { referenceId: 'other' })).codes).toEqual(['CUSTOMER_NOT_FOUND']);
      const narrow = rig.as(await makeToken(rig, { featureKeys: ['calls'] }));
      expect(refusalsOf(await narrow.post(PERIODS)).codes).toEqual(['FEATURE_NOT_FOUND']);
    });

    it('no other tenant, though it has a customer of that name', async () => {
      const stranger = rig.as((await addTenant(rig)).key);
      await stranger.data('mutation { saveFeature(input: { key: "tokens", reset: MONTHLY }) { __typename } }');
      expect(refusalsOf(await stranger.post(PERIODS, { referenceId: 'acme' })).codes).toEqual(['CUSTOMER_NOT_FOUND']);
      await stranger.data('mutation { registerCustomer(input: { referenceId: "acme" }) { __typename } }');
      expect((await list({ referenceId: 'acme' }, stranger)).nodes).toEqual([]);
    });

    it.each([
      ['read', null],
      ['ingest', 'FORBIDDEN'],
      ['nobody', 'UNAUTHENTICATED'],
    ] as const)('%s: %s', async (who, refusal) => {
      const asker = rig.as(who === 'nobody' ? undefined : (await makeKey(rig, [who])).secret);
      const { errors } = await asker.post(PERIODS, { referenceId: 'acme' });
      expect(errors?.map(({ extensions }) => extensions?.code) ?? null).toEqual(refusal && [refusal]);
    });
  });
});
