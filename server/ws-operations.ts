/** ws-operations — what is said over a WebSocket: who asks, and operations, executed as those over HTTP are. */
import {
  type ExecutionArgs,
  type ExecutionResult,
  type FormattedExecutionResult,
  GraphQLError,
  getOperationAST,
} from 'graphql';
import { CloseCode, type WebSocket as GraphQLSocket, makeServer, type SubscribePayload } from 'graphql-ws';
import type { Answer } from './audience.ts';
import type { Authenticate } from './auth/authenticate.ts';
import { isExpiredToken } from './auth/customer-token.ts';
import type { Clock } from './domain/clock.ts';
import { MeterError } from './domain/errors.ts';
import type { FanOut } from './fan-out.ts';
import { toGraphQLError, withCode, withoutHttp } from './graphql-errors.ts';
import type { GraphQLServer } from './graphql-server.ts';
import { Sending } from './ws-sending.ts';
import type { OpenSocket } from './ws-socket.ts';

export type OperationsDeps = {
  readonly graphql: GraphQLServer;
  readonly fanOut: FanOut;
  readonly authenticate: Authenticate;
  readonly clock: Clock;
  readonly onBug: (error: unknown) => void;
  /** Operations at a time on one socket. */
  readonly subscriptionsMax: number;
  readonly initMsMax: number;
  /** Told of a socket that has said who it is, before it is acknowledged; may end it. */
  readonly admit: (socket: OpenSocket) => void;
};

type Extra = { readonly open: OpenSocket };
/** What an operation needs besides its arguments, put where the protocol hands it on. */
type Extras = Pick<ReturnType<GraphQLServer['getEnveloped']>, 'execute'> & {
  readonly id: string;
  readonly open: OpenSocket;
};
type Executed = Promise<ExecutionResult>;

/** Close codes end a graphql-ws client for good, except 4403: on that it comes back, with a new credential. */
const EXPIRED = CloseCode.Forbidden;
const BAD_CREDENTIAL = CloseCode.Unauthorized;

export class Operations {
  readonly #deps: OperationsDeps;
  readonly #protocol;
  /** Queries and mutations that have no answer yet. */
  readonly #unanswered = new Set<Executed>();

