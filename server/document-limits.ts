/** document-limits — how much one document may ask for; what asks for more is refused before anything is resolved. */
import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthPlugin } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesPlugin } from '@escape.tech/graphql-armor-max-directives';
import { maxTokensPlugin } from '@escape.tech/graphql-armor-max-tokens';
import { GraphQLError, type ValidationContext } from 'graphql';

/** Levels of fields. The full introspection query has 15; what people write has less. */
const DEPTH_MAX = 15;
const ALIASES_MAX = 100;
const DIRECTIVES_MAX = 50;
const TOKENS_MAX = 2_000;

/**
 * Reported like any other mistake in a document. Thrown, as the plugins do by themselves, it would be no validation
 * error: another status, another code, and a sentence about syntax.
 */
const reported = {
  propagateOnRejection: false,
  onReject: [
    (context: ValidationContext | null, error: GraphQLError) =>
      context?.reportError(new GraphQLError(error.message.replace('Syntax Error: ', ''))),
  ],
};

/** Yoga plugins, in order. */
export const documentLimits = () => [
  maxTokensPlugin({ n: TOKENS_MAX }),
  // Introspection is a question like any other, and fragments are a way to write: fields count, wherever they stand.
  maxDepthPlugin({ n: DEPTH_MAX, ignoreIntrospection: false, flattenFragments: true, ...reported }),
  maxAliasesPlugin({ n: ALIASES_MAX, allowList: [], ...reported }),
  maxDirectivesPlugin({ n: DIRECTIVES_MAX, ...reported }),
];
