/**
 * fast-door — the short way for what nearly every call is: a plain POST of a document that is known, answered without
 * errors. It takes the steps that yoga takes, by the same functions, without building a fetch request and response.
 *
 * Whatever it does not understand, it hands to yoga as it came; what it has begun, it hands on, so that nothing is done
 * twice. So refusals and errors have one place, and both doors answer alike, byte for byte.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import type { DocumentNode, ExecutionResult } from 'graphql';
import { type AnswerType, answerTypeOf } from './answer-type.ts';
import type { Authenticate } from './auth/authenticate.ts';
import type { Context } from './context.ts';
import type { DocumentCache } from './document-cache.ts';
import type { Viewer } from './domain/viewer.ts';
import { type Begun, BODY_BYTES_MAX, type GraphQLServer } from './graphql-server.ts';
import { type OperationParams, paramsOf } from './operation-params.ts';
import { type Operation, Operations } from './operations.ts';

export type FastDoorDeps = {
  readonly graphql: GraphQLServer;
  readonly documents: DocumentCache;
  readonly authenticate: Authenticate;
  readonly contextFor: (viewer: Viewer | null) => Context;
  /** Told of each call that it has answered itself. */
  readonly onAnswered: () => void;
};

export class FastDoor {
  readonly #deps: FastDoorDeps;
  readonly #operations: Operations;

  constructor(deps: FastDoorDeps) {
    this.#deps = deps;
    const { schema, execute, validate } = deps.graphql.getEnveloped({});
    const isValid = (document: DocumentNode) => validate(schema, document).length === 0;
    this.#operations = new Operations({ schema, isValid, execute });
  }

  readonly handle = (request: IncomingMessage, response: ServerResponse): void | Promise<void> => {
    const type = answerTypeOf(request.headers.accept);
    if (type === null || !isPlainPost(request)) return this.#pass(request, response);
    return this.#answer(request, response, type);
  };

  async #answer(request: IncomingMessage, response: ServerResponse, type: AnswerType): Promise<void> {
    const body = await wholeBody(request);
    const params = paramsOf(body);
    const operation = params && this.#operationOf(params);
    if (!operation) return this.#pass(replayed(request, body), response);

    const authenticated = this.#deps.authenticate(request.headers.authorization);
    const viewer = await authenticated.catch(() => undefined);
    if (viewer === undefined) return this.#pass(replayed(request, body), response, { authenticated });
    if (viewer) this.#deps.documents.keep(params.query);

    const executed = operation(this.#deps.contextFor(viewer), params.variables);
    const result = isPromise(executed) ? await executed.catch(() => null) : executed;
    if (!isPlain(result)) {
      const begun = { authenticated, executed: result ? asOfNow(result) : executed };
      return this.#pass(replayed(request, body), response, begun);
    }
    this.#deps.onAnswered();
    send(response, type, JSON.stringify(result));
  }

  #operationOf({ query, operationName }: OperationParams): Operation | null {
    const document = this.#deps.documents.get(query);
    return document ? this.#operations.find(document, operationName) : null;
  }

  #pass(request: IncomingMessage | ReplayedRequest, response: ServerResponse, begun?: Begun): void | Promise<void> {
    const { graphql } = this.#deps;
    return begun ? graphql.handle(request, response, { begun }) : graphql.handle(request, response);
  }
}

const CONTENT_TYPE = /^application\/json(; ?charset=utf-8)?$/i;

/** Whether this is all there is to know of a request: a JSON body of known length, from no page of a browser. */
function isPlainPost({ method, url, headers }: IncomingMessage): boolean {
  const bytes = Number(headers['content-length']);
  return (
    method === 'POST' &&
    url === '/graphql' &&
    headers['content-type']?.startsWith('application/json') === true &&
    CONTENT_TYPE.test(headers['content-type']) &&
    bytes > 0 &&
    bytes <= BODY_BYTES_MAX &&
    headers['transfer-encoding'] === undefined &&
    headers['content-encoding'] === undefined &&
    headers.origin === undefined
  );
}

/** Settles with the whole body; never, if the connection breaks before. Node sees to it that it has no more than was said. */
function wholeBody(request: IncomingMessage): Promise<Buffer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => resolve(chunks[0] && chunks.length === 1 ? chunks[0] : Buffer.concat(chunks)));
  });
}

type ReplayedRequest = Readable & Pick<IncomingMessage, 'method' | 'url' | 'headers' | 'socket'>;

/** The same request, to be read again. */
const replayed = ({ method, url, headers, socket }: IncomingMessage, body: Buffer): ReplayedRequest =>
  Object.assign(Readable.from([body]), { method, url, headers, socket });

/** An answer without errors, and with nothing else that yoga would look at. */
function isPlain(result: ExecutionResult | null): boolean {
  for (const key in result) if (key !== 'data') return false;
  return result !== null && 'data' in result;
}

/** Where a null has spread, others may still execute, and fail: that comes too late for the answer. */
const asOfNow = (result: ExecutionResult): ExecutionResult =>
  result.errors ? { ...result, errors: [...result.errors] } : result;

function send(response: ServerResponse, type: AnswerType, body: string): void {
  if (response.destroyed) return;
  const headers = { 'Content-Type': `${type}; charset=utf-8`, 'Content-Length': Buffer.byteLength(body) };
  response.writeHead(200, headers).end(body);
}

const isPromise = <T>(value: T | Promise<T>): value is Promise<T> => value instanceof Promise;
