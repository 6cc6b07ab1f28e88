/**
 * Goal: who comes from another system finds every name of docs/coming-from.md, and every call does what the page says.
 * Method: the names of its tables looked up in the schema and the config's types; its documents run in order on a gateway
 * that has its config.
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type NameNode, parse, visit } from 'graphql';
import { beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded } from '../support/engines.ts';
import { startGateway, type TestGateway } from '../support/gateway.ts';
import { objectOf } from '../support/worked-examples.ts';

const read = (path: string): string => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
const page = read('docs/coming-from.md');

/** What is said in the last column of the tables, in the marks of code. */
const named = page
  .split('\n')
  .filter((line) => line.startsWith('| ') && !/^\| (there|---)/.test(line))
  .flatMap((line) => {
    const ours = line.split(/(?<!\\)\|/).at(-2) ?? '';
    return [...ours.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code);
  });

/** `wallet: { autoTopUp }` names two things; `'true'`, numbers and units of time are values. */
const words = new Set(
  named
    .flatMap((code) => code.replace(/'[^']*'/g, '').match(/[A-Za-z_]+/g) ?? [])
    .filter((word) => !['true', 'false', 'null'].includes(word)),
);
const known = new Set([...namesOfTheApi(), ...namesOfTheConfig()]);

/** Types, fields, arguments and values of enums: what a call may say. A word of a description is none. */
function namesOfTheApi(): readonly string[] {
  const names: string[] = [];
  const note = ({ name }: { readonly name: NameNode }) => void names.push(name.value);
  visit(parse(read('schema.graphql')), {
    ObjectTypeDefinition: note,
    InputObjectTypeDefinition: note,
    UnionTypeDefinition: note,
    InterfaceTypeDefinition: note,
    ScalarTypeDefinition: note,
    EnumTypeDefinition: note,
    EnumValueDefinition: note,
    FieldDefinition: note,
    InputValueDefinition: note, // arguments, and fields of inputs
  });
  return names;
}

/** Fields of its types, and the values that they are declared with; comments are left out. */
function namesOfTheConfig(): readonly string[] {
  const files = ['server/define-config.ts', 'server/domain/feature.ts', 'server/domain/aggregation.ts'];
  const code = files
    .map(read)
    .join('\n')
    .replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
  return [...code.matchAll(/\b(\w+)\??:|'(\w+)'/g)].map(([, field, value]) => field ?? value ?? '');
}

const documents = [...page.matchAll(/```graphql\n([\s\S]*?)\n# → (.*)\n```/g)].map(([, document = '', answer = '']) => [
  (/## ([^\n[]+?)(?: \[[^\n]*)?\n(?![\s\S]*\n## )/.exec(page.slice(0, page.indexOf(document))) ?? [])[1] ?? 'the page',
  document,
  JSON.parse(answer),
]);

it('there are maps and examples', () => {
  expect(words.size).toBeGreaterThan(60);
  expect(documents.length).toBe(page.split('```graphql').length - 1);
});

it.each([...words].sort())('"%s" is a word of the API or the config', (word) => {
  expect(known.has(word)).toBe(true);
});

describe('an example of', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    const [, config = ''] = /```ts\n([\s\S]*?)\n```/.exec(page) ?? [];
    gateway = await startGateway({ database: await openEmbedded(), config: objectOf(config) });
  });

  it.each(documents)('%s does what it says', async (_, document, answer) => {
    expect(await gateway.data(document)).toEqual(answer);
  });
});
