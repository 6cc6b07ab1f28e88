/** graphql-server — yoga with our schema, limits and errors: what both doors, HTTP and WebSocket, execute through. */
import { maxAliasesPlugin } from '@escape.tech/graphql-armor-max-aliases';
import { maxDepthPlugin } from '@escape.tech/graphql-armor-max-depth';
import { maxDirectivesPlugin } from '@escape.tech/graphql-armor-max-directives';
import { maxTokensPlugin } from '@escape.tech/graphql-armor-max-tokens';
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { GraphQLSchema } from 'graphql';
import { createGraphQLError, createYoga, type Plugin, type YogaInitialContext } from 'graphql-yoga';
import type { Authenticate } from './auth/authenticate.ts';
import type { Context, Services } from './context.ts';
import type { Viewer } from './domain/viewer.ts';
import { toGraphQLError } from './graphql-errors.ts';

/** The full introspection query is 13 deep; what people write is less. */
const DEPTH_MAX = 15;
const ALIASES_MAX = 100;
const DIRECTIVES_MAX = 50;
const TOKENS_MAX = 2_000;
export const BODY_BYTES_MAX = 1_000_000;

export type GraphQLServerDeps = {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly authenticate: Authenticate;
  /** Origins that browsers may call from, besides our own. */
  readonly corsOrigins: readonly string[];
  readonly onBug: (error: unknown) => void;
};

/** A WebSocket has authenticated when it was opened; over HTTP each request does. */
export type SocketContext = { readonly viewer?: Viewer };

export type GraphQLServer = ReturnType<typeof createGraphQLServer>;

export function createGraphQLServer({ schema, services, authenticate, corsOrigins, onBug }: GraphQLServerDeps) {
  return createYoga<SocketContext, Context>({
    schema,
    logging: false,
    landingPage: false,
    multipart: false,
    maxRequestBodySize: BODY_BYTES_MAX,
    cors: corsOrigins.length === 0 ? false : { origin: [...corsOrigins], credentials: false, methods: ['GET', 'POST'] },
    renderGraphiQL,
    graphiql: { title: 'Metergraph', subscriptionsProtocol: 'WS', defaultQuery: GREETING },
    maskedErrors: { maskError: (error) => toGraphQLError(error, onBug) },
    context: async ({ viewer, request }: YogaInitialContext & SocketContext): Promise<Context> => ({
      viewer: viewer ?? (await authenticate(request?.headers.get('authorization'))),
      services,
      memo: new Map(),
    }),
    plugins: [
      useJsonOnly(),
      maxTokensPlugin({ n: TOKENS_MAX }),
      maxDepthPlugin({ n: DEPTH_MAX }),
      maxAliasesPlugin({ n: ALIASES_MAX }),
      maxDirectivesPlugin({ n: DIRECTIVES_MAX }),
    ],
  });
}

/**
 * A form on another site can post a form without being asked first, but not JSON: browsers preflight that, and the
 * allow-list answers.
 */
function useJsonOnly(): Plugin {
  return {
    onRequestParse({ request }) {
      if (request.method !== 'POST') return;
      const type = request.headers.get('content-type')?.split(';')[0]?.trim().toLowerCase() ?? '';
      if (type === 'application/json') return;
      throw createGraphQLError(`Content-Type is "${type}"; send GraphQL as application/json.`, {
        extensions: { code: 'UNSUPPORTED_MEDIA_TYPE', http: { status: 415 } },
      });
    },
  };
}

const GREETING = `# Metergraph. Set the header {"Authorization": "Bearer <API key>"} below, then press play.
mutation Consume {
  consume(input: { referenceId: "acme", featureKey: "api_calls" }) {
    ... on Consumption {
      allowed
      denial { reason message retryAt }
      usage { used limit remaining }
    }
    ... on UserError { code message }
  }
}
`;
