/**
 * Goal: whoever calls cannot tell which door has answered. Method: two gateways on one database, of which one has only
 * yoga; each request goes to both, and status, headers and body are compared as they came over the wire.
 */
import fc from 'fast-check';
import { getIntrospectionQuery } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { ADMIN_KEY } from '../support/gateway.ts';
import { anyQuery } from './any-query.ts';
import { addTenant, CONSUME, makeKey, makeToken, REGISTER, revokeKey, use, WATCH } from './rig.ts';
import { openTwoDoors, type TwoDoors } from './two-doors.ts';

const LISTED = 'https://app.example';

let doors: TwoDoors;

beforeAll(async () => {
  doors = await openTwoDoors({ corsOrigins: [LISTED] });
  const { fast } = doors;
  for (let i = 0; i < 3; i += 1) await fast.data(CONSUME, use({ amount: i + 1 }));
  await addTenant(fast);
});

const json = (value: unknown): string => JSON.stringify(value);
const repeated = (count: number, part: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => part(i)).join(' ');

const FRAGMENTS = `
  fragment Who on Tenant { name ...Zone }
  fragment Zone on Tenant { timeZone }
  { viewer { __typename tenant { ...Who ... on Tenant { mode name } ... { mode } } } again: viewer { tenant { ...Zone } } }`;

const IF = 'query ($yes: Boolean!) { a: __typename @skip(if: $yes) b: __typename @include(if: $yes) }';

