/** print — writes `schema.graphql`: the contract that SDK, widget and pages are checked against. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { printSchema } from 'graphql';
import { schema } from './index.ts';

export const SDL_FILE = fileURLToPath(new URL('../../schema.graphql', import.meta.url));

export const printedSchema = (): string => `${printSchema(schema)}\n`;

if (import.meta.filename === process.argv[1]) writeFileSync(SDL_FILE, printedSchema());
