/**
 * plan — what graphql-js works out anew in each execution of a document, worked out once: which fields are selected of
 * which type, what resolves them, where their arguments come from.
 */
import {
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getArgumentValues,
  isAbstractType,
  isNonNullType,
  Kind,
  type OperationDefinitionNode,
  SchemaMetaFieldDef,
  type SelectionSetNode,
  TypeMetaFieldDef,
  TypeNameMetaFieldDef,
  typeFromAST,
} from 'graphql';
import type { Variables } from './coerce-input.ts';

export type Fragments = Readonly<Record<string, FragmentDefinitionNode>>;

export type PlannedField = {
  readonly responseName: string;
  readonly nodes: readonly FieldNode[];
  readonly parentType: GraphQLObjectType;
  readonly definition: GraphQLField<unknown, unknown>;
  readonly argumentsOf: (variables: Variables) => Record<string, unknown>;
  /** What is selected of an object that the field has resolved to, by its type; null where nothing can be. */
  readonly selected: Map<GraphQLObjectType, readonly PlannedField[]> | null;
};

export type PlanParts = {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Fragments;
  readonly rootType: GraphQLObjectType;
  /** Fragments unfold: a short document may select a field in ever more places. So many are worth being remembered. */
  readonly fieldsMax: number;
  /** Called when there are more. The plan still serves whoever executes it; nobody should keep it. */
  readonly onTooLarge: () => void;
};

/** Made as it is executed: what nobody asks for is not planned. */
export class Plan {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Fragments;
  readonly #parts: PlanParts;
  #rootFields: readonly PlannedField[] | null = null;
  /** How often a field of the document is selected, in all that is planned. */
  #selected = 0;

  constructor(parts: PlanParts) {
    this.#parts = parts;
    this.schema = parts.schema;
    this.operation = parts.operation;
    this.fragments = parts.fragments;
  }

  get rootFields(): readonly PlannedField[] {
    this.#rootFields ??= this.#planned(this.#parts.rootType, [this.operation.selectionSet]);
    return this.#rootFields;
  }

  fieldsOf(field: PlannedField, type: GraphQLObjectType): readonly PlannedField[] {
    const known = field.selected?.get(type);
    if (known) return known;
    const fields = this.#planned(
      type,
      field.nodes.flatMap(({ selectionSet }) => selectionSet ?? []),
    );
    field.selected?.set(type, fields);
    return fields;
  }

  #planned(type: GraphQLObjectType, selectionSets: readonly SelectionSetNode[]): readonly PlannedField[] {
    const nodes = new Map<string, FieldNode[]>();
    const visited = new Set<string>();
    for (const selectionSet of selectionSets) this.#collect(type, selectionSet, nodes, visited);
    for (const { length } of nodes.values()) this.#selected += length;
    if (this.#selected > this.#parts.fieldsMax) this.#parts.onTooLarge();
    return [...nodes].flatMap(([responseName, ofOne]) => this.#plannedField(type, responseName, ofOne) ?? []);
  }

  #collect(
    type: GraphQLObjectType,
    { selections }: SelectionSetNode,
    nodes: Map<string, FieldNode[]>,
    visited: Set<string>,
  ): void {
    for (const selection of selections) {
      if (selection.kind === Kind.FIELD) {
        const responseName = selection.alias?.value ?? selection.name.value;
        const same = nodes.get(responseName);
        if (same) same.push(selection);
        else nodes.set(responseName, [selection]);
      } else if (selection.kind === Kind.INLINE_FRAGMENT) {
        if (this.#applies(selection.typeCondition, type)) this.#collect(type, selection.selectionSet, nodes, visited);
      } else {
        const name = selection.name.value;
        const fragment = this.fragments[name];
        if (visited.has(name) || !fragment || !this.#applies(fragment.typeCondition, type)) continue;
        visited.add(name);
        this.#collect(type, fragment.selectionSet, nodes, visited);
      }
    }
  }

  #applies(condition: FragmentDefinitionNode['typeCondition'] | undefined, type: GraphQLObjectType): boolean {
    if (!condition) return true;
    const conditional = typeFromAST(this.schema, condition);
    return conditional === type || (isAbstractType(conditional) && this.schema.isSubType(conditional, type));
  }

  #plannedField(parentType: GraphQLObjectType, responseName: string, nodes: readonly FieldNode[]): PlannedField | null {
    const [node] = nodes;
    const definition = node && this.#definitionOf(parentType, node.name.value);
    if (!definition) return null;
    const argumentsOf = argumentsReader(definition, node);
    const selected = node.selectionSet ? new Map() : null;
    return { responseName, nodes, parentType, definition, argumentsOf, selected };
  }

  #definitionOf(type: GraphQLObjectType, name: string): GraphQLField<unknown, unknown> | undefined {
    const isQuery = type === this.schema.getQueryType();
    if (isQuery && name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
    if (isQuery && name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
    return name === TypeNameMetaFieldDef.name ? TypeNameMetaFieldDef : type.getFields()[name];
  }
}

const noArguments = () => ({});

/** The usual case is that arguments are variables, and those are there. Everything else is left to graphql-js. */
function argumentsReader(definition: GraphQLField<unknown, unknown>, node: FieldNode): PlannedField['argumentsOf'] {
  if (definition.args.length === 0) return noArguments;
  const nodeByName = new Map(node.arguments?.map((argument) => [argument.name.value, argument.value]));
  const fromVariables = definition.args.flatMap(({ name, type, defaultValue }) => {
    const value = nodeByName.get(name);
    if (value?.kind === Kind.VARIABLE) return [{ name, variable: value.name.value, isRequired: isNonNullType(type) }];
    return value || defaultValue !== undefined || isNonNullType(type) ? [null] : [];
  });
  const plain = fromVariables.filter((argument) => argument !== null);
  if (plain.length < fromVariables.length) return (variables) => getArgumentValues(definition, node, variables);
  return (variables) => {
    const args: Record<string, unknown> = {};
    for (const { name, variable, isRequired } of plain) {
      const value = Object.hasOwn(variables, variable) ? variables[variable] : undefined;
      if (value === undefined || (value === null && isRequired)) return getArgumentValues(definition, node, variables);
      args[name] = value;
    }
    return args;
  };
}
