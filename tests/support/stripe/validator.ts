/**
 * validator — holds every request, answer and event to the SDK's own schema, and remembers what did not fit: the client
 * only sees a failed request, which it may well take for a fault and retry.
 */
import { Ajv, type ValidateFunction } from 'ajv';
import { coerce } from './form.ts';
import type { Schema, SdkSchema } from './schema-from-sdk.ts';

const SCHEMA = 'sdk';
/** How much of a value that does not fit is told. */
const EXCERPT_CHARACTERS_MAX = 300;

/** That a request, an answer of the fake or an event is not what the SDK says. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

export class Validator {
  /** In order. A test that makes one on purpose takes it out. */
  readonly violations: Violation[] = [];
  readonly #schema: SdkSchema;
  readonly #compiler: Compiler;

  constructor(schema: SdkSchema) {
    this.#schema = schema;
    this.#compiler = Compiler.of(schema);
  }

  /** Numbers and booleans of a form where they belong. */
  coerced(operation: string, params: unknown): unknown {
    const schema = this.#schema.operations[operation]?.params;
    return schema ? coerce(params, schema, this.#deref) : params;
  }

  /** @throws Violation, and remembers it. */
  checkRequest(operation: string, params: unknown): void {
    const schema = this.#schema.operations[operation]?.params;
    if (schema) this.#check(`the request ${operation}`, schema, params);
    else if (Object.keys(params ?? {}).length > 0) this.violate(`the request ${operation} takes no parameters`, params);
  }

  /** @throws Violation, and remembers it. */
  checkAnswer(operation: string, answer: unknown): void {
    const schema = this.#schema.operations[operation]?.answer;
    if (!schema) throw this.violate(`the fake does not know ${operation}`, answer);
    this.#check(`the answer to ${operation}`, schema, answer);
  }

  /** @param type File and name: `Events:EventBase`. @throws Violation, and remembers it. */
  checkObject(type: string, object: unknown): void {
    const schema = this.#schema.objects[type];
    if (!schema) throw this.violate(`no schema of ${type}`, object);
    this.#check(type, schema, object);
  }

  violate(what: string, value: unknown): Violation {
    const violation = new Violation(`${what}: ${JSON.stringify(value)?.slice(0, EXCERPT_CHARACTERS_MAX)}`);
    this.violations.push(violation);
    return violation;
  }

  #check(what: string, schema: Schema, value: unknown): void {
    const told = this.#compiler.problemsOf(schema, value);
    if (told === undefined) return;
    throw this.violate(`${what} is not what the SDK says (${told})`, value);
  }

  readonly #deref = (ref: string): Schema => this.#schema.definitions[ref.replace(/^#\/definitions\//, '')] ?? {};
}

/** Compiled schemas are kept for all fakes of a process: compiling takes longer than most tests. */
class Compiler {
  static readonly #all = new WeakMap<SdkSchema, Compiler>();
  /** What it writes is used a few times only: time to make it better is time lost. */
  readonly #ajv = new Ajv({ strict: false, validateSchema: false, code: { optimize: false } });
  readonly #compiled = new Map<Schema, ValidateFunction>();

  static of(schema: SdkSchema): Compiler {
    const known = Compiler.#all.get(schema) ?? new Compiler(schema);
    Compiler.#all.set(schema, known);
    return known;
  }

  private constructor({ definitions }: SdkSchema) {
    this.#ajv.addSchema({ $id: SCHEMA, definitions });
  }

  problemsOf(schema: Schema, value: unknown): string | undefined {
    const validate = this.#compiled.get(schema) ?? this.#ajv.compile(absolute(schema));
    this.#compiled.set(schema, validate);
    return validate(value) ? undefined : this.#ajv.errorsText(validate.errors, { dataVar: '' });
  }
}

/** References of the schema's own document, from outside of it. */
const absolute = (schema: Schema): Schema =>
  JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#', `"$ref":"${SCHEMA}#`)) as Schema;
