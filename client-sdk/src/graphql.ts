/**
 * graphql — documents that know their result and variables, and are nothing but text when they run.
 *
 * gql.tada reads the text and `schema-types.d.ts` (made from `../schema.graphql`) in the type checker. Its own run-time
 * parser is left out: a page that only listens then ships no GraphQL parser at all.
 *
 * Nothing that callers see may be typed by this file: a declaration of `documentOf` writes the whole schema out.
 */
import type { initGraphQLTada, ResultOf, VariablesOf } from 'gql.tada';
import type { Operation, Sent } from './operation.ts';
import type { introspection } from './schema-types.d.ts';
import type { DateTime, Decimal, Json } from './value-types.ts';

interface Setup {
  introspection: introspection;
  scalars: { Decimal: Decimal; DateTime: DateTime; JSON: Json };
}

declare const tada: ReturnType<typeof initGraphQLTada<Setup>>;
/** Never runs. It asks the type checker which document `tada` would make of the text. */
const documentOf = <const Text extends string>(text: Text) => tada(text);
type DocumentOf<Text extends string> = ReturnType<typeof documentOf<Text>>;

/** Fragments are string constants put into the text, so that one literal type holds the whole operation. */
export const graphql = <const Text extends string>(
  text: Text,
): Operation<ResultOf<DocumentOf<Text>>, Sent<VariablesOf<DocumentOf<Text>>>> => ({ text });
