/** exchange — one request and its answer: who asks, what goes wrong, whether it was asked before, what it does. */
import type { IncomingHttpHeaders } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Account } from './account.ts';
import { type Fault, type Faults, refusalOf } from './faults.ts';
import { decodeForm } from './form.ts';
import { type Answer, IdempotencyKeys } from './idempotency.ts';
import { looked } from './looked.ts';
import { present } from './present.ts';
import { invalid, lockTimeout, Refusal, serverFailure } from './refusal.ts';
import type { Matched } from './route.ts';
import { Violation } from './validator.ts';
import type { World } from './world.ts';

export type Received = {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
};

/** What was asked and what it came to, for tests to look at. */
export type Entry = {
  readonly operation: string;
  readonly path: string;
  readonly account: string;
  readonly params: { readonly [name: string]: unknown };
  readonly idempotencyKey: string | null;
  /** 0 where the connection was cut before anything had happened. */
  readonly status: number;
  readonly isReplay: boolean;
  readonly fault: Fault['kind'] | undefined;
};

/** In place of an answer: the connection is to be cut. */
export const CUT = 'cut';

/** How many turns of the event loop a request is under way, so that those that were sent at once mostly are at once. */
const TURNS = 3;

export type ExchangeParts = {
  readonly world: World;
  readonly faults: Faults;
  readonly find: (method: string, path: string) => Matched | undefined;
  /** @throws Refusal for who may not ask. */
  readonly accountOf: (headers: IncomingHttpHeaders, matched: Matched | undefined) => Account;
  /** Brings the world up to its clock. */
  readonly catchUp: () => void;
};

/** A request whose sender, operation and parameters are known. */
type Asking = Matched & {
  readonly received: Received;
  readonly requestId: string;
  readonly key: string | null;
  readonly account: Account;
  readonly params: { readonly [name: string]: unknown };
  readonly fault: Fault | undefined;
};

export class Exchange {
  readonly entries: Entry[] = [];
  readonly #parts: ExchangeParts;
  readonly #keys = new Map<Account, IdempotencyKeys>();
  readonly #locked = new Set<string>();

  constructor(parts: ExchangeParts) {
    this.#parts = parts;
  }

  async answer(received: Received): Promise<Answer | typeof CUT> {
    const requestId = this.#parts.world.newId('req');
    const key = headerOf(received, 'idempotency-key');
    const headers = { 'request-id': requestId, ...(key === null ? {} : { 'idempotency-key': key }) };
    const answer = await this.#answerTo(received, requestId, key);
    return answer === CUT ? CUT : { ...answer, headers: { ...headers, ...answer.headers } };
  }

