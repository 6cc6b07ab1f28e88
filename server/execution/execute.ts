/**
 * execute — executes a plan as graphql-tools executes the document it was made of: in the same order, waiting at the same
 * places, with the same errors. `tests/api/two-doors.test.ts` holds both against each other.
 */
import {
  defaultFieldResolver,
  defaultTypeResolver,
  type ExecutionResult,
  type GraphQLAbstractType,
  GraphQLError,
  type GraphQLLeafType,
  type GraphQLObjectType,
  type GraphQLOutputType,
  type GraphQLResolveInfo,
  isLeafType,
  isListType,
  isNonNullType,
  isObjectType,
  locatedError,
} from 'graphql';
import type { Variables } from './coerce-input.ts';
import type { Plan, PlannedField } from './plan.ts';

type MaybePromise<T> = T | Promise<T>;
type Path = GraphQLResolveInfo['path'];
type Data = Record<string, unknown>;

export function executePlan(plan: Plan, variables: Variables, context: unknown): MaybePromise<ExecutionResult> {
  return new Execution(plan, variables, context).run();
}

class Execution {
  readonly #plan: Plan;
  readonly #variables: Variables;
  readonly #context: unknown;
  readonly #errors: GraphQLError[] = [];

  constructor(plan: Plan, variables: Variables, context: unknown) {
    this.#plan = plan;
    this.#variables = variables;
    this.#context = context;
  }

  run(): MaybePromise<ExecutionResult> {
    const { operation, rootFields } = this.#plan;
    try {
      const data =
        operation.operation === 'mutation'
          ? this.#oneAfterAnother(rootFields)
          : this.#sideBySide(rootFields, undefined, undefined);
      if (!isPromise(data)) return this.#result(data);
      return data.then(
        (settled) => this.#result(settled),
        (error: unknown) => this.#failed(error),
      );
    } catch (error) {
      return this.#failed(error);
    }
  }

