/**
 * Goal: whoever calls cannot tell which door has answered. Method: two gateways on one database, of which one has only
 * yoga; each request goes to both, and status, headers and body are compared as they came over the wire.
 */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { getIntrospectionQuery } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY, startGateway, type TestGateway } from '../support/gateway.ts';
import { CONSUME, makeKey, makeToken, openRig, REGISTER, revokeKey, use } from './rig.ts';

let fast: TestGateway;
let yoga: TestGateway;

beforeAll(async () => {
  const rig = await openRig({ corsOrigins: ['https://app.example'] });
  fast = rig;
  const { database, clock } = rig;
  yoga = await startGateway({ database, clock, config: null, corsOrigins: ['https://app.example'], fastDoor: false });
});

type Headers = Readonly<Record<string, string>>;
const agent = new Agent({ keepAlive: true });

/** A reply as it came, but for its date. */
async function send({ graphqlUrl }: TestGateway, body: string | Buffer, headers: Headers, method = 'POST') {
  const all = { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}`, ...headers };
  const sent = request(graphqlUrl, { method, agent, headers: all });
  sent.end(body);
  const [response] = await once(sent, 'response');
  const { date: _, ...rest } = response.headers;
  return { status: response.statusCode, message: response.statusMessage, headers: rest, text: await text(response) };
}

async function fastAnswers(): Promise<number> {
  const metrics = await (await fetch(`${fast.url}/metrics`)).text();
  return Number(/^metergraph_fast_answers_total (\d+)$/m.exec(metrics)?.[1]);
}

/** Has the document known to a gateway, without executing it as a POST: a GET parses whatever it refuses. */
async function introduce(query: string): Promise<void> {
  await (await fetch(`${fast.graphqlUrl}?query=${encodeURIComponent(query)}`)).text();
}

/** Sends a body to both. @returns the reply, which was the same, and whether the fast door gave it. */
async function atBoth(body: string | Buffer, headers: Headers = {}, method = 'POST') {
  const before = await fastAnswers();
  const reply = await send(fast, body, headers, method);
  const isFast = (await fastAnswers()) > before;
  expect(reply).toEqual(await send(yoga, body, headers, method));
  return { ...reply, isFast };
}

async function askBoth(query: string, more: Record<string, unknown> = {}, headers: Headers = {}) {
  await introduce(query);
  return atBoth(JSON.stringify({ query, ...more }), headers);
}

describe('answered by the fast door, alike', () => {
  it.each<[what: string, query: string, more?: Record<string, unknown>]>([
    ['a query', '{ viewer { tenant { name } } }'],
    ['a mutation', CONSUME, { variables: use({ idempotencyKey: 'two-doors-1', amount: '2.5' }) }],
    ['a denial', CONSUME, { variables: use({ idempotencyKey: 'two-doors-2', featureKey: 'exports', amount: 11 }) }],
    ['an error of the union', CONSUME, { variables: use({ featureKey: 'nope' }) }],
    ['two mutations', 'mutation { a: registerCustomer(input: { referenceId: "a" }) { __typename } b: registerCustomer(input: { referenceId: "b" }) { __typename } }'],
    ['aliases', '{ one: __typename two: __typename }'],
    ['fragments', 'fragment T on Tenant { name ...U } fragment U on Tenant { mode } { viewer { tenant { ...T ... on Tenant { id } } } }'],
    ['directives', 'query ($yes: Boolean = true) { a: __typename @skip(if: $yes) b: __typename @include(if: $yes) }'],
    ['defaults of variables', 'query ($first: Int! = 1) { customers(first: $first) { nodes { referenceId } pageInfo { hasNextPage } } }'],
    ['one of several operations', 'query A { a: __typename } query B { b: __typename }', { operationName: 'B' }],
    ['unicode', REGISTER, { variables: { input: { referenceId: 'ünï-🙂-ложь' } } }],
    ['introspection', getIntrospectionQuery()],
    ['extensions', '{ __typename }', { extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } }],
    ['nulls for all else', '{ __typename }', { variables: null, operationName: null, extensions: null }],
  ])('%s', async (_, query, more) => {
    const { status, isFast } = await askBoth(query, more);
    expect({ status, isFast }).toEqual({ status: 200, isFast: true });
  });
});
