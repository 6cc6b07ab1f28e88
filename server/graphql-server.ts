/** graphql-server — yoga with our schema, limits and errors: what both doors, HTTP and WebSocket, execute through. */
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { ExecutionResult, GraphQLSchema } from 'graphql';
import { type CORSOptions, createGraphQLError, createYoga, type Plugin, type YogaInitialContext } from 'graphql-yoga';
import type { Authenticate } from './auth/authenticate.ts';
import type { Context } from './context.ts';
import type { DocumentCache } from './document-cache.ts';
import { documentLimits } from './document-limits.ts';
import type { Viewer } from './domain/viewer.ts';
import type { EventStreams } from './event-streams.ts';
import { toGraphQLError } from './graphql-errors.ts';

export const BODY_BYTES_MAX = 1_000_000;

/** What does not parse is parsed again, which is cheap, and so always answered alike. */
const NOTHING_KEPT = { get: () => undefined, set: () => {} };

export type GraphQLServerDeps = {
  readonly schema: GraphQLSchema;
  readonly authenticate: Authenticate;
  readonly contextFor: (viewer: Viewer | null) => Context;
  readonly documents: DocumentCache;
  /** Origins that browsers may call from, besides our own. */
  readonly corsOrigins: readonly string[];
  readonly eventStreams: EventStreams;
  readonly onBug: (error: unknown) => void;
};

/** What was found out already of a request that is handed over, and need not be done again. */
export type Begun = {
  readonly authenticated: Promise<Viewer | null>;
  readonly executed?: ExecutionResult | Promise<ExecutionResult>;
};

/** A WebSocket has authenticated when it was opened; over HTTP each request does. */
export type DoorContext = { readonly viewer?: Viewer; readonly begun?: Begun };

export type GraphQLServer = ReturnType<typeof createGraphQLServer>;

export function createGraphQLServer(deps: GraphQLServerDeps) {
  const { schema, authenticate, contextFor, documents, corsOrigins, eventStreams, onBug } = deps;
  return createYoga<DoorContext, Context>({
    schema,
    logging: false,
    landingPage: false,
    multipart: false,
    maxRequestBodySize: BODY_BYTES_MAX,
    parserAndValidationCache: { documentCache: documents, errorCache: NOTHING_KEPT },
    cors: (request) => corsFor(request.headers.get('origin'), corsOrigins),
    renderGraphiQL,
    graphiql: { title: 'Metergraph', subscriptionsProtocol: 'WS', defaultQuery: GREETING },
    maskedErrors: { maskError: (error) => toGraphQLError(error, onBug) },
    context: async ({ viewer: known, begun, request }: YogaInitialContext & DoorContext): Promise<Context> =>
      contextFor(known ?? (await (begun?.authenticated ?? authenticate(request?.headers.get('authorization'))))),
    plugins: [useJsonOnly(), ...documentLimits(), useValidOnly(documents), useBegun(), eventStreams.plugin()],
  });
}

/** What a page of a listed origin is told, and no other: given a list, yoga would answer `null`, the origin of sandboxes. */
function corsFor(origin: string | null, listed: readonly string[]): CORSOptions {
  if (origin === null || !listed.includes(origin)) return false;
  return { origin: [origin, origin], credentials: false, methods: ['GET', 'POST'] }; // two, so that caches vary
}

/**
 * A form on another site can post a form without being asked first, but not JSON: browsers preflight that, and the
 * allow-list answers.
 */
function useJsonOnly(): Plugin {
  return {
    onRequestParse({ request }) {
      if (request.method !== 'POST') return;
      const type = request.headers.get('content-type')?.split(';')[0]?.trim() ?? '';
      if (type === 'application/json') return;
      throw createGraphQLError(`Content-Type is "${type}"; send GraphQL as application/json.`, {
        extensions: { code: 'UNSUPPORTED_MEDIA_TYPE', http: { status: 415 } },
      });
    },
  };
}

/** A document that is not valid is not worth its memory: a hundred errors take far more than the text that has them. */
function useValidOnly(documents: DocumentCache): Plugin {
  return {
    onValidate({ params: { documentAST } }) {
      return ({ valid }) => {
        if (!valid && documentAST.loc) documents.delete(documentAST.loc.source.body);
      };
    },
  };
}

/** What was executed already is not executed again; its errors are masked, and it is answered, like any other. */
function useBegun(): Plugin<DoorContext> {
  return {
    onExecute({ context: { begun }, setExecuteFn }) {
      const executed = begun?.executed;
      if (executed) setExecuteFn(() => executed);
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
