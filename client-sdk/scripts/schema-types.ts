/**
 * schema-types — writes `src/schema-types.d.ts` from `../schema.graphql`, for gql.tada to check the documents against.
 *
 * `npm run schema-types` writes the file, every build does so first, and a test fails when it is not what the schema
 * says. Its types never leave this package: what the SDK exports is written by hand and checked against them.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { minifyIntrospection, preprocessIntrospection } from '@gql.tada/internal';
import { buildSchema, introspectionFromSchema } from 'graphql';

export const SCHEMA = new URL('../../schema.graphql', import.meta.url);
export const TYPES = new URL('../src/schema-types.d.ts', import.meta.url);

const HEADER = `/** Made from schema.graphql by scripts/schema-types.ts; do not edit. */
// biome-ignore-all format: generated
// biome-ignore-all lint: generated
`;

/** The text of the types file for a schema. */
export function schemaTypes(sdl: string): string {
  const introspection = introspectionFromSchema(buildSchema(sdl), { descriptions: false });
  return `${HEADER}\nexport type introspection = ${preprocessIntrospection(minifyIntrospection(introspection)).trim()};\n`;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  writeFileSync(TYPES, schemaTypes(readFileSync(process.argv[2] ?? SCHEMA, 'utf8')));
}
