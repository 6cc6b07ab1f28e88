/**
 * Goal: what the entities under a customer have used is answered by the same numbers that the gate decides by, a page at a
 * time, and to whom it belongs. Method: uses and holds through the API, read by every kind of asker, on both databases.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { defineConfig } from '../../server/index.ts';
import { describeEngines } from '../support/engines.ts';
import { addTenant, makeKey, makeToken, openRig, type Rig, refusalsOf } from './rig.ts';

const CONFIG = defineConfig({
  features: {
    messages: { aggregation: 'sum', reset: 'monthly', limit: 20, entityLimit: 6 },
    calls: { aggregation: 'sum', reset: 'monthly', limit: 100 },
    views: { aggregation: 'sum', reset: 'monthly' },
    exports: { aggregation: 'sum', reset: 'monthly', entityLimit: 5 },
  },
  plans: { pro: { features: { messages: {}, calls: {}, views: { entityLimit: 9 } } } },
});

const FIELDS = 'entityId used reserved limit remaining period { start end }';
const LIST = `query ($referenceId: String, $featureKey: String = "messages", $first: Int = 10, $after: String) {
  entityUsages(referenceId: $referenceId, featureKey: $featureKey, first: $first, after: $after) {
    nodes { ${FIELDS} } pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}`;
const ONE = `query ($referenceId: String, $featureKey: String = "messages", $entityId: String = "ann") {
  entityUsage(referenceId: $referenceId, featureKey: $featureKey, entityId: $entityId) { ${FIELDS} }
}`;

type Entity = { readonly entityId: string; readonly used: string };
type List = {
  readonly entityUsages: {
    readonly nodes: readonly Entity[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly hasPreviousPage: boolean; readonly endCursor: string };
  };
};
type One = { readonly entityUsage: Entity };

const MARCH = { start: '2026-03-01T00:00:00.000Z', end: '2026-04-01T00:00:00.000Z' };
const APRIL = { start: '2026-04-01T00:00:00.000Z', end: '2026-05-01T00:00:00.000Z' };

describeEngines('entities', (engine) => {
  let rig: Rig;

  const write = async (verb: 'consume' | 'reserve', entityId: string, amount: number, fields = {}): Promise<void> => {
    const type = verb === 'consume' ? 'Consumption' : 'Reservation';
    const input = { referenceId: 'acme', featureKey: 'messages', entityId, amount, ...fields };
    const answer = await rig.data<Record<string, { allowed: boolean }>>(
      `mutation ($input: ${verb === 'consume' ? 'Consume' : 'Reserve'}Input!) {
        ${verb}(input: $input) { ... on ${type} { allowed } ... on UserError { message } }
      }`,
      { input },
    );
    expect(answer[verb]).toEqual({ allowed: true });
  };
  const list = async (variables: Record<string, unknown>, by: Pick<Rig, 'data'> = rig) =>
    (await by.data<List>(LIST, variables)).entityUsages;
  const one = async (variables: Record<string, unknown>, by: Pick<Rig, 'data'> = rig) =>
    (await by.data<One>(ONE, variables)).entityUsage;

  beforeAll(async () => {
    rig = await openRig({ database: await engine.open(), config: CONFIG });
    await write('consume', 'ann', 4);
    await write('reserve', 'ann', 1);
    await write('consume', 'Zoë', 6);
    await write('consume', 'bob', 5);
    await write('consume', 'ann', 3, { featureKey: 'calls' });
    await write('consume', 'ann', 7, { featureKey: 'views' });
    await write('consume', 'eve', 2, { referenceId: 'other' });
  });

  it('are listed by id, each with what is left to it of its own limit and the shared one', async () => {
    expect(await list({ referenceId: 'acme' })).toEqual({
      nodes: [
        { entityId: 'Zoë', used: '6', reserved: '0', limit: '6', remaining: '0', period: MARCH },
        { entityId: 'ann', used: '4', reserved: '1', limit: '6', remaining: '1', period: MARCH },
        { entityId: 'bob', used: '5', reserved: '0', limit: '6', remaining: '1', period: MARCH },
      ],
      pageInfo: { hasNextPage: false, hasPreviousPage: false, endCursor: expect.any(String) },
    });
  });

  it.each([
    [{ featureKey: 'calls' }, { used: '3', limit: null, remaining: '97' }],
    [{ featureKey: 'views' }, { used: '7', limit: '9', remaining: '2' }],
    [{ featureKey: 'exports' }, { used: '0', limit: '0', remaining: '0' }],
    [{ entityId: 'nobody yet' }, { used: '0', limit: '6', remaining: '4', period: MARCH }],
    [{ entityId: 'ann' }, { used: '4', reserved: '1', remaining: '1' }],
  ])('one alone is answered for: %j is %j', async (variables, says) => {
    expect(await one({ referenceId: 'acme', ...variables })).toMatchObject(says);
  });

  it('without any limit have no end', async () => {
    const input = { referenceId: 'acme', limits: [{ featureKey: 'views', entityLimit: null }] };
    await rig.data(`mutation ($input: SetCustomerLimitsInput!) { setCustomerLimits(input: $input) { __typename } }`, {
      input,
    });
    expect(await one({ referenceId: 'acme', featureKey: 'views' })).toMatchObject({ limit: null, remaining: null });
  });

  it('are paged without a gap or a repetition', async () => {
    const first = await list({ referenceId: 'acme', first: 2 });
    expect(first.nodes.map(({ entityId }) => entityId)).toEqual(['Zoë', 'ann']);
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const rest = await list({ referenceId: 'acme', first: 2, after: first.pageInfo.endCursor });
    expect(rest.nodes.map(({ entityId }) => entityId)).toEqual(['bob']);
    expect(rest.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: true });
    for (const variables of [{ referenceId: 'other' }, { referenceId: 'acme', featureKey: 'calls' }]) {
      const foreign = await rig.post(LIST, { ...variables, after: first.pageInfo.endCursor });
      expect(refusalsOf(foreign).codes).toEqual(['INVALID_CURSOR']);
    }
  });

  it.each([
    [LIST, { referenceId: 'acme', first: 0 }, 'INVALID_INPUT', '`first`'],
    [LIST, { referenceId: 'acme', first: 101 }, 'INVALID_INPUT', '`first`'],
    [LIST, {}, 'INVALID_INPUT', '`referenceId`'],
    [LIST, { referenceId: 'nobody' }, 'CUSTOMER_NOT_FOUND', '"nobody"'],
    [LIST, { referenceId: 'acme', featureKey: 'message' }, 'FEATURE_NOT_FOUND', '"messages"'],
    [LIST, { referenceId: 'acme', after: 'x' }, 'INVALID_CURSOR', '"x"'],
    [ONE, { referenceId: 'nobody' }, 'CUSTOMER_NOT_FOUND', '"nobody"'],
    [ONE, { referenceId: 'acme', featureKey: 'message' }, 'FEATURE_NOT_FOUND', '"messages"'],
    [ONE, { referenceId: 'acme', entityId: '' }, 'INVALID_INPUT', '`entityId` is empty'],
  ])('%s with %j is refused', async (query, variables, code, says) => {
    const { codes, sentences } = refusalsOf(await rig.post(query, variables));
    expect(codes).toEqual([code]);
    expect(sentences).toContain(says);
  });

  describe('are told', () => {
    it('a customer of its own, and of what its token names', async () => {
      const own = rig.as(await makeToken(rig));
      expect(await list({}, own)).toEqual(await list({ referenceId: 'acme' }));
      expect(await one({}, own)).toMatchObject({ entityId: 'ann', used: '4' });
      const narrow = rig.as(await makeToken(rig, { featureKeys: ['calls'] }));
      for (const query of [LIST, ONE]) {
        expect(refusalsOf(await own.post(query, { referenceId: 'other' })).codes).toEqual(['CUSTOMER_NOT_FOUND']);
        expect(refusalsOf(await narrow.post(query)).codes).toEqual(['FEATURE_NOT_FOUND']);
      }
    });

    it('no other tenant, though it has a customer of that name', async () => {
      const stranger = rig.as((await addTenant(rig)).key);
      await stranger.data('mutation { saveFeature(input: { key: "messages", reset: MONTHLY }) { __typename } }');
      for (const query of [LIST, ONE])
        expect(refusalsOf(await stranger.post(query, { referenceId: 'acme' })).codes).toEqual(['CUSTOMER_NOT_FOUND']);
      await stranger.data('mutation { registerCustomer(input: { referenceId: "acme" }) { __typename } }');
      expect((await list({ referenceId: 'acme' }, stranger)).nodes).toEqual([]);
      expect(await one({ referenceId: 'acme' }, stranger)).toMatchObject({ used: '0' });
    });

    it.each([
      ['read', null],
      ['ingest', 'FORBIDDEN'],
      ['nobody', 'UNAUTHENTICATED'],
    ] as const)('%s: %s', async (who, refusal) => {
      const asker = rig.as(who === 'nobody' ? undefined : (await makeKey(rig, [who])).secret);
      for (const query of [LIST, ONE]) {
        const reply = await asker.post(query, { referenceId: 'acme' });
        expect(reply.errors?.map(({ extensions }) => extensions?.code) ?? null).toEqual(refusal && [refusal]);
      }
    });
  });

  it('start again with the customer’s next period', async () => {
    rig.clock.set('2026-04-01T00:00:00Z');
    expect((await list({ referenceId: 'acme' })).nodes).toEqual([]);
    expect(await one({ referenceId: 'acme' })).toEqual({
      ...{ entityId: 'ann', used: '0', reserved: '0', limit: '6', remaining: '6', period: APRIL },
    });
    await write('consume', 'bob', 2);
    expect((await list({ referenceId: 'acme' })).nodes).toEqual([
      { entityId: 'bob', used: '2', reserved: '0', limit: '6', remaining: '4', period: APRIL },
    ]);
  });
});
