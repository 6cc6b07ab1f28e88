/** Goal: how many statements a query costs does not depend on how many rows it returns. Method: count them at two sizes. */
import { beforeAll, describe, expect, it } from 'vitest';
import type { Database, Db } from '../../server/db/client.ts';
import { openEmbedded } from '../support/engines.ts';
import { openRig, type Rig } from './rig.ts';

/** A database that counts what is sent to it outside of the engine's transactions. */
function counting(database: Database): { readonly database: Database; readonly count: () => number } {
  let statements = 0;
  const counted = (db: Db): Db =>
    new Proxy(db, {
      get(target, name, receiver) {
        if (name === 'select' || name === 'execute') statements += 1;
        return Reflect.get(target, name, receiver);
      },
    });
  return {
    database: {
      ...database,
      query: (statement) => {
        statements += 1;
        return database.query(statement);
      },
      readAs: (tenantId, work) => database.readAs(tenantId, (db) => work(counted(db))),
    },
    count: () => statements,
  };
}

let rig: Rig;
let count: () => number;

beforeAll(async () => {
  const counter = counting(await openEmbedded());
  rig = await openRig({ database: counter.database });
  count = counter.count;
  const inputs: Record<string, unknown>[] = [];
  for (let i = 0; i < 40; i++) {
    const referenceId = `customer-${String(i).padStart(2, '0')}`;
    await rig.data('mutation ($input: RegisterCustomerInput!) { registerCustomer(input: $input) { __typename } }', {
      input: { referenceId, planKey: 'free' },
    });
    inputs.push({ referenceId, featureKey: 'api_calls', amount: 4 }, { referenceId, featureKey: 'api_calls' });
  }
  await rig.data('mutation ($input: ConsumeManyInput!) { consumeMany(input: $input) { __typename } }', {
    input: { inputs },
  });
});

/** Statements of one operation, and how many rows it was about. */
async function cost(query: string, variables: Record<string, unknown>): Promise<{ statements: number; rows: number }> {
  const before = count();
  const data = await rig.data(query, variables);
  return { statements: count() - before, rows: JSON.stringify(data).split('"row"').length - 1 };
}

const USAGE = 'row: used limit feature { key } thresholds { value }';

describe.each([
  [
    'customers with all there is to them',
    `query ($first: Int!) { customers(first: $first) { nodes {
      row: id plan { key features { featureKey } } usages { used feature { key } } limits { limit planRateLimits { limit } }
    } } }`,
    // Customers; the catalog's version for plans and, as of their reading, for meters; customers and counters for those.
    5,
  ],
  [
    'customers with different parts of their meters',
    `query ($first: Int!) { customers(first: $first) { nodes {
      row: id one: usages(featureKeys: ["api_calls"]) { ${USAGE.replace('row: used', 'used')} } two: usages { used }
    } } }`,
    5,
  ],
  ['alerts', 'query ($first: Int!) { alerts(first: $first) { edges { cursor node { row: id referenceId } } } }', 1],
  ['events', 'query ($first: Int!) { events(first: $first) { nodes { row: id referenceId amount } } }', 1],
  ['features', 'query ($first: Int!) { features(first: $first) { nodes { row: key } } }', 1],
])('%s', (_name, query, statements) => {
  it('cost the same, few or many', async () => {
    expect(await cost(query, { first: 1 })).toEqual({ statements, rows: 1 });
    const many = await cost(query, { first: 40 });
    expect(many.statements).toBe(statements);
    expect(many.rows).toBeGreaterThan(2);
  });
});

it('objects by id cost one statement a type', async () => {
  const page = await rig.data<Record<string, { nodes: { id: string }[] }>>(
    '{ customers(first: 20) { nodes { id } } alerts(first: 20) { nodes { id } } events(first: 20) { nodes { id } } }',
  );
  const ids = Object.values(page).flatMap(({ nodes }) => nodes.map(({ id }) => id));
  expect(ids.length).toBe(60);
  expect(await cost('query ($ids: [ID!]!) { nodes(ids: $ids) { row: id __typename } }', { ids })).toEqual({
    statements: 3,
    rows: 60,
  });
});

it('one meter costs three statements besides the catalog', async () => {
  const query = '{ usage(referenceId: "acme", featureKey: "api_calls") { row: used } }';
  expect(await cost(query, {})).toEqual({ statements: 4, rows: 1 });
});