  #result(data: Data | null): ExecutionResult {
    return this.#errors.length === 0 ? { data } : { errors: this.#errors, data };
  }

  #failed(error: unknown): ExecutionResult {
    this.#errors.push(error as GraphQLError); // nothing else is thrown out of a field
    return this.#result(null);
  }

  #oneAfterAnother(fields: readonly PlannedField[]): MaybePromise<Data> {
    const results: Data = Object.create(null);
    let before: MaybePromise<Data> = results;
    for (const field of fields) {
      const execute = () => added(results, field.responseName, this.#field(field, undefined, undefined));
      before = isPromise(before) ? before.then(execute) : execute();
    }
    return before;
  }

  #sideBySide(fields: readonly PlannedField[], source: unknown, path: Path | undefined): MaybePromise<Data> {
    const results: Data = Object.create(null);
    let hasPromise = false;
    try {
      for (const field of fields) {
        const result = this.#field(field, source, path);
        results[field.responseName] = result;
        if (isPromise(result)) hasPromise = true;
      }
    } catch (error) {
      if (!hasPromise) throw error;
      // The others have begun and may fail, too.
      const rethrow = () => {
        throw error;
      };
      return allSettled(results).then(rethrow, rethrow);
    }
    return hasPromise ? allSettled(results) : results;
  }

  #field(field: PlannedField, source: unknown, parentPath: Path | undefined): unknown {
    const { definition, parentType, responseName } = field;
    const path: Path = { prev: parentPath, key: responseName, typename: parentType.name };
    const { type } = definition;
    const info = this.#infoOf(field, path);
    try {
      const args = field.argumentsOf(this.#variables);
      const result = (definition.resolve ?? defaultFieldResolver)(source, args, this.#context, info);
      const completed = isPromise(result)
        ? result.then((value) => this.#complete(type, field, info, path, value))
        : this.#complete(type, field, info, path, result);
      return isPromise(completed)
        ? completed.then(undefined, (error: unknown) => this.#caughtAll(error, field, path, type))
        : completed;
    } catch (error) {
      return this.#caughtAll(error, field, path, type);
    }
  }

  #infoOf({ definition, nodes, parentType }: PlannedField, path: Path): GraphQLResolveInfo {
    const { schema, fragments, operation } = this.#plan;
    return {
      fieldName: definition.name,
      fieldNodes: nodes,
      returnType: definition.type,
      parentType,
      path,
      schema,
      fragments,
      rootValue: undefined,
      operation,
      variableValues: this.#variables,
    };
  }

  #complete(
    type: GraphQLOutputType,
    field: PlannedField,
    info: GraphQLResolveInfo,
    path: Path,
    value: unknown,
  ): unknown {
    if (value instanceof Error) throw value;
    if (isNonNullType(type)) {
      const completed = this.#complete(type.ofType, field, info, path, value);
      if (completed !== null) return completed;
      throw new Error(`Cannot return null for non-nullable field ${info.parentType.name}.${info.fieldName}.`);
    }
    if (value === null || value === undefined) return null;
    if (isLeafType(type)) return leaf(type, value);
    if (isObjectType(type)) return this.#object(type, field, info, path, value);
    if (isListType(type)) return this.#list(type.ofType, field, info, path, value);
    return this.#abstract(type, field, info, path, value);
  }

  #list(
    itemType: GraphQLOutputType,
    field: PlannedField,
    info: GraphQLResolveInfo,
    path: Path,
    value: unknown,
  ): unknown {
    if (!isIterable(value)) {
      const { parentType, fieldName } = info;
      throw new GraphQLError(`Expected Iterable, but did not find one for field "${parentType.name}.${fieldName}".`);
    }
    const completed: unknown[] = [];
    let hasPromise = false;
    try {
      for (const item of value) {
        const itemPath: Path = { prev: path, key: completed.length, typename: undefined };
        const one = this.#item(itemType, field, info, itemPath, item);
        completed.push(one);
        if (isPromise(one)) hasPromise = true;
      }
    } catch (error) {
      for (const one of completed) if (isPromise(one)) one.catch(() => {}); // nobody waits for the others any more
      throw error;
    }
    return hasPromise ? Promise.all(completed) : completed;
  }

  #item(type: GraphQLOutputType, field: PlannedField, info: GraphQLResolveInfo, path: Path, item: unknown): unknown {
    try {
      const completed = isPromise(item)
        ? item.then((value) => this.#complete(type, field, info, path, value))
        : this.#complete(type, field, info, path, item);
      return isPromise(completed)
        ? completed.then(undefined, (error: unknown) => this.#caught(error, field, path, type))
        : completed;
    } catch (error) {
      return this.#caught(error, field, path, type);
    }
  }

  #abstract(
    type: GraphQLAbstractType,
    field: PlannedField,
    info: GraphQLResolveInfo,
    path: Path,
    value: unknown,
  ): unknown {
    const named = (type.resolveType ?? defaultTypeResolver)(value, this.#context, info, type);
    const complete = (name: string | undefined) =>
      this.#object(this.#runtimeType(type, name, field, info), field, info, path, value);
    return isPromise(named) ? named.then(complete) : complete(named);
  }

  #runtimeType(
    type: GraphQLAbstractType,
    name: string | undefined,
    { nodes }: PlannedField,
    { schema, parentType, fieldName }: GraphQLResolveInfo,
  ): GraphQLObjectType {
    const runtimeType = name === undefined ? undefined : schema.getType(name);
    if (isObjectType(runtimeType) && schema.isSubType(type, runtimeType)) return runtimeType;
    const place = `${type.name} at ${parentType.name}.${fieldName}`;
    throw new GraphQLError(`Abstract type ${place} was resolved to ${name}, which is none of its types.`, { nodes });
  }

  #object(type: GraphQLObjectType, field: PlannedField, info: GraphQLResolveInfo, path: Path, value: unknown): unknown {
    const isOfType = type.isTypeOf ? type.isTypeOf(value, this.#context, info) : true;
    const execute = (isRight: boolean) => {
      if (isRight) return this.#sideBySide(this.#plan.fieldsOf(field, type), value, path);
      throw new GraphQLError(`Expected value of type "${type.name}", but got another.`, { nodes: field.nodes });
    };
    return isPromise(isOfType) ? isOfType.then(execute) : execute(isOfType);
  }

  #caughtAll(thrown: unknown, field: PlannedField, path: Path, type: GraphQLOutputType): null {
    if (!(thrown instanceof AggregateError)) return this.#caught(thrown, field, path, type);
    for (const error of thrown.errors) this.#caught(error, field, path, type);
    return null;
  }

  /** @throws the located error where there may be no null. */
  #caught(thrown: unknown, { nodes }: PlannedField, path: Path, type: GraphQLOutputType): null {
    const error = locatedError(errorOf(thrown), nodes, keysOf(path));
    if (isNonNullType(type)) throw error;
    this.#errors.push(error);
    return null;
  }
}

function added(results: Data, responseName: string, result: unknown): MaybePromise<Data> {
  const add = (value: unknown) => {
    results[responseName] = value;
    return results;
  };
  return isPromise(result) ? result.then(add) : add(result);
}

/** The same object with its promises settled; keys stay in their order. */
function allSettled(results: Data): Promise<Data> {
  const data: Data = Object.create(null);
  const promises: Promise<void>[] = [];
  for (const name in results) {
    const result = results[name];
    if (!isPromise(result)) {
      data[name] = result;
      continue;
    }
    data[name] = undefined;
    promises.push(
      result.then((value) => {
        data[name] = value;
      }),
    );
  }
  const [only] = promises;
  const all: Promise<unknown> = only && promises.length === 1 ? only : Promise.all(promises);
  return all.then(() => data);
}

function leaf(type: GraphQLLeafType, value: unknown): unknown {
  const serialized = serialize(type, value);
  if (serialized !== null && serialized !== undefined) return serialized;
  throw new Error(`${type.name} was serialised to ${serialized}`);
}

function serialize(type: GraphQLLeafType, value: unknown): unknown {
  try {
    return type.serialize(value);
  } catch (error) {
    throw error instanceof GraphQLError ? new Error(error.message) : error; // what cannot be written is our bug
  }
}

const isPromise = <T>(value: MaybePromise<T>): value is Promise<T> =>
  typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.iterator in value;

const errorOf = (thrown: unknown): Error => (thrown instanceof Error ? thrown : new Error(String(thrown)));

function keysOf(path: Path): (string | number)[] {
  const keys: (string | number)[] = [];
  for (let at: Path | undefined = path; at; at = at.prev) keys.push(at.key);
  return keys.reverse();
}
