/**
 * Goal: what is remembered of a document is bounded by its length, and nobody sees where that ends. Method: documents
 * executed twice, over a schema in which fragments unfold; what has no plan is counted.
 */
import { buildSchema, type ExecutionArgs, execute, parse } from 'graphql';
import { expect, it } from 'vitest';
import type { Context } from './context.ts';
import { Operations } from './operations.ts';

const schema = buildSchema('type Query { a: Query b: Query name: String }');
const query = schema.getQueryType()?.getFields();
if (query?.a && query.b && query.name) {
  query.a.resolve = () => ({});
  query.b.resolve = () => ({});
  query.name.resolve = (_source, _args, _context, { path }) => `${path.prev?.key}.${path.key}`;
}

/** Executes an operation. @returns its answer, and whether it had a plan. */
function openOperations(text: string) {
  const document = parse(text);
  let unplanned = 0;
  const executeUnplanned = (args: ExecutionArgs) => {
    unplanned += 1;
    return execute(args);
  };
  const operations = new Operations({ schema, isValid: () => true, execute: executeUnplanned });
  return async (name: string | null = null) => {
    unplanned = 0;
    const context = {} as Context; // these resolvers ask for none
    const answer = await operations.find(document, name)?.(context, {});
    expect(answer).toEqual(execute({ schema, document, operationName: name }));
    return unplanned === 0 ? 'planned' : 'unplanned';
  };
}

/** Every level selects twice what the next one does. */
const unfolding = (levels: number): string =>
  Array.from({ length: levels }, (_, i) => `fragment F${i} on Query { a { ...F${i + 1} } b { ...F${i + 1} } }`)
    .concat(`fragment F${levels} on Query { name }`)
    .join(' ');

it.each<[levels: number, again: string]>([
  [2, 'planned'],
  [8, 'unplanned'],
])('fragments of %i levels are %s the second time', async (levels, again) => {
  const execute = openOperations(`{ ...F0 } ${unfolding(levels)}`);
  expect(await execute()).toBe('planned');
  expect(await execute()).toBe(again);
});

it('many operations share what one could have', async () => {
  const names = Array.from({ length: 50 }, (_, i) => `query Q${i} { ...All }`).join(' ');
  const all = Array.from({ length: 30 }, (_, i) => `n${i}: name`).join(' ');
  const execute = openOperations(`${names} fragment All on Query { ${all} }`);
  expect(await execute('Q7')).toBe('planned');
  expect(await execute('Q7')).toBe('unplanned');
});
