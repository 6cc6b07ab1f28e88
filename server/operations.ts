/** operations — what may be executed of a document, looked at once for as long as the document is kept. */
import { type DocumentNode, Kind, type OperationDefinitionNode } from 'graphql';

/** The operations of a document by name; under null, the only one. */
type Operations = ReadonlyMap<string | null, OperationDefinitionNode>;

const NONE: Operations = new Map();

/** @returns the operation that a request means, or null where that must be looked into: the document is not valid, say. */
export type FindOperation = (document: DocumentNode, name: string | null) => OperationDefinitionNode | null;

export function createFindOperation(isValid: (document: DocumentNode) => boolean): FindOperation {
  const known = new WeakMap<DocumentNode, Operations>();
  return (document, name) => {
    let operations = known.get(document);
    if (!operations) {
      operations = isValid(document) ? operationsOf(document) : NONE;
      known.set(document, operations);
    }
    return operations.get(name) ?? null;
  };
}

function operationsOf({ definitions }: DocumentNode): Operations {
  const operations = definitions.filter((definition) => definition.kind === Kind.OPERATION_DEFINITION);
  const [only] = operations;
  const byName = operations.flatMap((one) => (one.name ? [[one.name.value, one] as const] : []));
  return new Map([...byName, ...(only && operations.length === 1 ? [[null, only] as const] : [])]);
}