describe('the fast door answers, alike,', () => {
  it.each<[what: string, query: string, more?: Record<string, unknown>]>([
    ['a query', '{ viewer { tenant { name } } }'],
    ['a mutation', CONSUME, { variables: use({ idempotencyKey: 'doors-1', amount: '2.5' }) }],
    ['a mutation with its default', CONSUME, { variables: use({ idempotencyKey: 'doors-2' }) }],
    ['a denial', CONSUME, { variables: use({ idempotencyKey: 'doors-3', featureKey: 'exports', amount: 11 }) }],
    ['an error in a union', CONSUME, { variables: use({ featureKey: 'nope' }) }],
    ['no decimal at all', CONSUME, { variables: use({ amount: 'much' }) }],
    ['two mutations', `mutation { a: ${registering('"a"')} b: ${registering('"b"')} }`],
    [
      'a mutation with its input in the document',
      `mutation { ${registering('"literal", metadata: {a: [1, {b: null}]}')} }`,
    ],
    ['aliases', '{ one: __typename two: __typename }'],
    ['fragments', FRAGMENTS],
    ['nothing that is not skipped', '{ viewer @skip(if: true) { __typename } ... @include(if: false) { __typename } }'],
    ['one field that is skipped here and not there', '{ __typename @skip(if: true) __typename @include(if: true) }'],
    [
      'a mistake in what is skipped',
      '{ customers(first: 1, after: "x") @skip(if: true) { nodes { id } } b: __typename }',
    ],
    [
      'variables that nobody asked for, beside one that a directive asks for',
      'query ($yes: Boolean!) { a: __typename @skip(if: $yes) b: __typename }',
      { variables: { yes: false, no: true, $yes: true, more: { yes: 1 } } },
    ],
    [
      'defaults of variables',
      'query ($n: Int! = 1) { customers(first: $n) { nodes { referenceId } pageInfo { hasNextPage } } }',
    ],
    [
      'a variable that is not given',
      'query ($after: String) { customers(first: 1, after: $after) { nodes { referenceId } } }',
    ],
    [
      'a variable by the name of a method',
      'query ($toString: String) { customers(first: 1, after: $toString) { nodes { referenceId } } }',
    ],
    [
      'a variable by the name of the prototype',
      'query ($__proto__: String) { customers(first: 1, after: $__proto__) { nodes { referenceId } } }',
      { variables: JSON.parse('{"__proto__": "x"}') },
    ],
    ['a variable in a list', 'query ($id: ID!) { nodes(ids: [$id, "x"]) { id } }', { variables: { id: 'y' } }],
    ['one item for a list', 'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { variables: { ids: 'one' } }],
    ['one of several operations', 'query A { a: __typename } query B { b: __typename }', { operationName: 'B' }],
    ['unicode', REGISTER, { variables: { input: { referenceId: 'ünï-🙂-ложь-\u2028' } } }],
    ['introspection', getIntrospectionQuery()],
    ['one type of introspection', '{ __type(name: "Decimal") { name kind } nothing: __type(name: "Nope") { name } }'],
    ['extensions', '{ __typename }', { extensions: { persistedQuery: { version: 1, sha256Hash: 'x' } } }],
    ['nulls for all else', '{ __typename }', { variables: null, operationName: null, extensions: null }],
    ['variables that nobody asked for', '{ __typename }', { variables: { more: [1, 2, 3] } }],
  ])('%s', async (_, query, more) => {
    const { status, isFast } = await doors.ask(query, more);
    expect({ status, isFast }).toEqual({ status: 200, isFast: true });
  });

  it.each([
    '*/*',
    'application/json',
    'application/graphql-response+json',
    'application/graphql-response+json, application/json;q=0.9',
    'application/json, application/graphql-response+json',
    'text/html, application/*',
    'text/event-stream, application/json',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
  ])('to Accept: %s', async (accept) => {
    expect(await doors.ask('{ __typename }', {}, { accept })).toMatchObject({ status: 200, isFast: true });
  });

  it.each(['application/json; charset=utf-8', 'application/json;charset=UTF-8'])(
    'to Content-Type: %s',
    async (type) => {
      expect(await doors.ask('{ __typename }', {}, { 'content-type': type })).toMatchObject({ isFast: true });
    },
  );

  it('a body that comes in pieces, between the bytes of a character, too', async () => {
    const body = Buffer.from(json({ query: REGISTER, variables: { input: { referenceId: 'пополам' } } }));
    await doors.introduce(REGISTER);
    for (const cut of [1, body.indexOf('пополам') + 1, body.length - 1]) {
      const pieces = [body.subarray(0, cut), body.subarray(cut)];
      expect(await doors.send(pieces, { 'content-length': String(body.length) })).toMatchObject({ isFast: true });
    }
  });
});

/** What `@skip` and `@include` are told. */
type Flags = { readonly skip?: boolean; readonly include?: boolean };

describe('what is skipped or included is so alike:', () => {
  const FLAGS: readonly Flags[] = [
    { skip: true },
    { skip: false },
    { include: true },
    { include: false },
    { skip: true, include: true },
    { skip: true, include: false },
    { include: true, skip: false },
    { include: false, skip: false },
  ];

  const FRAGMENT = 'fragment A on Viewer';
  /** Operations with directives in one place; only if that is kept, `kept` is in the answer. */
  const PLACES: readonly (readonly [place: string, kind: string, of: (directives: string) => string])[] = [
    ['a field', 'query', (d) => `{ kept: __typename ${d} b: __typename }`],
    ['a field that has fields', 'query', (d) => `{ kept: viewer ${d} { tenant { name } } }`],
    ['a field in a list', 'query', (d) => `{ customers(first: 2) { nodes { id kept: referenceId ${d} } } }`],
    [
      'a fragment that is spread',
      'query',
      (d) => `{ viewer { ...A ${d} __typename } } ${FRAGMENT} { kept: __typename }`,
    ],
    ['a field of one', 'query', (d) => `{ viewer { ...A } b: viewer { ...A } } ${FRAGMENT} { kept: __typename ${d} }`],
    ['an inline fragment', 'query', (d) => `{ viewer { tenant { ... on Tenant ${d} { kept: name } mode } } }`],
    ['an inline fragment of no type', 'query', (d) => `{ ... ${d} { kept: __typename } b: __typename }`],
    ['a mutation', 'mutation', (d) => `{ kept: ${registering('"a"', d)} b: ${registering('"b"')} }`],
    ['a part of a union', 'mutation', (d) => `{ ${registering('"a"', '', `... on Node ${d} { kept: id }`)} }`],
  ];

  type Declaring = (name: string, value: boolean) => string;
  /** What directives are told by: declared as variables, by the names of the directives, or not. */
  const WAYS: readonly (readonly [way: string, declaring: Declaring | null, areGiven: boolean])[] = [
    ['literals', null, false],
    ['variables', (name) => `$${name}: Boolean!`, true],
    ['defaults', (name, value) => `$${name}: Boolean = ${value}`, false],
    ['variables in place of defaults', (name, value) => `$${name}: Boolean! = ${!value}`, true],
  ];

  const CASES = PLACES.flatMap((place) => WAYS.map((way) => [place[0], way[0], place, way] as const));

  it.each(CASES)('%s, by %s', async (_, __, [, kind, operationOf], [, declaring, areGiven]) => {
    for (const flags of FLAGS) {
      const told = Object.entries(flags);
      const directives = told.map(([name, value]) => `@${name}(if: ${declaring ? `$${name}` : value})`).join(' ');
      const declared = declaring ? `(${told.map(([name, value]) => declaring(name, value)).join()})` : '';
      const query = `${kind} ${declared} ${operationOf(directives)}`;
      const { isFast, text } = await doors.ask(query, areGiven ? { variables: flags } : {});
      const isKept = !flags.skip && flags.include !== false;
      expect({ query, isFast, isKept: text.includes('"kept":') }).toEqual({ query, isFast: true, isKept });
    }
  });
});

function registering(referenceId: string, directives = '', more = ''): string {
  return `registerCustomer(input: { referenceId: ${referenceId} }) ${directives} { ${more} ... on Customer { referenceId } ... on UserError { code message } }`;
}

describe('what is refused is refused alike:', () => {
  it.each<[what: string, body: string, status: number]>([
    ['malformed JSON', '{"query": "{ viewer', 400],
    ['an empty body', '', 400],
    ['null', 'null', 400],
    ['a text', '"{ viewer }"', 400],
    ['a batch', json([{ query: '{ __typename }' }]), 400],
    ['no query', '{}', 400],
    ['an empty query', json({ query: '' }), 400],
    ['a query that is no text', '{"query": 1}', 400],
    ['variables that are no object', json({ query: '{ __typename }', variables: 'x' }), 400],
    ['variables that are a list', json({ query: '{ __typename }', variables: [] }), 400],
    ['extensions that are a text', json({ query: '{ __typename }', extensions: 'x' }), 400],
    ['an unknown parameter', json({ query: '{ __typename }', user: 'root' }), 400],
    ['__proto__ for a parameter', '{"__proto__": {"query": 1}, "query": "{ __typename }"}', 400],
    ['an operation name that is no text', json({ query: '{ __typename }', operationName: 1 }), 400],
    ['an unknown operation name', json({ query: 'query A { __typename }', operationName: 'B' }), 400],
    ['an empty operation name', json({ query: 'query A { __typename }', operationName: '' }), 400],
    ['no name for one of two operations', json({ query: 'query A { __typename } query B { __typename }' }), 400],
    ['a byte order mark', `\uFEFF${json({ query: '{ __typename }' })}`, 400],
    ['more than 1 MB', json({ query: '{ __typename }', extensions: { x: 'x'.repeat(1_000_000) } }), 413],
  ])('%s', async (_, body, status) => {
    await doors.introduce('{ __typename }');
    await doors.introduce('query A { __typename }');
    await doors.introduce('query A { __typename } query B { __typename }');
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      const reply = await doors.send(body, { accept });
      expect([status, 200]).toContain(reply.status); // some are errors of GraphQL, which JSON answers with 200
      expect(reply.text).toContain('"errors"');
      expect(reply.isFast).toBe(false);
    }
  });

  it.each<[what: string, query: string, more?: Record<string, unknown>]>([
    ['syntax', 'mutation { consume('],
    ['an unknown field', '{ viewer { password } }'],
    ['an unknown variable', '{ customers(first: $n) { nodes { id } } }'],
    ['an unknown argument', '{ viewer(id: 1) { __typename } }'],
    ['a wrong type in the document', '{ customers(first: "1") { nodes { id } } }'],
    ['a variable that is required', CONSUME, { variables: {} }],
    ['null for a variable that is required', CONSUME, { variables: { input: null } }],
    ['a list for an input', CONSUME, { variables: { input: [] } }],
    ['a text for an input', CONSUME, { variables: { input: 'x' } }],
    ['an unknown field of a variable', CONSUME, { variables: use({ free: true }) }],
    ['a wrong type in a variable', CONSUME, { variables: use({ referenceId: 5, amount: true, mode: 'FORCE' }) }],
    ['null in a variable', CONSUME, { variables: use({ referenceId: null }) }],
    [
      'null for an argument that is required',
      'query ($n: Int = 1) { customers(first: $n) { nodes { id } } }',
      { variables: { n: null } },
    ],
    ['a page that is too long', '{ customers(first: 100000) { nodes { id } } }'],
    ['30 levels', `{ __schema { types { ${'ofType { '.repeat(30)} name ${'}'.repeat(30)} } } }`],
    ['1,000 aliases', `{ ${repeated(1_000, (i) => `a${i}: __typename`)} }`],
    ['101 aliases', `{ ${repeated(101, (i) => `a${i}: __typename`)} }`],
    ['51 directives', `{ ${repeated(51, (i) => `... @include(if: true) { a${i}: __typename }`)} }`],
    ['a directive that nobody knows', '{ __typename @upper }'],
    ['a directive that belongs elsewhere', '{ __typename @deprecated }'],
    ['a directive of the operation', 'query @skip(if: false) { __typename }'],
    ['a directive twice', '{ __typename @skip(if: false) @skip(if: false) }'],
    ['a directive without its argument', '{ __typename @skip }'],
    ['null for a directive', '{ __typename @skip(if: null) }'],
    ['a text for a directive', '{ __typename @include(if: "true") }'],
    ['an unknown argument of a directive', '{ __typename @include(if: true, unless: false) }'],
    ['an unknown variable of a directive', '{ __typename @include(if: $yes) }'],
    ['a variable that may be null for a directive', 'query ($yes: Boolean) { __typename @skip(if: $yes) }'],
    ['a variable of another type for a directive', 'query ($yes: Int!) { __typename @skip(if: $yes) }'],
    ['a variable of a directive that is not given', IF, { variables: {} }],
    ['null for a variable of a directive', IF, { variables: { yes: null } }],
    ['a text for a variable of a directive', IF, { variables: { yes: 'true' } }],
    [
      'null in place of a default',
      'query ($yes: Boolean = true) { __typename @skip(if: $yes) }',
      { variables: { yes: null } },
    ],
    [
      'null in place of a default, further down and in several places',
      `query ($yes: Boolean = true) {
        a: viewer { tenant { name @skip(if: $yes) } } b: customers(first: 2) { nodes { id @include(if: $yes) } }
      }`,
      { variables: { yes: null } },
    ],
    [
      'null in place of a default, after a mutation',
      `mutation ($yes: Boolean = true) { a: ${registering('"a"')} b: ${registering('"b"', '', '... @skip(if: $yes) { __typename }')} }`,
      { variables: { yes: null } },
    ],
    ['2,001 tokens', `{ ${'__typename '.repeat(2_001)} }`],
    ['fragments that go round', '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }'],
    ['a subscription', WATCH, { variables: { referenceId: 'acme' } }],
  ])('%s', async (_, query, more) => {
    for (const accept of ['application/json', 'application/graphql-response+json']) {
      expect(await doors.ask(query, more, { accept })).toMatchObject({
        isFast: false,
        text: expect.stringContaining('"errors"'),
      });
    }
  });

  it('__proto__ in a variable', async () => {
    await doors.introduce(CONSUME);
    const body = json({ query: CONSUME, variables: use() }).replace(
      '"referenceId"',
      '"__proto__":{"amount":"5"},"referenceId"',
    );
    expect(await doors.send(body)).toMatchObject({ text: expect.stringContaining('__proto__'), isFast: false });
  });
});