  constructor(deps: OperationsDeps) {
    this.#deps = deps;
    this.#protocol = makeServer<Record<string, unknown>, Extra>({
      connectionInitWaitTimeout: deps.initMsMax,
      onConnect: ({ extra, connectionParams }) => this.#connect(extra.open, connectionParams?.authorization),
      onSubscribe: ({ extra }, id, payload) => this.#subscribe(extra.open, id, payload),
      onComplete: ({ extra }) => this.#count(extra.open, -1),
      onNext: (_ctx, _id, _payload, _args, result) => result.errors && formattedResult(result, result.errors),
      onError: (_ctx, _id, _payload, errors) => errors.map(formatted),
      execute: (args) => this.#execute(args),
      subscribe: (args) => this.#follow(args),
    });
  }

  /** @returns what is to be called when the socket has closed. */
  opened(open: OpenSocket, socket: GraphQLSocket): (code: number, reason: string) => unknown {
    return this.#protocol.opened(socket, { open });
  }

  /** Settles when all queries and mutations that have begun are answered, or after this time. */
  async answered(withinMs: number): Promise<void> {
    if (this.#unanswered.size === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((resolve) => {
      timer = setTimeout(resolve, withinMs);
    });
    await Promise.race([Promise.allSettled(this.#unanswered), late]);
    clearTimeout(timer);
    await new Promise(setImmediate); // the answers are handed to their sockets
  }

  async #connect(open: OpenSocket, authorization: unknown): Promise<boolean> {
    try {
      const isAbsent = authorization === undefined || authorization === null;
      const presented = isAbsent || typeof authorization === 'string' ? (authorization ?? null) : 'malformed';
      open.viewer = await this.#deps.authenticate(presented);
      open.authorization = presented;
      this.#deps.admit(open);
    } catch (error) {
      this.#refuse(open, error);
    }
    return true; // when refused, closed with a code of its own; false would close with 4403
  }

  /** An expired token is worth another try with a new one; any other bad credential is not. */
  #refuse(open: OpenSocket, error: unknown): void {
    if (!(error instanceof MeterError)) {
      this.#deps.onBug(error);
      open.end(CloseCode.InternalServerError, 'Internal server error');
    } else if (isExpiredToken(error)) open.end(EXPIRED, 'Token expired');
    else open.end(BAD_CREDENTIAL, 'Unauthorized');
  }

  /** Takes its place on the socket before anything is awaited: a burst must not slip in side by side. */
  async #subscribe(
    open: OpenSocket,
    id: string,
    payload: SubscribePayload,
  ): Promise<ExecutionArgs | readonly GraphQLError[]> {
    const { subscriptionsMax } = this.#deps;
    if (!open.isOpen) return [refused('UNAUTHENTICATED', 'This socket was told to close.')];
    if (open.operations >= subscriptionsMax) {
      const sentence = `This socket has ${subscriptionsMax} operations open, as many as it may; complete one first.`;
      return [new GraphQLError(sentence, { extensions: { code: 'TOO_MANY_SUBSCRIPTIONS', retryable: true } })];
    }
    this.#count(open, 1);
    const prepared = await this.#prepare(open, id, payload);
    if (Array.isArray(prepared)) this.#count(open, -1); // an operation that was refused is never completed
    return prepared;
  }

  async #prepare(open: OpenSocket, id: string, payload: SubscribePayload): Promise<ExecutionArgs | GraphQLError[]> {
    const { query, operationName, variables } = payload;
    const params = { query, operationName, variables };
    const { schema, execute, contextFactory, parse, validate } = this.#deps.graphql.getEnveloped({
      params,
      viewer: open.viewer,
    });
    try {
      const document = parse(query);
      const errors: readonly GraphQLError[] = validate(schema, document);
      if (errors.length > 0) return errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED'));
      if (!getOperationAST(document, operationName)) {
        return [refused('OPERATION_RESOLUTION_FAILURE', 'Could not determine what operation to execute.')];
      }
      return {
        schema,
        document,
        operationName,
        variableValues: variables,
        contextValue: await contextFactory(),
        rootValue: { execute, id, open } satisfies Extras,
      };
    } catch (error) {
      const isOfDocument = error instanceof GraphQLError && !error.originalError;
      return [isOfDocument ? withCode(error, 'GRAPHQL_PARSE_FAILED') : toGraphQLError(error, this.#deps.onBug)];
    }
  }

  #execute(args: ExecutionArgs): Executed {
    const executed = Promise.resolve<ExecutionResult>(extrasOf(args).execute(args)).finally(() =>
      this.#unanswered.delete(executed),
    );
    this.#unanswered.add(executed);
    return executed;
  }

  /** Sends each answer itself, so that what is the same for many is written down once; the protocol does the rest. */
  async #follow(args: ExecutionArgs): Promise<AsyncGenerator<never, undefined> | ExecutionResult> {
    const { id, open } = extrasOf(args);
    const followed = await this.#deps.fanOut.subscribe(args);
    if (!isStream(followed)) return this.#masked(followed);
    const head = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
    release(args);
    return new Sending(followed, (answer) => open.send(`${head}${this.#textOf(answer)}}`));
  }

  #textOf(answer: Answer): string {
    if (answer.stringify) return answer.stringify();
    const { errors = [], ...result } = this.#masked(answer);
    return JSON.stringify(formattedResult(result, errors));
  }

  #masked(result: ExecutionResult): ExecutionResult {
    const { errors = [], ...rest } = result;
    return { ...rest, errors: errors.map((error) => toGraphQLError(error, this.#deps.onBug)) };
  }

  #count(open: OpenSocket, change: 1 | -1): void {
    open.operations += change;
    open.quietSinceMs = this.#deps.clock.now();
  }
}

const extrasOf = (args: ExecutionArgs): Extras => args.rootValue as Extras; // as `#prepare` put it there

/** The protocol holds them for as long as the stream; nobody asks for them again. */
const release = (args: ExecutionArgs): void =>
  void Object.assign(args, { contextValue: null, rootValue: null, variableValues: null });

const isStream = <T>(followed: AsyncGenerator<T> | ExecutionResult): followed is AsyncGenerator<T> =>
  Symbol.asyncIterator in followed;

const refused = (code: string, sentence: string): GraphQLError => new GraphQLError(sentence, { extensions: { code } });

/** The rest of a result is the same in both forms; only their types differ in what may be undefined. */
const formattedResult = (result: object, errors: readonly GraphQLError[]) =>
  ({ ...result, errors: errors.map(formatted) }) as FormattedExecutionResult;

const formatted = (error: GraphQLError) => withoutHttp(error).toJSON();
