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
  /** What is selected of an object that the field has resolved to, by its type. */
  readonly selected: Map<GraphQLObjectType, readonly PlannedField[]>;
};

/** A hostile document could select of ever more types; beyond these, selections are not remembered. */
const SELECTIONS_MAX = 1_000;

export class Plan {
  readonly schema: GraphQLSchema;
  readonly operation: OperationDefinitionNode;
  readonly fragments: Fragments;
  readonly rootFields: readonly PlannedField[];
  #selections = 0;

  constructor(
    schema: GraphQLSchema,
    operation: OperationDefinitionNode,
    fragments: Fragments,
    rootType: GraphQLObjectType,
  ) {
    this.schema = schema;
    this.operation = operation;
    this.fragments = fragments;
    this.rootFields = this.#planned(rootType, [operation.selectionSet]);
  }

  fieldsOf(field: PlannedField, type: GraphQLObjectType): readonly PlannedField[] {
    const known = field.selected.get(type);
    if (known) return known;
    const fields = this.#planned(
      type,
      field.nodes.flatMap(({ selectionSet }) => selectionSet ?? []),
    );
    this.#selections += 1;
    if (this.#selections <= SELECTIONS_MAX) field.selected.set(type, fields);
    return fields;
  }

  #planned(type: GraphQLObjectType, selectionSets: readonly SelectionSetNode[]): readonly PlannedField[] {
    const nodes = new Map<string, FieldNode[]>();
    const visited = new Set<string>();
    for (const selectionSet of selectionSets) this.#collect(type, selectionSet, nodes, visited);
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
    return { responseName, nodes, parentType, definition, argumentsOf, selected: new Map() };
  }

  #definitionOf(type: GraphQLObjectType, name: string): GraphQLField<unknown, unknown> | undefined {
    const isQuery = type === this.schema.getQueryType();
    if (isQuery && name === SchemaMetaFieldDef.name) return SchemaMetaFieldDef;
    if (isQuery && name === TypeMetaFieldDef.name) return TypeMetaFieldDef;
    return name === TypeNameMetaFieldDef.name ? TypeNameMetaFieldDef : type.getFields()[name];
  }
}

/** The usual case is that arguments are variables, and those are there. Everything else is left to graphql-js. */
function argumentsReader(definition: GraphQLField<unknown, unknown>, node: FieldNode): PlannedField['argumentsOf'] {
  if (definition.args.length === 0) return () => ({});
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