describe('who asks is told alike', () => {
  const ask = (authorization: string | undefined, query = '{ viewer { __typename } }', more = {}) =>
    doors.ask(query, more, authorization === undefined ? { authorization: '' } : { authorization });

  it.each([
    ['nobody', undefined],
    ['a malformed header', 'Basic eA=='],
    ['an unknown key', `Bearer mg_live_Nobody00_${'0'.repeat(32)}`],
    ['a wrong secret', `Bearer ${ADMIN_KEY.slice(0, -1)}x`],
    ['no token of ours', 'Bearer nonsense'],
  ])('%s', async (_, authorization) => {
    expect(await ask(authorization)).toMatchObject({ isFast: false, text: expect.stringContaining('UNAUTHENTICATED') });
  });

  it('nobody, of what anybody may ask', async () => {
    expect(await ask(undefined, '{ __typename }')).toMatchObject({ status: 200, isFast: true });
  });

  it('a key without the scope', async () => {
    const { secret } = await makeKey(doors.fast, ['ingest']);
    const refused = await ask(`Bearer ${secret}`, '{ customers(first: 1) { nodes { id } } }');
    expect(refused).toMatchObject({ isFast: false, text: expect.stringContaining('FORBIDDEN') });
  });

  it('a customer token, of its own and of others', async () => {
    const authorization = `Bearer ${await makeToken(doors.fast)}`;
    const usages = 'query ($ref: String!) { customer(referenceId: $ref) { referenceId } }';
    for (const ref of ['acme', 'other', 'nobody']) await ask(authorization, usages, { variables: { ref } });
    expect(await ask(authorization)).toMatchObject({ status: 200, isFast: true });
  });

  it('a key that was revoked', async () => {
    const { secret, keyId } = await makeKey(doors.fast, ['admin']);
    expect(await ask(`Bearer ${secret}`)).toMatchObject({ status: 200, isFast: true });
    await revokeKey(doors.fast, keyId);
    doors.fast.clock.advance(10_000);
    expect(await ask(`Bearer ${secret}`)).toMatchObject({ isFast: false, text: expect.stringContaining('revoked') });
  });
});

