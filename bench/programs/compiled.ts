/**
 * compiled — the least that answers GraphQL: `node:http`, a map of documents compiled by graphql-jit, and the constant
 * resolver. No authentication, no limits, no masking, no negotiation, and no errors as GraphQL has them.
 */
import './leash.ts';
import { createServer } from 'node:http';
import { isInputObjectType, parse } from 'graphql';
import { type CompiledQuery, compileQuery, isCompiledQuery } from 'graphql-jit';
import { constantSchema } from './constant-schema.ts';
import { listenOnLoopback } from './loopback.ts';

// graphql-jit writes default values as JSON, which has none for those of `Decimal`.
for (const type of Object.values(constantSchema.getTypeMap())) {
  if (!isInputObjectType(type)) continue;
  for (const field of Object.values(type.getFields()))
    if (field.type.toString() === 'Decimal') delete field.defaultValue;
}

const documents = new Map<string, CompiledQuery>();

function compiled(text: string): CompiledQuery {
  const query = compileQuery(constantSchema, parse(text));
  if (!isCompiledQuery(query)) throw new Error(`graphql-jit cannot compile this: ${query.errors?.[0]?.message}`);
  documents.set(text, query);
  return query;
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.once('end', () => {
    const { query, variables } = JSON.parse(Buffer.concat(chunks).toString());
    const document = documents.get(query) ?? compiled(query);
    const body = JSON.stringify(document.query(undefined, {}, variables));
    response
      .writeHead(200, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) })
      .end(body);
  });
});
listenOnLoopback(server);
