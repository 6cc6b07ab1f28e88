/**
 * any-query — queries that the schema allows, of any fields, with directives and variables, made of a tape of choices: a
 * shorter tape is a simpler query.
 */
import fc from 'fast-check';
import {
  type GraphQLArgument,
  GraphQLBoolean,
  type GraphQLField,
  type GraphQLInputType,
  type GraphQLNamedOutputType,
  GraphQLNonNull,
  getNamedType,
  getNullableType,
  isAbstractType,
  isEnumType,
  isInputObjectType,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  isRequiredArgument,
  isRequiredInputField,
  parseValue,
  valueFromASTUntyped,
} from 'graphql';
import { schema } from '../../server/schema/index.ts';

export type AnyQuery = {
  /** Of a few fields, some with aliases, some under fragments, some skipped; what it asks for may be there or not. */
  readonly query: string;
  /** Most of those that it declares, and sometimes one more. */
  readonly variables: Readonly<Record<string, unknown>>;
};

export const anyQuery: fc.Arbitrary<AnyQuery> = fc
  .array(fc.nat({ max: 999 }), { minLength: 1, maxLength: 80, size: 'max' })
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
/** Of twelve places for directives, nine are left without. */
const DIRECTIVES = [['skip'], ['include'], ['skip', 'include'], ...Array.from({ length: 9 }, () => [])].reverse();
const CONDITION = new GraphQLNonNull(GraphQLBoolean);
/** Of four arguments that may be left out, so many are. Without `referenceId` an API key hears of nothing else. */
const leftOut = ({ name }: GraphQLArgument): number => (name === 'referenceId' ? 1 : 3);

class Writer {
  readonly #choices: readonly number[];
  #at = 0;
  #aliases = 0;
  readonly #fragments: string[] = [];
  readonly #declared: string[] = [];
  readonly #given: Record<string, unknown> = {};

  constructor(choices: readonly number[]) {
    this.#choices = choices;
  }

  query(): AnyQuery {
    const type = schema.getQueryType();
    if (!type) throw new Error('the schema has no queries');
    const selection = this.#selection(type, LEVELS_MAX);
    if (this.#choose(4) === 3) this.#given.more = [1];
    const head = this.#declared.length > 0 ? `query (${this.#declared.join(', ')}) ` : '';
    return { query: [`${head}{ ${selection} }`, ...this.#fragments].join(' '), variables: this.#given };
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
      return `__typename ... on ${concrete.name}${this.#directives()} { ${this.#selection(concrete, levels)} }`;
    }
    if (!isObjectType(type)) throw new Error(`${type.name} has no fields`);
    const fields = Object.values(type.getFields()).filter(
      (field) => levels > 1 || isLeafType(getNamedType(field.type)),
    );
    if (fields.length === 0) return '__typename';
    const count = 1 + this.#choose(FIELDS_MAX);
    const written = Array.from({ length: count }, () => this.#field(this.#oneOf(fields), levels));
    return written.map((field) => this.#wrapped(type.name, field)).join(' ');
  }

  /** As it is, or under a fragment of one of the three sorts. */
  #wrapped(typeName: string, selection: string): string {
    const sort = this.#choose(9);
    if (sort < 6) return selection;
    const directives = this.#directives();
    if (sort === 6) return `...${directives} { ${selection} }`;
    if (sort === 7) return `... on ${typeName}${directives} { ${selection} }`;
    const name = `F${this.#fragments.length + 1}`;
    this.#fragments.push(`fragment ${name} on ${typeName} { ${selection} }`);
    return `...${name}${directives}`;
  }

  #directives(): string {
    return this.#oneOf(DIRECTIVES)
      .map((name) => ` @${name}(if: ${this.#argument('if', CONDITION)})`)
      .join('');
  }

  #field(field: GraphQLField<unknown, unknown>, levels: number): string {
    const args = field.args.filter((arg) => isRequiredArgument(arg) || this.#choose(4) >= leftOut(arg));
    const written = args.map((arg) => `${arg.name}: ${this.#argument(arg.name, arg.type)}`).join(', ');
    const type = getNamedType(field.type);
    const inner = isLeafType(type) ? '' : ` { ${this.#selection(type, levels - 1)} }`;
    this.#aliases += 1;
    const alias = written || this.#choose(2) === 1 ? `f${this.#aliases}: ` : '';
    return `${alias}${field.name}${written && `(${written})`}${this.#directives()}${inner}`;
  }

  #argument(name: string, type: GraphQLInputType): string {
    const value = this.#value(name, type);
    return this.#choose(3) === 2 ? this.#variable(type, value) : value;
  }

  /** One of these ways to hand a value in; where null is not allowed, the last two are errors. */
  #variable(type: GraphQLInputType, literal: string): string {
    const name = `v${this.#declared.length + 1}`;
    const value = valueFromASTUntyped(parseValue(literal));
    const withDefault = `${getNullableType(type)} = ${literal}`;
    const [declared, given] = this.#oneOf([
      [`${type}`, value],
      [withDefault, undefined],
      [`${getNullableType(type)}!`, value],
      [withDefault, value],
      [`${getNullableType(type)}! = ${literal}`, undefined],
      [`${type}`, value],
      [`${type}`, undefined],
      [withDefault, null],
    ]);
    this.#declared.push(`$${name}: ${declared}`);
    if (given !== undefined) this.#given[name] = given;
    return `$${name}`;
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
