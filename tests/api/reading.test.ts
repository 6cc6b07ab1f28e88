/** Goal: what was written is read back, page by page and by id. Method: a small true past, read in every way. */
import { beforeAll, describe, expect, it } from 'vitest';
import { describeEngines } from '../support/engines.ts';
import { CONSUME, leavingNoTrace, openRig, type Rig, refusalsOf, use } from './rig.ts';

let rig: Rig;

/** In order: what happened to whom, oldest first. */
const PAST = ['acme 1', 'other 2', 'acme 3', 'acme 4', 'other 5', 'acme 6', 'other 7'];

describeEngines('reading', (engine) => {
  beforeAll(async () => {
    rig = await openRig({ database: await engine.open() });
    for (const event of PAST) {
      const [referenceId, amount] = event.split(' ');
      rig.clock.advance(event === 'acme 4' ? 0 : 1_000); // two of them at the same instant
      await rig.data(CONSUME, use({ referenceId, featureKey: 'storage', amount }));
    }
    await rig.data(
      CONSUME,
      use({ featureKey: 'exports', idempotencyKey: 'once', properties: { b: [1, { c: 'x' }], a: 2 } }),
    );
  });

  type Page<T> = {
    readonly nodes: readonly T[];
    readonly edges: readonly { cursor: string; node: T }[];
    readonly pageInfo: {
      hasNextPage: boolean;
      hasPreviousPage: boolean;
      startCursor: string | null;
      endCursor: string | null;
    };
  };

  /** Every page of a list, asked for one after the other. */
  async function pages<T>(field: string, args: string, first: number, fields: string): Promise<readonly Page<T>[]> {
    const query = `query ($first: Int!, $after: String) { list: ${field}(first: $first, after: $after ${args}) {
    nodes { ${fields} } edges { cursor node { ${fields} } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  } }`;
    const all: Page<T>[] = [];
    for (let after: string | null = null; all.length < 20; ) {
      const { list }: { list: Page<T> } = await rig.data(query, { first, after });
      all.push(list);
      after = list.pageInfo.endCursor;
      if (!list.pageInfo.hasNextPage) break;
    }
    return all;
  }

  const NEWEST_FIRST = [...PAST].reverse();
  type EventNode = { referenceId: string; amount: string };

  describe('lists', () => {
    it.each([1, 2, 3, 7, 100])('are read %s at a time without a gap or a double', async (first) => {
      const read = await pages<EventNode>('events', ', featureKey: "storage"', first, 'referenceId amount');
      const events = read.flatMap(({ nodes }) => nodes.map(({ referenceId, amount }) => `${referenceId} ${amount}`));
      expect(events).toEqual(NEWEST_FIRST);
      for (const [i, { nodes, edges, pageInfo }] of read.entries()) {
        expect(edges.map(({ node }) => node)).toEqual(nodes);
        expect(pageInfo).toEqual({
          hasNextPage: i < read.length - 1,
          hasPreviousPage: i > 0,
          startCursor: edges[0]?.cursor,
          endCursor: edges.at(-1)?.cursor,
        });
      }
    });

    it.each([1, 2, 100])("of one customer's events are its own, %s at a time", async (first) => {
      const read = await pages<EventNode>(
        'events',
        ', referenceId: "acme", featureKey: "storage"',
        first,
        'referenceId amount',
      );
      const events = read.flatMap(({ nodes }) => nodes.map(({ referenceId, amount }) => `${referenceId} ${amount}`));
      expect(events).toEqual(NEWEST_FIRST.filter((event) => event.startsWith('acme')));
    });

    it('of customers are by reference', async () => {
      const read = await pages<{ referenceId: string }>('customers', '', 1, 'referenceId');
      expect(read.map(({ nodes }) => nodes.map(({ referenceId }) => referenceId))).toEqual([['acme'], ['other']]);
    });

    it('may be empty', async () => {
      expect(await pages('alerts', '', 5, 'id')).toEqual([
        {
          nodes: [],
          edges: [],
          pageInfo: { hasNextPage: false, hasPreviousPage: false, startCursor: null, endCursor: null },
        },
      ]);
    });

    it('refuse the cursor of another list, or of another customer', async () => {
      const cursors = await rig.data<Record<string, { pageInfo: { endCursor: string } }>>(`{
      customers: customers(first: 1) { pageInfo { endCursor } }
      acme: events(first: 1, referenceId: "acme") { pageInfo { endCursor } }
      events: events(first: 1) { pageInfo { endCursor } }
    }`);
      const ask = async (name: string, args: string) => {
        const query = `query ($after: String) { events(first: 1, after: $after ${args}) { nodes { id } } }`;
        const { errors } = await rig.post(query, { after: cursors[name]?.pageInfo.endCursor });
        return errors?.[0]?.extensions?.code ?? 'fine';
      };
      expect(await ask('events', '')).toBe('fine');
      expect(await ask('acme', ', referenceId: "acme"')).toBe('fine');
      expect(await ask('customers', '')).toBe('INVALID_CURSOR');
      expect(await ask('acme', '')).toBe('INVALID_CURSOR');
      expect(await ask('acme', ', referenceId: "other"')).toBe('INVALID_CURSOR');
      expect(await ask('events', ', referenceId: "acme"')).toBe('INVALID_CURSOR');
    });
  });

  describe('an event', () => {
    it('says what happened', async () => {
      const query = `{ events(first: 1, featureKey: "exports") { nodes {
      referenceId featureKey amount usedAfter idempotencyKey properties occurredAt recordedAt
    } } }`;
      expect(await rig.data(query)).toEqual({
        events: {
          nodes: [
            {
              referenceId: 'acme',
              featureKey: 'exports',
              amount: '1',
              usedAfter: '1',
              idempotencyKey: 'once',
              properties: { a: 2, b: [1, { c: 'x' }] },
              occurredAt: '2026-03-15T12:00:06.000Z',
              recordedAt: '2026-03-15T12:00:06.000Z',
            },
          ],
        },
      });
    });

    it('is the same call with its properties in another order', async () => {
      const again = use({ featureKey: 'exports', idempotencyKey: 'once', properties: { a: 2, b: [1, { c: 'x' }] } });
      expect(await leavingNoTrace(rig, () => rig.data(CONSUME, again))).toMatchObject({ consume: { allowed: true } });
    });
  });

  describe('an object by its id', () => {
    it.each([
      ['Customer', '{ found: customer(referenceId: "acme") { id } }', 'referenceId', 'acme'],
      ['Feature', '{ found: feature(key: "storage") { id } }', 'key', 'storage'],
      ['Plan', '{ found: plan(key: "pro") { id } }', 'key', 'pro'],
    ])('of type %s is found', async (type, query, field, value) => {
      const { found } = await rig.data<{ found: { id: string } }>(query);
      const byId = `query ($id: ID!) { node(id: $id) { __typename id ... on ${type} { ${field} } } }`;
      expect(await rig.data(byId, { id: found.id })).toEqual({
        node: { __typename: type, id: found.id, [field]: value },
      });
    });

    it('or none is, in its place', async () => {
      const { customer } = await rig.data<{ customer: { id: string } }>('{ customer(referenceId: "acme") { id } }');
      const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }';
      const ids = ['', 'nonsense', customer.id, 'Q3VzdG9tZXIgMQ'];
      expect(await rig.data(query, { ids })).toEqual({ nodes: [null, null, { id: customer.id }, null] });
      expect(refusalsOf(await rig.post(query, { ids: Array.from({ length: 101 }, () => 'x') })).codes).toEqual([
        'INVALID_INPUT',
      ]);
    });
  });

  describe('what is not there', () => {
    it.each([
      ['{ usage(referenceId: "nobody", featureKey: "storage") { used } }', 'CUSTOMER_NOT_FOUND', null],
      ['{ usage(referenceId: "acme", featureKey: "storag") { used } }', 'FEATURE_NOT_FOUND', 'storage'],
      ['{ limits(referenceId: "nobody") { limit } }', 'CUSTOMER_NOT_FOUND', null],
    ])('%s is null, with an error that says why', async (query, code, suggestion) => {
      const { data, errors } = await rig.post(query);
      expect(Object.values(data ?? {})).toEqual([null]);
      expect(errors?.[0]?.extensions).toEqual({ code, retryable: false, ...(suggestion && { suggestion }) });
    });

    it.each([
      ['{ events(first: 1, referenceId: "nobody") { nodes { id } } }', 'CUSTOMER_NOT_FOUND'],
      ['{ alerts(first: 1, featureKey: "nothing") { nodes { id } } }', 'FEATURE_NOT_FOUND'],
    ])('%s is an error', async (query, code) => {
      expect(refusalsOf(await rig.post(query)).codes).toEqual([code]);
    });

    it.each([
      ['customer(referenceId: "nobody") { id }'],
      ['feature(key: "nothing") { id }'],
      ['plan(key: "none") { id }'],
    ])('%s is null', async (field) => expect(Object.values(await rig.data(`{ ${field} }`))).toEqual([null]));
  });

  it('one operation that changes and reads hears each time what is true by then', async () => {
    const usages = 'planKey usages(featureKeys: ["api_calls"]) { limit }';
    const query = `mutation {
    one: setCustomerPlan(input: { referenceId: "other", planKey: "free" }) { ... on Customer { ${usages} } }
    two: setCustomerPlan(input: { referenceId: "other", planKey: "pro" }) { ... on Customer { ${usages} } }
  }`;
    expect(await rig.data(query)).toEqual({
      one: { planKey: 'free', usages: [{ limit: '5' }] },
      two: { planKey: 'pro', usages: [{ limit: null }] },
    });
  });
});