  async #answerTo(received: Received, requestId: string, key: string | null): Promise<Answer | typeof CUT> {
    try {
      return await this.#inTurn(this.#asking(received, requestId, key));
    } catch (failure) {
      return this.#refuse(failure, requestId);
    }
  }

  /** What nobody means to throw is a bug of the fake, and no test should take it for an answer of Stripe's. */
  #refuse(failure: unknown, requestId: string): Answer {
    const isMeant = failure instanceof Refusal || failure instanceof Violation || failure instanceof SyntaxError;
    if (!isMeant) this.#parts.world.validator.violate('a bug of the fake', (failure as Error).stack);
    return refused(failure, requestId);
  }

  #asking(received: Received, requestId: string, key: string | null): Asking {
    const { world, faults, find, accountOf } = this.#parts;
    const matched = find(received.method, received.path);
    const account = accountOf(received.headers, matched);
    if (!matched) throw world.validator.violate('the fake does not know', `${received.method} ${received.path}`);
    const { operation } = matched.route;
    const params = this.#paramsOf(operation, received);
    const fault = faults.take({ operation, params, idempotencyKey: key });
    return { ...matched, received, requestId, key, account, params, fault };
  }

  #paramsOf(operation: string, { method, query, body }: Received): Asking['params'] {
    if (method !== 'GET' && operation.includes(' /v2/')) return body === '' ? {} : JSON.parse(body);
    const form = decodeForm(method === 'GET' || body === '' ? query : body);
    return this.#parts.world.validator.coerced(operation, form) as Asking['params'];
  }

  /** Alone, of those that use the same; and what goes wrong before and after. */
  async #inTurn(asking: Asking): Promise<Answer | typeof CUT> {
    const { fault } = asking;
    const unlock = this.#lock(asking);
    try {
      await underway(fault, 'held_before');
      const early = refusalOf(fault);
      if (early) throw early;
      if (fault?.kind === 'cut_before') return this.#log(asking, CUT);
      return this.#log(asking, await this.#once(asking));
    } catch (failure) {
      return this.#log(asking, this.#refuse(failure, asking.requestId));
    } finally {
      unlock();
    }
  }

  #lock({ route, params, account }: Asking): () => void {
    if (!route.locks) return () => {};
    const lock = `${account.id} ${route.locks(params as never)}`;
    if (this.#locked.has(lock)) throw lockTimeout();
    this.#locked.add(lock);
    return () => this.#locked.delete(lock);
  }

  /** What is sent, which is not always what it came to. */
  #log(asking: Asking, answer: Answer | typeof CUT): Answer | typeof CUT {
    const { received, route, account, params, key, fault, requestId } = asking;
    const { operation } = route;
    const { path } = received;
    const status = answer === CUT ? 0 : answer.status;
    const isReplay = answer !== CUT && REPLAYED in answer.headers;
    const common = { operation, path, account: account.id, params, idempotencyKey: key };
    this.entries.push({ ...common, status, isReplay, fault: fault?.kind });
    if (fault?.kind === 'cut_after') return CUT;
    return fault?.kind === 'fails_after' ? refused(serverFailure(), requestId) : answer;
  }

  /** Once for each idempotency key, of what changes something. In progress until a hold lets it go. */
  async #once(asking: Asking): Promise<Answer> {
    const { received, key, account, fault } = asking;
    if (key === null || received.method !== 'POST') return this.#withheld(this.#run(asking), fault);
    const keys = this.#keysOf(account);
    const earlier = keys.begin(key, `${received.path} ${received.query} ${received.body}`, account.now());
    if (earlier) return { ...earlier, headers: { ...earlier.headers, [REPLAYED]: 'true' } };
    try {
      const answer = this.#run(asking);
      await underway(fault, 'held_after');
      if (answer.status < 400 || received.path.startsWith('/v1/')) keys.keep(key, answer);
      return answer;
    } finally {
      keys.forgetUnlessKept(key);
    }
  }

  /** As it was, whatever happens until it is let go. */
  async #withheld(answer: Answer, fault: Fault | undefined): Promise<Answer> {
    if (fault?.kind !== 'held_after') return answer;
    const asItWas = structuredClone(answer);
    await underway(fault, 'held_after');
    return asItWas;
  }

  #keysOf(account: Account): IdempotencyKeys {
    const known = this.#keys.get(account) ?? new IdempotencyKeys();
    this.#keys.set(account, known);
    return known;
  }

  /** @returns What doing it came to, be it a failure. @throws Refusal where nothing was done. */
  #run(asking: Asking): Answer {
    const { world, catchUp } = this.#parts;
    const { route, params, requestId, key, fault } = asking;
    catchUp();
    world.validator.checkRequest(route.operation, params);
    if (fault?.kind === 'fails_for_good') return refused(serverFailure(), requestId);
    world.request = { id: requestId, idempotencyKey: key };
    try {
      return { status: 200, body: this.#bodyOf(asking), headers: {} };
    } catch (failure) {
      if (failure instanceof Refusal && failure.body.type !== 'invalid_request_error')
        return refused(failure, requestId);
      throw failure;
    } finally {
      world.request = undefined;
    }
  }

  #bodyOf({ route, ids, account, params, received }: Asking): unknown {
    const { validator } = this.#parts.world;
    const { expand = [], ...rest } = params as { expand?: string[] };
    const { params: watched, passedOver } = looked(rest);
    const answer = route.answer({ account, params: watched, ids, id: ids[0] ?? '', url: received.path });
    const left = passedOver();
    if (left.length > 0) throw validator.violate(`the fake passes over parameters of ${route.operation}`, left);
    const body = present(account, answer, expand);
    validator.checkAnswer(route.operation, body);
    return body;
  }
}

const REPLAYED = 'idempotent-replayed';

/** Where the fault holds requests, until it lets this one go. */
async function underway(fault: Fault | undefined, when: 'held_before' | 'held_after'): Promise<void> {
  if (fault?.kind === when) {
    fault.hold.arrive();
    await fault.hold.released;
  }
  if (when === 'held_before') for (let turn = 0; turn < TURNS; turn += 1) await nextTurn();
}

const headerOf = ({ headers }: Received, name: string): string | null => {
  const value = headers[name];
  return value === undefined ? null : `${value}`;
};

/** The envelope of what was thrown. Of a violation the test hears the whole, and of a bug of the fake. */
function refused(failure: unknown, requestId: string): Answer {
  if (failure instanceof Refusal) {
    const body = { error: { ...failure.body, request_log_url: `fake:${requestId}` } };
    return { status: failure.status, body, headers: failure.headers };
  }
  if (failure instanceof SyntaxError) return refused(invalid(`The body is not JSON: ${failure.message}`), requestId);
  const message = failure instanceof Violation ? failure.message : `a bug of the fake: ${(failure as Error).stack}`;
  return { status: 500, body: { error: { type: 'api_error', message } }, headers: { 'stripe-should-retry': 'false' } };
}
