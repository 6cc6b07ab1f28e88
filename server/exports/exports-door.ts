/**
 * exports-door — `/exports/…`: invoices and closed periods as files, as long as they are, in the memory of a page.
 *
 * A page is read when the reader has taken the one before, in a short read of its own: nothing is held while a client is
 * slow. What breaks on the way cuts the connection, so that nobody takes half a file for a whole one; and so does a reader
 * who takes nothing for a minute.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Authenticate } from '../auth/authenticate.ts';
import { type Database, isUnreachable } from '../db/client.ts';
import { queryIn } from '../db/query-in.ts';
import type { Clock } from '../domain/clock.ts';
import { type ErrorCode, MeterError } from '../domain/errors.ts';
import { type ApiKeyViewer, mayRead } from '../domain/viewer.ts';
import { type ExportRequest, exportRequestOf } from './export-request.ts';
import { invoicesCsv, invoicesNdjson, type ReadAs } from './invoice-export.ts';
import { type OpenExport, OpenExports } from './open-exports.ts';
import { usageNdjson } from './usage-export.ts';

export type ExportsDeps = {
  readonly database: Database;
  readonly authenticate: Authenticate;
  readonly clock: Clock;
  /** Told of what is nobody's fault but ours. */
  readonly onBug: (error: unknown) => void;
};

type Export = {
  readonly contentType: string;
  readonly parameters: readonly string[];
  readonly pages: (read: ReadAs, filter: ExportRequest & { readonly tenantId: string }) => AsyncGenerator<string>;
};

const NDJSON = 'application/x-ndjson; charset=utf-8';

const EXPORTS: Readonly<Record<string, Export>> = {
  '/exports/invoices.csv': {
    contentType: 'text/csv; charset=utf-8; header=present',
    parameters: ['after', 'from', 'to', 'status'],
    pages: invoicesCsv,
  },
  '/exports/invoices.ndjson': {
    contentType: NDJSON,
    parameters: ['after', 'from', 'to', 'status'],
    pages: invoicesNdjson,
  },
  '/exports/usage.ndjson': { contentType: NDJSON, parameters: ['from', 'to'], pages: usageNdjson },
};

/** How often it is looked for downloads that nobody reads. */
const STALL_TICK_MS = 5_000;
const RETRY_AFTER_SECONDS = 5;

export class ExportsDoor {
  readonly paths: readonly string[] = Object.keys(EXPORTS);
  readonly #deps: ExportsDeps;
  readonly #open = new OpenExports();
  readonly #ticker: NodeJS.Timeout;

  constructor(deps: ExportsDeps) {
    this.#deps = deps;
    this.#ticker = setInterval(() => this.cutStalled(), STALL_TICK_MS).unref();
  }

