/** operations — what of a document can be executed at once, worked out once for as long as the document is kept. */
import {
  BREAK,
  type DocumentNode,
  type ExecutionArgs,
  type ExecutionResult,
  type GraphQLSchema,
  Kind,
  type OperationDefinitionNode,
  visit,
} from 'graphql';
import type { Context } from './context.ts';
import { type Readers, type Variables, variablesReader, WRONG } from './execution/coerce-input.ts';
import { executePlan } from './execution/execute.ts';
import { type Fragments, Plan } from './execution/plan.ts';

type MaybePromise<T> = T | Promise<T>;

/** Executes one operation of a document. */
export type Operation = (context: Context, variables: Variables) => MaybePromise<ExecutionResult>;

export type OperationsDeps = {
  readonly schema: GraphQLSchema;
  readonly isValid: (document: DocumentNode) => boolean;
  /** Executes what has no plan, and says what is wrong with variables. */
  readonly execute: (args: ExecutionArgs) => MaybePromise<ExecutionResult>;
};

/** What the operations of one document have in common. */
type Shared = {
  readonly document: DocumentNode;
  readonly fragments: Fragments;
  readonly hasDirectives: boolean;
  /** A field for every two characters, and each operation its part: so plans are bounded as documents are. */
  readonly fieldsMax: number;
};

export class Operations {
  readonly #deps: OperationsDeps;
  /** The operations of a document by name; under null, the only one. */
  readonly #known = new WeakMap<DocumentNode, ReadonlyMap<string | null, Operation>>();
  readonly #readers: Readers = new Map();

  constructor(deps: OperationsDeps) {
    this.#deps = deps;
  }

  /** @returns null where a closer look is needed: the document is not valid, has no such operation, or it is a stream. */
  find(document: DocumentNode, name: string | null): Operation | null {
    let operations = this.#known.get(document);
    if (!operations) {
      operations = this.#deps.isValid(document) ? this.#prepared(document) : new Map();
      this.#known.set(document, operations);
    }
    return operations.get(name) ?? null;
  }

  #prepared(document: DocumentNode): ReadonlyMap<string | null, Operation> {
    const definitions = document.definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
    const shared: Shared = {
      document,
      fragments: fragmentsOf(document),
      hasDirectives: hasDirectives(document),
      fieldsMax: (document.loc?.end ?? 0) / 2 / definitions.length,
    };
    const byName = new Map<string | null, Operation>();
    for (const definition of definitions) {
      if (definition.operation === 'subscription') continue;
      const operation = this.#operation(shared, definition);
      if (definition.name) byName.set(definition.name.value, operation);
      if (definitions.length === 1) byName.set(null, operation);
    }
    return byName;
  }

  #operation({ document, fragments, hasDirectives, fieldsMax }: Shared, operation: OperationDefinitionNode): Operation {
    const { schema, execute } = this.#deps;
    const operationName = operation.name?.value;
    const unplanned: Operation = async (contextValue, variableValues) =>
      execute({ schema, document, contextValue, variableValues, operationName });
    const rootType = schema.getRootType(operation.operation);
    const readVariables = variablesReader(schema, operation.variableDefinitions ?? [], this.#readers);
    if (!rootType || !readVariables || hasDirectives) return unplanned;
    const onTooLarge = () => {
      plan = null;
    };
    let plan: Plan | null = new Plan({ schema, operation, fragments, rootType, fieldsMax, onTooLarge });
    return (context, variables) => {
      if (!plan) return unplanned(context, variables);
      const read = readVariables(variables);
      return read === WRONG ? unplanned(context, variables) : executePlan(plan, read, context);
    };
  }
}

/** What is skipped or included is another selection each time; that is not planned for. */
function hasDirectives(document: DocumentNode): boolean {
  let has = false;
  visit(document, {
    Directive() {
      has = true;
      return BREAK;
    },
  });
  return has;
}

function fragmentsOf({ definitions }: DocumentNode): Fragments {
  const fragments = definitions.filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION);
  return Object.assign(Object.create(null), Object.fromEntries(fragments.map((one) => [one.name.value, one])));
}
