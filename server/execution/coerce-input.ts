/**
 * coerce-input — readers of variables, made once for a type. They read what is right, and only that: of what is wrong in
 * any way they say `WRONG`, and whoever asks turns to the executor that says what is wrong with it.
 */
import {
  type GraphQLInputObjectType,
  type GraphQLInputType,
  type GraphQLLeafType,
  type GraphQLNamedInputType,
  type GraphQLSchema,
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  typeFromAST,
  type VariableDefinitionNode,
  valueFromAST,
} from 'graphql';

export const WRONG = Symbol('wrong');

export type Variables = Readonly<Record<string, unknown>>;
export type VariablesReader = (given: Variables) => Variables | typeof WRONG;

type Reader = (value: unknown) => unknown;
/** By the schema's own types, which refer to each other. Lists and non-nulls of them are made anew for each document. */
export type Readers = Map<GraphQLNamedInputType, Reader>;

/** @returns null for variables that cannot be kept in an object by their names, or of no input type. */
export function variablesReader(
  schema: GraphQLSchema,
  definitions: readonly VariableDefinitionNode[],
  readers: Readers,
): VariablesReader | null {
  const variables: { name: string; read: Reader; byDefault: (() => unknown) | null; isRequired: boolean }[] = [];
  for (const { variable, type: typeNode, defaultValue } of definitions) {
    const type = typeFromAST(schema, typeNode);
    if (!isInputType(type) || variable.name.value === '__proto__') return null;
    const byDefault = defaultValue ? () => valueFromAST(defaultValue, type) : null;
    variables.push({
      name: variable.name.value,
      read: readerOf(type, readers),
      byDefault,
      isRequired: byDefault === null && isNonNullType(type),
    });
  }
  return (given) => {
    const coerced: Record<string, unknown> = {};
    for (const { name, read, byDefault, isRequired } of variables) {
      if (Object.hasOwn(given, name)) {
        const value = read(given[name]);
        if (value === WRONG) return WRONG;
        coerced[name] = value;
      } else if (byDefault) coerced[name] = byDefault();
      else if (isRequired) return WRONG;
    }
    return coerced;
  };
}

function readerOf(type: GraphQLInputType, readers: Readers): Reader {
  if (isNonNullType(type)) {
    const read = readerOf(type.ofType, readers);
    return (value) => (value === null || value === undefined ? WRONG : read(value));
  }
  const read = isListType(type) ? listReader(readerOf(type.ofType, readers)) : namedReader(type, readers);
  return (value) => (value === null || value === undefined ? null : read(value));
}

/** Reads what is neither null nor left out. */
function namedReader(type: GraphQLNamedInputType, readers: Readers): Reader {
  const known = readers.get(type);
  if (known) return known;
  let made: Reader = () => WRONG;
  readers.set(type, (value) => made(value)); // while it is made: a type may have fields of itself
  made = isInputObjectType(type) ? inputObjectReader(type, readers) : leafReader(type);
  readers.set(type, made);
  return made;
}

function leafReader(type: GraphQLLeafType): Reader {
  return (value) => {
    try {
      const parsed = type.parseValue(value);
      return parsed === undefined ? WRONG : parsed;
    } catch {
      return WRONG;
    }
  };
}

function listReader(read: Reader): Reader {
  return (value) => {
    if (!Array.isArray(value)) {
      const only = read(value); // a list of one may be written without brackets
      return only === WRONG ? WRONG : [only];
    }
    const items: unknown[] = [];
    for (const item of value) {
      const one = read(item);
      if (one === WRONG) return WRONG;
      items.push(one);
    }
    return items;
  };
}

function inputObjectReader(type: GraphQLInputObjectType, readers: Readers): Reader {
  if (type.isOneOf) return () => WRONG;
  const fieldMap = type.getFields();
  const names = new Set(Object.keys(fieldMap));
  const fields = Object.values(fieldMap).map(({ name, type, defaultValue }) => {
    return { name, read: readerOf(type, readers), defaultValue, isRequired: isNonNullType(type) };
  });
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return WRONG;
    for (const name in value) if (!names.has(name)) return WRONG;
    const given = value as Variables; // nothing else is left of what JSON has
    const coerced: Record<string, unknown> = {};
    for (const { name, read, defaultValue, isRequired } of fields) {
      const field = given[name];
      if (field !== undefined) {
        const one = read(field);
        if (one === WRONG) return WRONG;
        coerced[name] = one;
      } else if (defaultValue !== undefined) coerced[name] = defaultValue;
      else if (isRequired) return WRONG;
    }
    return coerced;
  };
}
