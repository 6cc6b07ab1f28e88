/**
 * schema-from-sdk — JSON Schema out of the TypeScript declarations that npm `stripe` ships, which Stripe generates from
 * its own OpenAPI document. So the fake is held to what the installed SDK says, not to what its author remembers.
 *
 * An operation, `POST /v1/prices`, is found by the method of the SDK that sends it: the path is in the `.js` file, the
 * types of parameters and answer are in the `.d.ts` beside it. What TypeScript can't say (lengths, minima, status codes)
 * is no part of the schema.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export type Schema = { readonly [keyword: string]: unknown };

export type SdkSchema = {
  /** By operation, `GET /v1/prices/{}`. `params` is null where the method takes none. */
  readonly operations: { readonly [operation: string]: { readonly params: Schema | null; readonly answer: Schema } };
  /** By the name of the wanted type. */
  readonly objects: { readonly [type: string]: Schema };
  readonly definitions: { readonly [name: string]: Schema };
};

export type Wanted = {
  /** Method and path, each id as `{}`. */
  readonly operations: readonly string[];
  /** Types that no wanted operation answers, and that are wanted in full: `Plans:Plan`, file and name. */
  readonly types: readonly string[];
};

const SDK = dirname(fileURLToPath(import.meta.resolve('stripe')));
const REF = '#/definitions/';
/** A union of every event there is: of it, those that are wanted by name, or else what all of them share. */
const EVERY_EVENT = 'Event';
const WHAT_EVENTS_SHARE = 'EventBase';
const TOLD_BY_EVENTS: ReadonlySet<string> = new Set(['Object', 'PreviousAttributes']);
/** `Promise<void>` is answered by `{}`. */
const NO_CONTENT: Schema = { type: 'object', additionalProperties: false };
/** Classes that are a string on the wire. */
const STRINGS_ON_THE_WIRE: Record<string, Schema> = {
  Decimal: { type: 'string', pattern: '^-?\\d+(\\.\\d+)?$' },
  Date: { type: 'string' },
};

/** @throws where the SDK has no method that sends a wanted operation, or no type of a wanted name. */
export function schemaFromSdk({ operations, types }: Wanted): SdkSchema {
  const { checker, sources, methods } = readSdk();
  const wantedMethods = operations.map((name) => [name, found(methods, name)] as const);
  const wantedTypes = types.map((name) => [name, typeNamed(sources, checker, name)] as const);
  const whole = [...wantedMethods.map(([, { answer }]) => answer), ...wantedTypes.map(([, type]) => type)];
  const tags = new Set(whole.flatMap((type) => tagsOf(type, checker)));
  const converter = new Converter(checker, tags, new Set(wantedTypes.map(([, type]) => type)));
  return {
    operations: Object.fromEntries(
      wantedMethods.map(([name, { params, answer }]) => [
        name,
        { params: params ? converter.schemaOf(params) : null, answer: converter.schemaOf(answer) },
      ]),
    ),
    objects: Object.fromEntries(wantedTypes.map(([name, type]) => [name, converter.schemaOf(type)])),
    definitions: converter.definitions,
  };
}

type Sdk = {
  readonly checker: ts.TypeChecker;
  readonly sources: readonly ts.SourceFile[];
  readonly methods: ReadonlyMap<string, Method>;
};

let read: Sdk | undefined;

/** Once: it takes seconds. */
function readSdk(): Sdk {
  if (read) return read;
  const options = { lib: ['lib.es2020.d.ts'], types: [], strict: true };
  const program = ts.createProgram([join(SDK, 'resources.d.ts')], options);
  const checker = program.getTypeChecker();
  const sources = program.getSourceFiles().filter(({ fileName }) => fileName.includes('/stripe/esm/resources/'));
  read = { checker, sources, methods: new Map(sources.flatMap((source) => methodsOf(source, checker))) };
  return read;
}

type Method = { readonly params: ts.Type | undefined; readonly answer: ts.Type };

/** Each operation that a file of the SDK can send. */
function methodsOf(source: ts.SourceFile, checker: ts.TypeChecker): [string, Method][] {
  const sent = operationsSent(readFileSync(source.fileName.replace(/\.d\.ts$/, '.js'), 'utf8'));
  return source.statements.filter(ts.isClassDeclaration).flatMap((declaration) =>
    declaration.members.filter(ts.isMethodDeclaration).flatMap((member): [string, Method][] => {
      const operation = sent.get(member.name.getText(source));
      const signature = checker.getSignatureFromDeclaration(member);
      if (!operation || !signature) return [];
      const params = member.parameters.find(({ name }) => name.getText(source) === 'params');
      return [
        [
          operation,
          {
            params: params && checker.getNonNullableType(checker.getTypeAtLocation(params)),
            answer: answered(signature.getReturnType(), checker),
          },
        ],
      ];
    }),
  );
}