describe('what the fast door does not know goes to yoga:', () => {
  const query = '{ __typename }';

  it.each<[what: string, headers: Record<string, string>, method?: string]>([
    ['a page of a listed origin', { origin: LISTED }],
    ['a page of another origin', { origin: 'https://evil.example' }],
    ['a form', { 'content-type': 'application/x-www-form-urlencoded' }],
    ['a text', { 'content-type': 'text/plain' }],
    ['another charset', { 'content-type': 'application/json; charset=latin1' }],
    ['two content types', { 'content-type': 'application/json, text/plain' }],
    ['other case', { 'content-type': 'Application/JSON' }],
    ['a body of unknown length', { 'transfer-encoding': 'chunked' }],
    ['a body that is said to be packed', { 'content-encoding': 'gzip' }],
    ['an event stream', { accept: 'text/event-stream' }],
    ['parts', { accept: 'multipart/mixed' }],
    ['a picture', { accept: 'image/png' }],
    ['another charset in the answer', { accept: 'application/json; charset=latin1' }],
    ['PUT', {}, 'PUT'],
    ['OPTIONS', { origin: LISTED, 'access-control-request-method': 'POST' }, 'OPTIONS'],
    ['HEAD', {}, 'HEAD'],
  ])('%s', async (_, headers, method) => {
    await doors.introduce(query);
    expect((await doors.send(json({ query }), headers, method)).isFast).toBe(false);
  });

  it.each(['/graphql/', '/graphql?query=%7B__typename%7D', '/graphql?x=/health'])('%s', async (path) => {
    await doors.introduce(query);
    expect((await doors.send(json({ query }), {}, 'POST', path)).isFast).toBe(false);
  });
});

