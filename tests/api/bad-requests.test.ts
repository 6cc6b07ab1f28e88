/** Goal: what is no proper request is refused at the door, with a code and a sentence, and nothing is written. */
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { text } from 'node:stream/consumers';
import { getIntrospectionQuery } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY } from '../support/gateway.ts';
import { CONSUME, leavingNoTrace, openRig, type Rig, refusalsOf, use } from './rig.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await openRig();
});

const repeated = (count: number, part: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => part(i)).join(' ');
const consumeBody = (extra: Record<string, unknown> = {}): string =>
  JSON.stringify({ query: CONSUME, variables: use(), ...extra });
const query = (text: string): string => JSON.stringify({ query: text });

describe('a body', () => {
  it.each<[what: string, body: string, status: number, code: string, says: RegExp]>([
    ['that is malformed JSON', '{"query": "{ viewer', 400, 'BAD_REQUEST', /JSON/],
    ['that is empty', '', 400, 'BAD_REQUEST', /JSON|body/],
    ['that is null', 'null', 400, 'BAD_REQUEST', /object/],
    ['that is a string', '"{ viewer }"', 400, 'BAD_REQUEST', /object/],
    ['that is a number', '1', 400, 'BAD_REQUEST', /object/],
    ['that is a batch', `[${consumeBody()}]`, 400, 'BAD_REQUEST', /Batching/],
    ['without a query', '{}', 400, 'BAD_REQUEST', /query/],
    ['with a query that is no text', '{"query": 1}', 400, 'BAD_REQUEST', /query/],
    ['with variables that are no object', consumeBody({ variables: 'x' }), 400, 'BAD_REQUEST', /variables/],
    ['with an unknown parameter', consumeBody({ user: 'root' }), 400, 'BAD_REQUEST', /user/],
    [
      'with __proto__ for a parameter',
      `{"__proto__": {"query": 1}, ${consumeBody().slice(1)}`,
      400,
      'BAD_REQUEST',
      /__proto__/,
    ],
    [
      'of more than 1 MB',
      consumeBody({ extensions: { x: 'x'.repeat(1_000_000) } }),
      413,
      'REQUEST_ENTITY_TOO_LARGE',
      /1,000,000 bytes/,
    ],
    ['with a document that does not parse', query('mutation { consume('), 400, 'GRAPHQL_PARSE_FAILED', /Syntax Error/],
    [
      'with two operations and no name',
      query('query A { __typename } query B { __typename }'),
      400,
      'OPERATION_RESOLUTION_FAILURE',
      /operation/,
    ],
    [
      'with an operation name that is none',
      consumeBody({ operationName: 'Nope' }),
      400,
      'OPERATION_RESOLUTION_FAILURE',
      /operation/,
    ],
    ['with an unknown field', query('{ viewer { password } }'), 400, 'GRAPHQL_VALIDATION_FAILED', /password/],
    [
      'with an unknown input field',
      query('mutation { consume(input: { referenceId: "acme", featureKey: "api_calls", free: true }) { __typename } }'),
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /free/,
    ],
    [
      'with an unknown field in a variable',
      consumeBody({ variables: use({ free: true }) }),
      400,
      'BAD_USER_INPUT',
      /\$input.*free/,
    ],
    [
      'with __proto__ in a variable',
      consumeBody().replace('"referenceId"', '"__proto__":{"amount":"5"},"referenceId"'),
      400,
      'BAD_USER_INPUT',
      /__proto__/,
    ],
    ['without a variable that is required', consumeBody({ variables: {} }), 400, 'BAD_USER_INPUT', /\$input/],
    [
      'with a number for a String',
      consumeBody({ variables: use({ referenceId: 5 }) }),
      400,
      'BAD_USER_INPUT',
      /input\.referenceId.*String/,
    ],
    [
      'with a boolean for a Decimal',
      consumeBody({ variables: use({ amount: true }) }),
      400,
      'BAD_USER_INPUT',
      /input\.amount.*Decimal/,
    ],
    [
      'with a list for a Decimal',
      consumeBody({ variables: use({ amount: ['1', '2'] }) }),
      400,
      'BAD_USER_INPUT',
      /input\.amount.*Decimal/,
    ],
    [
      'with an unknown enum value',
      consumeBody({ variables: use({ mode: 'FORCE' }) }),
      400,
      'BAD_USER_INPUT',
      /input\.mode.*ConsumeMode/,
    ],
    [
      'with a text for an Int',
      query('{ customers(first: "1") { nodes { id } } }'),
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /Int/,
    ],
    [
      'with a page size beyond Int',
      query('{ customers(first: 3000000000) { nodes { id } } }'),
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /Int/,
    ],
    ['without a page size', query('{ customers { nodes { id } } }'), 400, 'GRAPHQL_VALIDATION_FAILED', /first/],
    [
      'that is 30 deep',
      query(`{ __type(name: "Query") { ${'... on __Type { ofType { '.repeat(30)} name ${'} }'.repeat(30)} } }`),
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /depth/,
    ],
    [
      'that is 30 deep in introspection',
      query(`{ __schema { types { ${'ofType { '.repeat(30)} name ${'}'.repeat(30)} } } }`),
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /depth/,
    ],
    [
      'that is 30 deep by fragments',
      query(
        `{ __type(name: "Query") { ...F0 } } ${repeated(30, (i) => `fragment F${i} on __Type { ofType { ...F${i + 1} } }`)} fragment F30 on __Type { name }`,
      ),
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /depth/,
    ],
    [
      'with 1,000 aliases',
      query(`{ ${repeated(1_000, (i) => `a${i}:viewer{__typename}`)} }`),
      400,
      'GRAPHQL_PARSE_FAILED',
      /Token limit/,
    ],
    [
      'with 101 aliases',
      query(`{ ${repeated(101, (i) => `a${i}: viewer { __typename }`)} }`),
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /Aliases/,
    ],
    [
      'with 101 aliases in a mutation',
      query(
        `mutation { ${repeated(101, (i) => `a${i}: consume(input: { referenceId: "acme", featureKey: "api_calls" }) { __typename }`)} }`,
      ),
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /Aliases/,
    ],
    [
      'with 101 aliases through fragments',
      query(
        `{ ...F ...G } fragment F on Query { ${repeated(60, (i) => `a${i}: viewer { __typename }`)} } fragment G on Query { ...F ${repeated(1, (i) => `b${i}: viewer { __typename }`)} }`,
      ),
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /Aliases/,
    ],
    [
      'with 60 directives',
      query(`{ viewer { __typename ${'@include(if: true) '.repeat(60)} } }`),
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /irective/,
    ],
    [
      'with a cycle of fragments',
      query('{ viewer { ...A } } fragment A on Viewer { ...B } fragment B on Viewer { ...A }'),
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /within itself/,
    ],
    [
      'with a cycle of fragments nobody spreads',
      query('{ __typename } fragment A on Viewer { ...B } fragment B on Viewer { ...A }'),
      400,
      'GRAPHQL_VALIDATION_FAILED',
      /within itself|never used/,
    ],
    [
      'with a subscription nobody can stream',
      query('subscription { liveUsage { at } }'),
      406,
      'NOT_ACCEPTABLE',
      /text\/event-stream/,
    ],
  ])('%s', async (_, body, status, code, says) => {
    const reply = await leavingNoTrace(rig, () => rig.raw(body));
    expect({ status: reply.status, ...refusalsOf(reply) }).toEqual({
      status,
      codes: [code],
      sentences: expect.stringMatching(says),
    });
    expect(reply.data ?? null).toBeNull();
  });

  it('of more than 1 MB is refused as it comes, without a declared length', async () => {
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull(controller) {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536).fill(32));
        if (sent > 64_000_000) controller.close();
      },
    });
    const request = {
      method: 'POST',
      body: endless,
      duplex: 'half',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}` },
    };
    const answer = await fetch(rig.graphqlUrl, request).then(
      (response) => response.status,
      () => 'cut off',
    );
    expect([413, 'cut off']).toContain(answer);
    expect(sent).toBeLessThan(64_000_000);
  });

  it('that asks for all of the schema is answered: tools begin with it', async () => {
    const everything = { descriptions: true, specifiedByUrl: true, inputValueDeprecation: true, oneOf: true };
    const { data, errors } = await rig.post(getIntrospectionQuery(everything));
    expect(errors).toBeUndefined();
    expect(data).toHaveProperty('__schema.types');
  });

  it('of just under 1 MB is read', async () => {
    const reply = await rig.raw(JSON.stringify({ query: '{ __typename }', extensions: { x: 'x'.repeat(990_000) } }));
    expect(reply.data).toEqual({ __typename: 'Query' });
  });

  it('names the document, not the machine: no error tells where our sources lie', async () => {
    for (const body of ['{"query": "{ viewer', query('{ nope }'), consumeBody({ variables: use({ amount: [] }) })]) {
      const { text } = await rig.raw(body);
      expect(text).not.toMatch(/node_modules|\.ts\b|at .*:\d+:\d+|originalError|"stack"|"http"/);
    }
  });
});

describe('a connection', () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });

  /** Posts as a raw client, over the one connection of `agent`. */
  async function send(body: string, headers: Record<string, string>, path = '/graphql') {
    const all = { 'content-type': 'application/json', authorization: `Bearer ${ADMIN_KEY}`, ...headers };
    const posted = request(new URL(path, rig.url), { method: 'POST', agent, headers: all });
    posted.end(body);
    const [response] = await once(posted, 'response');
    return { status: response.statusCode, headers: response.headers, text: await text(response) };
  }

  it.each(['a b', '['])('that says its host is "%s" is refused, and learns nothing of us', async (host) => {
    const answer = await send(query('{ __typename }'), { host });
    expect(answer.status).toBe(400);
    expect(JSON.parse(answer.text)).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] });
  });

  it('is closed after a body that was not read to its end, so that the next call has a new one', async () => {
    const chunked = { 'transfer-encoding': 'chunked' };
    const tooLarge = await send(JSON.stringify({ query: 'x'.repeat(3_000_000) }), chunked);
    expect(tooLarge).toMatchObject({ status: 413, headers: { connection: 'close' } });
    expect(await send(query('{ __typename }'), chunked)).toMatchObject({ status: 200 });
  });
});
