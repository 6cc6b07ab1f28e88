/** any-query — queries that the schema allows, of any fields, made of a tape of choices: a shorter tape is a simpler query. */
import fc from 'fast-check';
import {
  type GraphQLArgument,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedOutputType,
  getNamedType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
} from 'graphql';
import { schema } from '../../server/schema/index.ts';

/** One text of a few fields, some with aliases, some under fragments; what it asks for may be there or not. */
export const anyQuery: fc.Arbitrary<string> = fc
  .array(fc.nat({ max: 999 }), { minLength: 1, maxLength: 120 })
  .map((choices) => new Writer(choices).query());

/** Texts by the names of what they are for: what is there, and what is not. */
const TEXTS: Readonly<Record<string, readonly string[]>> = {
  referenceId: ['acme', 'other', 'nobody'],
  featureKey: ['api_calls', 'storage', 'nope'],
  key: ['api_calls', 'pro', 'nope'],
};

const LITERALS: Readonly<Record<string, readonly string[]>> = {
  Int: ['1', '2', '0'],
  Float: ['1.5'],
  Boolean: ['true', 'false'],
  ID: ['"Q3VzdG9tZXI6MQ"', '"x"'],
  Decimal: ['"1"', '2.5'],
  DateTime: ['"2026-03-01T00:00:00Z"', '"2026-03-31T00:00:00Z"'],
  JSON: ['{a: 1}'],
};

const LEVELS_MAX = 4;
const FIELDS_MAX = 3;

class Writer {
  readonly #choices: readonly number[];
  #at = 0;
  #aliases = 0;

  constructor(choices: readonly number[]) {
    this.#choices = choices;
  }

  query(): string {
    const type = schema.getQueryType();
    if (!type) throw new Error('the schema has no queries');
    return `{ ${this.#selection(type, LEVELS_MAX)} }`;
  }

  #choose(count: number): number {
    const choice = this.#choices[this.#at] ?? 0;
    this.#at += 1;
    return choice % count;
  }

  #oneOf<T>(all: readonly T[]): T {
    const one = all[this.#choose(all.length)];
    if (one === undefined) throw new Error('nothing to choose from');
    return one;
  }

  #selection(type: GraphQLNamedOutputType, levels: number): string {
    if (isAbstractType(type)) {
      const concrete = this.#oneOf(schema.getPossibleTypes(type));
      return `__typename ... on ${concrete.name} { ${this.#selection(concrete, levels)} }`;
    }
    if (!isObjectType(type)) throw new Error(`${type.name} has no fields`);
    const fields = Object.values(type.getFields()).filter(
      (field) => levels > 1 || isLeafType(getNamedType(field.type)),
    );
    if (fields.length === 0) return '__typename';
    const count = 1 + this.#choose(FIELDS_MAX);
    return Array.from({ length: count }, () => this.#field(this.#oneOf(fields), levels)).join(' ');
  }

  #field(field: GraphQLField<unknown, unknown>, levels: number): string {
    const args = field.args.filter((arg) => isRequiredArgument(arg) || this.#choose(4) === 3);
    const written = args.map((arg) => `${arg.name}: ${this.#argument(arg)}`).join(', ');
    const type = getNamedType(field.type);
    const inner = isLeafType(type) ? '' : ` { ${this.#selection(type, levels - 1)} }`;
    this.#aliases += 1;
    const alias = written || this.#choose(2) === 1 ? `f${this.#aliases}: ` : '';
    return `${alias}${field.name}${written && `(${written})`}${inner}`;
  }

  #argument({ name, type }: GraphQLArgument): string {
    return this.#value(name, type);
  }

  #value(name: string, type: GraphQLInputType): string {
    if (isNonNullType(type)) return this.#value(name, type.ofType);
    if (isListType(type)) return `[${this.#value(name, type.ofType)}]`;
    if (isEnumType(type)) return this.#oneOf(type.getValues()).name;
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(isRequiredInputField);
      return `{ ${fields.map((field) => `${field.name}: ${this.#value(field.name, field.type)}`).join(', ')} }`;
    }
    if (type.name === 'String') return JSON.stringify(this.#oneOf(TEXTS[name] ?? ['x']));
    return this.#oneOf(LITERALS[type.name] ?? ['null']);
  }
}