describe('a bug', () => {
  it.each([
    ['in a query', '{ viewer { tenant { name } } }', {}],
    [
      'in several places at once',
      '{ a: viewer { tenant { name } } b: customers(first: 1) { nodes { id } } c: viewer { tenant { mode } } }',
      {},
    ],
    [
      'after which others happen too late to be told',
      '{ a: customers(first: 1) { nodes { id } } b: customer(referenceId: "acme") { id } c: plan(key: "pro") { key } }',
      {},
    ],
    ['in the second mutation', `mutation { a: __typename b: ${registering('"x"')} c: ${registering('"y"')} }`, {}],
    ['in what is included', '{ viewer { ... @include(if: true) { tenant { name } } } }', {}],
    ['in a decision', CONSUME, { variables: use() }],
  ])('%s is masked alike', async (_, query, more) => {
    await doors.ask('{ viewer { __typename } }');
    await doors.introduce(query);
    const reply = await doors.broken(() => doors.send(json({ query, ...more })));
    expect(reply).toMatchObject({ isFast: false, text: expect.stringContaining('INTERNAL_SERVER_ERROR') });
  });
});

it('any document of the schema is answered alike', async () => {
  const fast = { all: 0, withDirectives: 0, withVariables: 0 };
  await fc.assert(
    fc.asyncProperty(anyQuery, async ({ query, variables }) => {
      const { isFast } = await doors.ask(query, { variables });
      if (!isFast) return; // an error, which was looked at alike
      fast.all += 1;
      if (query.includes('@')) fast.withDirectives += 1;
      if (query.includes('$')) fast.withVariables += 1;
    }),
    { numRuns: 200 },
  );
  expect(fast.all).toBeGreaterThan(50);
  expect(fast.withDirectives).toBeGreaterThan(20);
  expect(fast.withVariables).toBeGreaterThan(15);
}, 60_000);

it('any Accept is understood alike', async () => {
  const type = fc.constantFrom(
    'application/json',
    'application/graphql-response+json',
    '*/*',
    '*',
    'application/*',
    '*/json',
    'text/html',
    'multipart/mixed',
    'text/event-stream',
    'APPLICATION/json',
    '',
  );
  const parameter = fc.constantFrom('', ';q=0.5', '; charset=utf-8', ';charset=UTF-8', ';charset=latin1', ';');
  const accept = fc
    .array(
      fc.tuple(type, parameter).map((parts) => parts.join('')),
      { maxLength: 4 },
    )
    .map((all) => all.join(', '));
  await doors.introduce('{ __typename }');
  await fc.assert(
    fc.asyncProperty(
      accept,
      async (value) => void (await doors.send(json({ query: '{ __typename }' }), { accept: value })),
    ),
    { numRuns: 150 },
  );
}, 60_000);
