/**
 * audience — subscribers who are told the same of the same item: one document, the same variables, viewers who see alike.
 *
 * What is told of an item is a function of the document, the variables that its fields use, the viewer, and the item.
 * The item is one object for everybody who hears it; the rest is the audience's key. So the document is executed once for
 * each item and audience, and its answer is written down once.
 */
import { type DocumentNode, type ExecutionArgs, type ExecutionResult, execute, Kind, visit } from 'graphql';
import type { Context } from './context.ts';
import type { Viewer } from './domain/viewer.ts';
import { sharedPartOf, type Told } from './schema/told.ts';

/** What one item says; `stringify` writes it down, once for all who send it. An answer with errors has none. */
export type Answer = ExecutionResult & { readonly stringify?: () => string };

/** A subscription that has been accepted: its arguments as the doors have them, with our own context. */
export type SubscriptionArgs = ExecutionArgs & { readonly contextValue: Context };

export class Audience {
  #members = 0;
  readonly #onEmpty: () => void;
  readonly #args: ExecutionArgs;
  readonly #context: Omit<Context, 'memo'>;
  readonly #onExecuted: () => void;
  /** As long as somebody still has the item to hear. */
  readonly #answers = new WeakMap<object, Promise<Answer>>();

  /**
   * @param args Of any of its members.
   * @param onEmpty Called when the last has left.
   */
  constructor(args: SubscriptionArgs, onExecuted: () => void, onEmpty: () => void) {
    const { schema, document, operationName, variableValues, contextValue } = args;
    this.#args = { schema, document, operationName, variableValues };
    this.#context = { viewer: contextValue.viewer, services: contextValue.services };
    this.#onExecuted = onExecuted;
    this.#onEmpty = onEmpty;
  }

  join(): void {
    this.#members += 1;
  }

  leave(): void {
    this.#members -= 1;
    if (this.#members === 0) this.#onEmpty();
  }

  /** The answer that everybody in the audience gets. One with errors concerns only whom it happened to. */
  async answerTo(told: Told<unknown>): Promise<Answer> {
    const item = sharedPartOf(told);
    if (item === null) return this.#execute(told);
    const known = this.#answers.get(item);
    if (known) {
      const answer = await known;
      return answer.errors ? this.#execute(told) : answer;
    }
    const answer = this.#execute(told);
    this.#answers.set(item, answer);
    return answer;
  }

  /** An operation of its own, so that nothing that was read for an earlier item is taken for the state of this one. */
  async #execute(told: Told<unknown>): Promise<Answer> {
    this.#onExecuted();
    const contextValue: Context = { ...this.#context, memo: new Map() };
    const result = await execute({ ...this.#args, rootValue: told, contextValue });
    return result.errors ? result : writtenOnce(result);
  }
}

function writtenOnce(result: ExecutionResult): Answer {
  let text: string | null = null;
  const stringify = () => {
    text ??= JSON.stringify(result);
    return text;
  };
  return { ...result, stringify };
}

/** Equal exactly for subscriptions that are told the same of the same item. */
export function audienceKey({ document, operationName, variableValues, contextValue }: SubscriptionArgs): string {
  const { id, namesOf } = knownDocument(document);
  const values = [...namesOf(operationName ?? null)].map((name) => [name, variableValues?.[name]]);
  return JSON.stringify([id, operationName ?? null, values, seenBy(contextValue.viewer)]);
}

/** All that is known of a viewer, so that a new field of it is never forgotten; but for when its credential ends. */
const seenBy = (viewer: Viewer | null): unknown =>
  viewer && { ...viewer, expiresAtMs: null, ...('scopes' in viewer && { scopes: [...viewer.scopes].sort() }) };

type KnownDocument = {
  readonly id: number;
  readonly namesOf: (operationName: string | null) => ReadonlySet<string>;
};

/** Equal texts are one document, as long as the doors keep it parsed. */
const documents = new WeakMap<DocumentNode, KnownDocument>();
let documentsKnown = 0;

function knownDocument(document: DocumentNode): KnownDocument {
  const known = documents.get(document);
  if (known) return known;
  const names = new Map<string | null, ReadonlySet<string>>();
  const namesOf = (operationName: string | null) => {
    const found = names.get(operationName) ?? variablesOfAnswer(document, operationName);
    names.set(operationName, found);
    return found;
  };
  documentsKnown += 1;
  const made = { id: documentsKnown, namesOf };
  documents.set(document, made);
  return made;
}

/**
 * The variables that what is told of an item may depend on: all but those that stand nowhere but in the arguments of the
 * subscription's own field. Those have decided which items come, such as `after`, and are no part of what one says.
 */
function variablesOfAnswer(document: DocumentNode, operationName: string | null): ReadonlySet<string> {
  const names = new Set<string>();
  const Variable = (node: { readonly name: { readonly value: string } }) => void names.add(node.name.value);
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) visit(definition, { Variable });
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue;
    if (operationName !== null && definition.name?.value !== operationName) continue;
    for (const directive of definition.directives ?? []) visit(directive, { Variable });
    for (const selection of definition.selectionSet.selections) {
      visit(selection.kind === Kind.FIELD ? { ...selection, arguments: [] } : selection, { Variable });
    }
  }
  return names;
}