  readonly handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      await this.#answer(request, response);
    } catch (error) {
      if (response.headersSent) this.#cut(response, error);
      else refuse(response, this.#refusalOf(error));
    }
  };

  /** Cuts what is still being sent. */
  close(): void {
    clearInterval(this.#ticker);
    this.#open.cutAll();
  }

  /** Cuts what nobody has read of for too long. */
  cutStalled(): void {
    this.#open.cutStalled(this.#deps.clock.now());
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://exports');
    const wanted = EXPORTS[pathname];
    if (!wanted) throw new Error(`${pathname} is no export`);
    if (request.method !== 'GET') throw new WrongMethod();
    const { tenantId } = await this.#viewerOf(request);
    const filter = { ...exportRequestOf(searchParams, wanted.parameters), tenantId };
    const fullness = this.#open.fullFor(tenantId);
    if (fullness !== null) throw new MeterError('OVERLOADED', fullness);
    const open = this.#open.add(tenantId);
    try {
      const pages = wanted.pages(readerOf(this.#deps.database, tenantId), filter);
      const first = await pages.next(); // what fails at once is told as an error
      response.writeHead(200, headersOf(pathname, wanted));
      response.flushHeaders();
      // A page is a chunk, and one is read ahead.
      const chunks = Readable.from(this.#waiting(open, first, pages), { objectMode: true, highWaterMark: 1 });
      await pipeline(chunks, response, { signal: open.abort.signal });
    } finally {
      this.#open.remove(open);
    }
  }

  /** All pages, with a note of when each began to wait for its reader; the last one waits until it is sent. */
  async *#waiting(open: OpenExport, first: IteratorResult<string, void>, rest: AsyncGenerator<string>) {
    const { clock } = this.#deps;
    try {
      for (let page = first; !page.done; page = await rest.next()) {
        open.waitingSinceMs = clock.now();
        yield page.value;
        open.waitingSinceMs = null;
      }
    } finally {
      open.waitingSinceMs = clock.now();
      await rest.return(undefined);
    }
  }

  async #viewerOf({ headers }: IncomingMessage): Promise<ApiKeyViewer> {
    const viewer = await this.#deps.authenticate(headers.authorization);
    if (!viewer) {
      throw new MeterError(
        'UNAUTHENTICATED',
        'An export needs a key: send the header "Authorization: Bearer <API key>".',
      );
    }
    if (viewer.kind === 'api-key' && mayRead(viewer)) return viewer;
    const found = viewer.kind === 'customer' ? 'a customer token' : 'a key without them';
    throw new MeterError('FORBIDDEN', `An export needs an API key with scope "read" or "admin"; this is ${found}.`);
  }

  /** A reader that has gone, or was cut off, is no fault of ours. */
  #cut(response: ServerResponse, error: unknown): void {
    response.destroy();
    if (!GONE.has(codeOf(error))) this.#deps.onBug(error);
  }

  #refusalOf(error: unknown): Refusal {
    if (error instanceof WrongMethod) return error.refusal;
    if (error instanceof MeterError) return refusalOf(error);
    this.#deps.onBug(error);
    if (isUnreachable(error)) {
      return refusalOf(new MeterError('UNAVAILABLE', 'The database could not be reached; try again shortly.'));
    }
    const message = 'Something went wrong on our side; the operator finds it in the log.';
    return { status: 500, code: 'INTERNAL_SERVER_ERROR', message, headers: {} };
  }
}

const readerOf =
  (database: Database, tenantId: string): ReadAs =>
  (work) =>
    database.readAs(tenantId, (db) => work(queryIn(db)));

const headersOf = (path: string, { contentType }: Export) => ({
  'Content-Type': contentType,
  'Content-Disposition': `attachment; filename="${path.slice(path.lastIndexOf('/') + 1)}"`,
  'Cache-Control': 'no-store',
});

class WrongMethod extends Error {
  override readonly name = 'WrongMethod';
  readonly refusal: Refusal = {
    status: 405,
    code: 'METHOD_NOT_ALLOWED',
    message: 'An export is read with GET.',
    headers: { Allow: 'GET' },
  };
}

type Refusal = {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly headers: Readonly<Record<string, string>>;
};

const STATUSES: Partial<Record<ErrorCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  INVALID_INPUT: 400,
  OVERLOADED: 503,
  UNAVAILABLE: 503,
};

const refusalOf = ({ code, message }: MeterError): Refusal => ({
  status: STATUSES[code] ?? 500,
  code,
  message,
  headers: {
    ...(code === 'UNAUTHENTICATED' && { 'WWW-Authenticate': 'Bearer' }),
    ...(STATUSES[code] === 503 && { 'Retry-After': String(RETRY_AFTER_SECONDS) }),
  },
});

/** As GraphQL's errors look, so that a client reads both alike. */
function refuse(response: ServerResponse, { status, code, message, headers }: Refusal): void {
  const body = JSON.stringify({ errors: [{ message, extensions: { code } }] });
  const length = Buffer.byteLength(body);
  response
    .writeHead(status, { 'Content-Type': 'application/json; charset=utf-8', 'Content-Length': length, ...headers })
    .end(body);
}

const GONE: ReadonlySet<unknown> = new Set(['ERR_STREAM_PREMATURE_CLOSE', 'ABORT_ERR']);

const codeOf = (error: unknown): unknown => (error instanceof Error && 'code' in error ? error.code : null);
