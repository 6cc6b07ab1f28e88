/**
 * Goal: a plan gives what executing the document gives, whatever goes wrong: data, errors and their order, and which
 * resolvers are called. Method: a schema in which everything goes wrong, and yoga's own executor beside.
 */
import { buildSchema, type ExecutionResult, type GraphQLSchema, Kind, parse } from 'graphql';
import { createYoga } from 'graphql-yoga';
import { expect, it } from 'vitest';
import { type Readers, type Variables, variablesReader, WRONG } from './coerce-input.ts';
import { executePlan } from './execute.ts';
import { Plan } from './plan.ts';

const SDL = `
  enum Mode { FAST SLOW }
  input Range { from: Int! to: Int = 9 modes: [Mode!] = [FAST] next: Range }
  interface Named { name: String }
  type Cat implements Named { name: String! lives: Int }
  type Dog implements Named { name: String barks: Boolean! }
  union Pet = Cat | Dog
  type Deep { late: String! soon: String! here: String! maybe: String deep: Deep pets: [Pet!] strict: [Int!]! mixed: [Int!] loose: [Int] }
  type Query {
    deep: Deep
    pets: [Pet]!
    named(kind: String = "Cat"): Named
    echo(range: Range, times: Int! = 2, text: String): String
    method: Deep
    value: Deep
    needed: String!
    failing: Int
    several: Int
    text: Int
    noList: [Int]
  }
  type Mutation { first: String! second: String! maybe: String }
`;

const fail = (message: string): never => {
  throw new Error(message);
};
const later = async <T>(hops: number, value: () => T): Promise<T> => {
  for (let i = 0; i < hops; i += 1) await null;
  return value();
};

/** Logs what it is asked for. */
function createSchema(log: string[]): GraphQLSchema {
  const schema = buildSchema(SDL);
  const resolve = (type: string, resolvers: Record<string, (args: object) => unknown>) => {
    const found = schema.getType(type);
    if (!found || !('getFields' in found)) throw new Error(`no type ${type}`);
    const fields = found.getFields();
    for (const [name, resolver] of Object.entries(resolvers)) {
      const field = fields[name];
      if (!field || !('args' in field)) throw new Error(`no field ${name}`);
      field.resolve = (_source: unknown, args: object, _context: unknown, info: { path: { key: string | number } }) => {
        log.push(`${type}.${info.path.key}`);
        return resolver(args);
      };
    }
  };
  resolve('Deep', {
    late: () => later(3, () => fail('late')),
    soon: () => later(1, () => fail('soon')),
    here: () => fail('here'),
    maybe: () => later(2, () => fail('maybe')),
    deep: () => ({}),
    pets: () => [{ __typename: 'Cat', name: 'Tom' }, later(1, () => ({ __typename: 'Dog' }))],
    strict: () => [1, later(1, () => 2), later(2, () => null)],
    mixed: () => [later(1, () => fail('an item')), null],
    loose: () => [1, new Error('an item'), later(1, () => fail('a late item')), 'x'],
  });
  resolve('Query', {
    deep: () => ({}),
    pets: () => [{ __typename: 'Cat' }, later(2, () => ({ __typename: 'Dog', name: 'Rex', barks: true })), null],
    named: (args) => ({ __typename: 'kind' in args ? args.kind : '', name: 'x' }),
    echo: (args) => JSON.stringify(args),
    method: () => ({ late: () => 'called', soon: later(1, () => 'promised'), here: 'h', maybe: undefined }),
    value: () => new Error('a value'),
    needed: () => later(1, () => null),
    failing: () => fail('failing'),
    several: () => later(1, () => Promise.reject(new AggregateError([new Error('one'), new Error('two')]))),
    text: () => Promise.reject('only a text'),
    noList: () => 5,
  });
  resolve('Mutation', {
    first: () => later(2, () => fail('first')),
    second: () => 'second',
    maybe: () => later(2, () => fail('maybe')),
  });
  return schema;
}

type Outcome = { readonly said: string; readonly asked: readonly string[] };

const said = ({ data, errors }: ExecutionResult): string => JSON.stringify({ data, errors });

async function byExecutor(query: string, variableValues: Variables): Promise<Outcome> {
  const asked: string[] = [];
  const schema = createSchema(asked);
  const { execute } = createYoga({ schema, maskedErrors: false, logging: false }).getEnveloped({});
  return { said: said(await execute({ schema, document: parse(query), variableValues, contextValue: {} })), asked };
}