/** `Invoice`, where a method returns `Promise<Response<Invoice>>`. */
function answered(returned: ts.Type, checker: ts.TypeChecker): ts.Type {
  const awaited = checker.getAwaitedType(returned) ?? returned;
  const inside = awaited.aliasSymbol?.name === 'Response' ? awaited.aliasTypeArguments?.[0] : undefined;
  return inside ?? awaited;
}

/** By name of the method: `this._makeRequest('GET', `/v1/prices/${encodeURIComponent(id)}`` is `GET /v1/prices/{}`. */
function operationsSent(js: string): Map<string, string> {
  const methods = js.split(/^ {4}(?=\w+\(.*\) \{$)/m).slice(1);
  return new Map(
    methods.flatMap((method): [string, string][] => {
      const [, verb, path] = /_makeRequest\('(\w+)', ['`](.+?)['`],/.exec(method) ?? [];
      return verb && path
        ? [[method.slice(0, method.indexOf('(')), `${verb} ${path.replace(/\$\{.+?\)\}/g, '{}')}`]]
        : [];
    }),
  );
}

function found(methods: ReadonlyMap<string, Method>, operation: string): Method {
  const method = methods.get(operation);
  if (!method) throw new Error(`no method of the installed SDK sends ${operation}`);
  return method;
}

function typeNamed(sources: readonly ts.SourceFile[], checker: ts.TypeChecker, wanted: string): ts.Type {
  const [file, name] = wanted.split(':');
  const source = sources.find(({ fileName }) => fileName.endsWith(`/resources/${file}.d.ts`));
  const module = source && checker.getSymbolAtLocation(source);
  const symbol = module && checker.getExportsOfModule(module).find((each) => each.name === name);
  if (!symbol) throw new Error(`the installed SDK has no type ${wanted}`);
  return checker.getDeclaredTypeOfSymbol(symbol);
}

/** `object` of every resource that is answered: alone, in a list, or as one of several. */
function tagsOf(type: ts.Type, checker: ts.TypeChecker): string[] {
  if (type.isUnionOrIntersection()) return type.types.flatMap((part) => tagsOf(part, checker));
  const tag = tagOf(type, checker);
  const data = type.getProperty('data');
  const item = data && checker.getTypeArguments(checker.getTypeOfSymbol(data) as ts.TypeReference)[0];
  return [...(tag ? [tag] : []), ...(item ? tagsOf(item, checker) : [])];
}

function tagOf(type: ts.Type, checker: ts.TypeChecker): string | undefined {
  const object = type.getProperty('object');
  const tag = object && checker.getTypeOfSymbol(object);
  return tag?.isStringLiteral() && type.getProperty('id') ? tag.value : undefined;
}

class Converter {
  readonly definitions: Record<string, Schema> = {};
  readonly #names = new Map<ts.Type, string>();
  readonly #checker: ts.TypeChecker;
  readonly #whole: ReadonlySet<string>;
  readonly #wanted: ReadonlySet<ts.Type>;

  /**
   * @param whole  Resources converted with all their fields; of others, met inside of them, only `id` and `object`.
   * @param wanted Types asked for by name.
   */
  constructor(checker: ts.TypeChecker, whole: ReadonlySet<string>, wanted: ReadonlySet<ts.Type>) {
    this.#checker = checker;
    this.#whole = whole;
    this.#wanted = wanted;
  }

  schemaOf(type: ts.Type): Schema {
    const { flags } = type;
    const onTheWire = STRINGS_ON_THE_WIRE[(type.aliasSymbol ?? type.symbol)?.name ?? ''];
    if (onTheWire) return onTheWire;
    if (flags & (ts.TypeFlags.Any | ts.TypeFlags.Unknown)) return {};
    if (isNothing(type)) return NO_CONTENT;
    if (flags & ts.TypeFlags.Null) return { type: 'null' };
    if (type.isStringLiteral()) return { type: 'string', enum: [type.value] };
    if (type.isNumberLiteral()) return { type: 'number', enum: [type.value] };
    if (flags & ts.TypeFlags.BooleanLiteral)
      return { type: 'boolean', enum: [this.#checker.typeToString(type) === 'true'] };
    if (flags & (ts.TypeFlags.String | ts.TypeFlags.BigInt)) return { type: 'string' };
    if (flags & ts.TypeFlags.Number) return { type: 'number' };
    if (flags & ts.TypeFlags.Boolean) return { type: 'boolean' };
    if (type.isUnion()) return this.#union(type);
    if (isOpenEnd(type)) return { type: 'string' };
    return this.#object(type);
  }

  #union(type: ts.UnionType): Schema {
    if (type.aliasSymbol?.name === EVERY_EVENT) return this.#events(type, type.aliasSymbol);
    const values = type.types.flatMap((part) => (part.isStringLiteral() ? [part.value] : []));
    const others = type.types
      .filter((part) => !isNothing(part))
      .filter((part) => !part.isStringLiteral() && !(values.length > 0 && isOpenEnd(part)));
    const branches = distinct(others.map((part) => this.schemaOf(part)));
    // An open enumeration may grow at Stripe. Here it may not: neither we nor the fake should use a value that isn't known.
    if (values.length > 0) branches.unshift({ type: 'string', enum: values });
    return branches.length === 1 && branches[0] ? branches[0] : { anyOf: branches };
  }

  #events(type: ts.UnionType, alias: ts.Symbol): Schema {
    const wanted = type.types.filter((event) => this.#wanted.has(event)).map((event) => this.schemaOf(event));
    return wanted.length > 0 ? { anyOf: wanted } : this.#sharedByEvents(alias);
  }

  #sharedByEvents(alias: ts.Symbol): Schema {
    const file = alias.declarations?.[0]?.getSourceFile();
    const module = file && this.#checker.getSymbolAtLocation(file);
    const base = module && this.#checker.getExportsOfModule(module).find(({ name }) => name === WHAT_EVENTS_SHARE);
    if (!base) throw new Error(`no ${WHAT_EVENTS_SHARE} beside ${alias.name}`);
    return this.schemaOf(this.#checker.getDeclaredTypeOfSymbol(base));
  }

  #object(type: ts.Type): Schema {
    if (this.#checker.isArrayType(type)) {
      const item = this.#checker.getTypeArguments(type as ts.TypeReference)[0];
      return { type: 'array', items: item ? this.schemaOf(item) : {} };
    }
    const tag = tagOf(type, this.#checker);
    return tag && !this.#whole.has(tag) ? abridged(tag) : this.#defined(type);
  }

  #defined(type: ts.Type): Schema {
    let name = this.#names.get(type);
    if (name === undefined) {
      name = this.#freshName(type);
      this.#names.set(type, name);
      this.definitions[name] = {}; // taken, should it contain itself
      this.definitions[name] = this.#fields(type);
    }
    return { $ref: REF + name };
  }

  #fields(type: ts.Type): Schema {
    const fields = this.#checker.getPropertiesOfType(type).flatMap((field): [string, Schema, boolean][] => {
      const of = this.#checker.getTypeOfSymbol(field);
      if (isNever(of) || of.getCallSignatures().length > 0) return [];
      return [[field.name, this.schemaOf(of), (field.flags & ts.SymbolFlags.Optional) === 0]];
    });
    const index = this.#checker.getIndexInfoOfType(type, ts.IndexKind.String);
    return {
      type: 'object',
      properties: Object.fromEntries(fields.map(([name, schema]) => [name, schema])),
      required: fields.filter(([, , isRequired]) => isRequired).map(([name]) => name),
      additionalProperties: index ? this.schemaOf(index.type) : isAnything(type) && fields.length === 0,
    };
  }

  #freshName(type: ts.Type): string {
    const symbol = type.aliasSymbol ?? type.symbol;
    const name = this.#checker.getFullyQualifiedName(symbol).replace(/^".*\/(?:resources\/)?([\w/]+)"\./, '$1:');
    let fresh = name.replace(/[^\w.:]/g, '_');
    for (let count = 2; fresh in this.definitions; count += 1) fresh = `${name.replace(/[^\w.:]/g, '_')}-${count}`;
    return fresh;
  }
}

/** A resource that is somebody else's to describe. */
const abridged = (tag: string): Schema => ({
  type: 'object',
  properties: { id: { type: 'string' }, object: { type: 'string', enum: [tag] } },
  required: ['id', 'object'],
});

/** `string & Record<never, never>`: by it the SDK says that an enumeration may grow. */
const isOpenEnd = (type: ts.Type): boolean =>
  type.isIntersection() && type.types.some((part) => (part.flags & ts.TypeFlags.String) !== 0);

/** `{}`, as what an event tells of: which fields that has is told by its own schema. */
const isAnything = (type: ts.Type): boolean => TOLD_BY_EVENTS.has(type.symbol?.name ?? '');

/** `undefined`, as in what is optional: on the wire it is not there. */
const isNothing = ({ flags }: ts.Type): boolean => (flags & (ts.TypeFlags.Undefined | ts.TypeFlags.Void)) !== 0;

/** `deleted?: void` */
const isNever = (type: ts.Type): boolean => (type.isUnion() ? type.types.every(isNothing) : isNothing(type));

const distinct = (schemas: readonly Schema[]): Schema[] => [
  ...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values(),
];
