/** Goal: `schema.graphql` is the schema that is served, and says what everything in it is. Method: a walk over it. */
import { readFileSync } from 'node:fs';
import {
  type GraphQLArgument,
  type GraphQLEnumValue,
  type GraphQLField,
  type GraphQLInputField,
  type GraphQLNamedType,
  isEnumType,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
  isSpecifiedScalarType,
  isUnionType,
} from 'graphql';
import { describe, expect, it } from 'vitest';
import { DENIAL_REASONS } from '../../server/domain/denial.ts';
import { ERROR_CODES } from '../../server/domain/errors.ts';
import { schema } from '../../server/schema/index.ts';
import { printedSchema, SDL_FILE } from '../../server/schema/print.ts';

const types = Object.values(schema.getTypeMap()).filter(
  (type) => !isIntrospectionType(type) && !isSpecifiedScalarType(type),
);

it('schema.graphql is the printed schema (if not: npx tsx server/schema/print.ts)', () => {
  expect(readFileSync(SDL_FILE, 'utf8')).toBe(printedSchema());
});

it('everything is described, in a sentence', () => {
  const parts = types.flatMap((type) => [...partsOf(type)]);
  expect(parts.length).toBeGreaterThan(300);
  const bad = parts.filter(([, { description }]) => !/^\S[\s\S]*[.…]$/.test(description ?? ''));
  expect(bad.map(([name]) => name)).toEqual([]);
});

type Described =
  | GraphQLNamedType
  | GraphQLField<unknown, unknown>
  | GraphQLInputField
  | GraphQLEnumValue
  | GraphQLArgument;

/** A type and all that is in it, each by the name that a message would call it. */
function* partsOf(type: GraphQLNamedType): Generator<[name: string, part: Described]> {
  yield [type.name, type];
  if (isEnumType(type)) for (const value of type.getValues()) yield [`${type.name}.${value.name}`, value];
  if (!isObjectType(type) && !isInterfaceType(type) && !isInputObjectType(type)) return;
  for (const field of Object.values(type.getFields())) {
    yield [`${type.name}.${field.name}`, field];
    if (!('args' in field)) continue;
    for (const arg of field.args) yield [`${type.name}.${field.name}(${arg.name})`, arg];
  }
}

describe('the one order', () => {
  it('of refusals is that of the code', () => {
    const reasons = schema.getType('DenialReason');
    expect(isEnumType(reasons) && reasons.getValues().map(({ name }) => name)).toEqual([...DENIAL_REASONS]);
  });
});

describe('every mutation', () => {
  const mutations = Object.values(schema.getMutationType()?.getFields() ?? {});

  it.each(mutations.map((field) => [field.name, field] as const))(
    '%s takes one input and answers with a union',
    (name, field) => {
      const capital = `${name.charAt(0).toUpperCase()}${name.slice(1)}`;
      const input = name === 'consume' ? 'ConsumeInput!' : `${capital}Input!`;
      expect(field.args.map((arg) => `${arg.name}: ${arg.type}`)).toEqual([`input: ${input}`]);
      expect(String(field.type)).toBe(`${capital}Result!`);
    },
  );
});

describe('every result union', () => {
  const unions = types.filter(isUnionType).filter(({ name }) => name.endsWith('Result'));

  it.each(unions.map((union) => [union.name, union] as const))(
    '%s has one success first, then user errors',
    (_name, union) => {
      const isError = union.getTypes().map((type) => type.getInterfaces().some(({ name }) => name === 'UserError'));
      expect(isError).toEqual([false, ...isError.slice(1).map(() => true)]);
      expect(isError.length).toBeGreaterThan(1);
    },
  );
});

it('every user error has a code that the domain knows', () => {
  const codes = schema.getType('ErrorCode');
  const names = isEnumType(codes) ? codes.getValues().map(({ name }) => name) : [];
  expect(names.filter((name) => !(name in ERROR_CODES))).toEqual([]);
});

it('every list that can grow asks how many, and none gives more than 100', () => {
  const connections = Object.values(schema.getQueryType()?.getFields() ?? {}).filter(({ type }) =>
    String(type).endsWith('Connection!'),
  );
  expect(connections.map(({ name }) => name).sort()).toEqual([
    'alerts',
    'customers',
    'entityUsages',
    'events',
    'features',
    'invoices',
    'plans',
    'topUpRequests',
    'usagePeriods',
    'webhookDeliveries',
    'webhookEndpoints',
  ]);
  for (const { args } of connections) expect(String(args.find(({ name }) => name === 'first')?.type)).toBe('Int!');
});