async function byPlan(query: string, given: Variables): Promise<Outcome | null> {
  const asked: string[] = [];
  const schema = createSchema(asked);
  const { definitions } = parse(query);
  const operation = definitions.find((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  const rootType = operation && schema.getRootType(operation.operation);
  if (!operation || !rootType) throw new Error('nothing to execute');
  const named = definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  const fragments = Object.fromEntries(named.map((fragment) => [fragment.name.value, fragment]));
  const plan = new Plan({
    schema,
    operation,
    fragments,
    rootType,
    fieldsMax: Number.POSITIVE_INFINITY,
    onTooLarge: () => {},
  });
  const variables = variablesReader(schema, operation.variableDefinitions ?? [], new Map())?.(given) ?? WRONG;
  if (variables === WRONG) return null;
  await executePlan(plan, variables, {}); // what is remembered of the first time is used the second
  asked.length = 0;
  return { said: said(await executePlan(plan, variables, {})), asked };
}

it.each([
  '{ __typename deep { __typename maybe } }',
  '{ deep { late soon } }',
  '{ deep { soon late } failing }',
  '{ deep { late here soon } }',
  '{ deep { maybe here } }',
  '{ a: deep { late } b: deep { soon } c: deep { maybe } }',
  '{ deep { deep { deep { soon } maybe } late } failing }',
  '{ deep { pets { ... on Cat { name lives } ... on Dog { name barks } } } }',
  '{ deep { strict } }',
  '{ deep { loose } }',
  '{ pets { __typename ... on Named { name } ... on Dog { barks } } }',
  '{ named { name ... on Cat { lives } } dog: named(kind: "Dog") { __typename name } }',
  '{ method { late soon here maybe } }',
  '{ value { here } needed }',
  '{ needed deep { maybe } }',
  '{ deep { maybe } needed }',
  '{ failing several }',
  '{ noList failing }',
  '{ ...A failing } fragment A on Query { deep { ...B } ...A2 } fragment A2 on Query { deep { here } } fragment B on Deep { maybe }',
  '{ echo a: echo(text: null) b: echo(times: 1, text: "x", range: { from: 1 }) }',
  '{ __type(name: "Cat") { name fields { name type { kind ofType { name } } } } __schema { queryType { name } } }',
  'mutation { first second maybe }',
  'mutation { second first maybe }',
  'mutation { maybe second a: maybe }',
  'mutation { a: second b: second }',
])('%s', async (query) => {
  expect(await byPlan(query, {})).toEqual(await byExecutor(query, {}));
});

it('leaves no rejection behind where one item fails at once and another later', async () => {
  const outcome = await byPlan('{ deep { mixed } }', {}); // yoga's executor ends the process here
  expect(outcome?.said).toContain('"data":{"deep":{"mixed":null}},"errors":[{"message":"Cannot return null');
});

const ECHO =
  'query ($range: Range, $times: Int = 3, $text: String) { echo(range: $range, times: $times, text: $text) }';

it.each<[variables: Variables]>([
  [{}],
  [{ text: 'x', times: 1 }],
  [{ text: null, range: null }],
  [{ range: { from: 1 } }],
  [{ range: { from: 1, to: null, modes: 'SLOW' } }],
  [{ range: { from: 1, modes: [], next: { from: 2, next: { from: 3, modes: ['FAST', 'SLOW'] } } } }],
  [{ times: null }],
  [{ unknown: 1 }],
])('variables %j are read alike', async (variables) => {
  expect(await byPlan(ECHO, variables)).toEqual(await byExecutor(ECHO, variables));
});

it.each<[variables: Variables]>([
  [{ text: 1 }],
  [{ times: 1.5 }],
  [{ times: 3_000_000_000 }],
  [{ range: [] }],
  [{ range: 'x' }],
  [{ range: {} }],
  [{ range: { from: null } }],
  [{ range: { from: 1, more: 1 } }],
  [{ range: { from: 1, modes: [null] } }],
  [{ range: { from: 1, modes: ['WRONG'] } }],
  [{ range: { from: 1, next: { to: 1 } } }],
  [{ range: JSON.parse('{"from": 1, "__proto__": {}}') }],
])('variables %j are left to the executor, which refuses them', async (variables) => {
  expect(await byPlan(ECHO, variables)).toBeNull();
  expect((await byExecutor(ECHO, variables)).said).toContain('"errors"');
});

it('what is made for one document does not stay with the schema', () => {
  const schema = createSchema([]);
  const [operation] = parse('query ($range: [Range!]!, $modes: [[Mode!]]) { __typename }').definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error('nothing to read');
  const readers: Readers = new Map();
  for (let i = 0; i < 3; i += 1) variablesReader(schema, operation.variableDefinitions ?? [], readers);
  expect([...readers.keys()].map(String).sort()).toEqual(['Int', 'Mode', 'Range']);
});
