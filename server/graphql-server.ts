/** graphql-server — yoga with our schema, limits and errors: what both doors, HTTP and WebSocket, execute through. */
import { renderGraphiQL } from '@graphql-yoga/render-graphiql';
import type { DocumentNode, GraphQLSchema } from 'graphql';
import { type CORSOptions, createGraphQLError, createYoga, type Plugin, type YogaInitialContext } from 'graphql-yoga';
import { LRUCache } from 'lru-cache';
import type { Authenticate } from './auth/authenticate.ts';
import { type Context, type Services, servicesFor } from './context.ts';
import { documentLimits } from './document-limits.ts';
import type { Viewer } from './domain/viewer.ts';
import type { EventStreams } from './event-streams.ts';
import { toGraphQLError } from './graphql-errors.ts';

const BODY_BYTES_MAX = 1_000_000;

/**
 * Parsed documents are kept, by their text. Bounded by how long they are, too: anybody may send a thousand of 1 MB
 * each, before we know who it is.
 */
const DOCUMENTS = {
  max: 1_000,
  maxSize: 4_000_000,
  sizeCalculation: (_document: DocumentNode, text: string) => text.length || 1,
};
/** What does not parse is parsed again, which is cheap, and so always answered alike. */
const NOTHING_KEPT = { get: () => undefined, set: () => {} };

export type GraphQLServerDeps = {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly authenticate: Authenticate;
  /** Origins that browsers may call from, besides our own. */
  readonly corsOrigins: readonly string[];
  readonly eventStreams: EventStreams;
  readonly onBug: (error: unknown) => void;
};

/** A WebSocket has authenticated when it was opened; over HTTP each request does. */
export type SocketContext = { readonly viewer?: Viewer };

export type GraphQLServer = ReturnType<typeof createGraphQLServer>;

export function createGraphQLServer(deps: GraphQLServerDeps) {
  const { schema, services, authenticate, corsOrigins, eventStreams, onBug } = deps;
  return createYoga<SocketContext, Context>({
    schema,
    logging: false,
    landingPage: false,
    multipart: false,
    maxRequestBodySize: BODY_BYTES_MAX,
    parserAndValidationCache: { documentCache: new LRUCache(DOCUMENTS), errorCache: NOTHING_KEPT },
    cors: (request) => corsFor(request.headers.get('origin'), corsOrigins),
    renderGraphiQL,
    graphiql: { title: 'Metergraph', subscriptionsProtocol: 'WS', defaultQuery: GREETING },
    maskedErrors: { maskError: (error) => toGraphQLError(error, onBug) },
    context: async ({ viewer: known, request }: YogaInitialContext & SocketContext): Promise<Context> => {
      const viewer = known ?? (await authenticate(request?.headers.get('authorization')));
      return { viewer, services: servicesFor(services, viewer), memo: new Map() };
    },
    plugins: [useJsonOnly(), ...documentLimits(), eventStreams.plugin()],
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
