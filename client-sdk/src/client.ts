/** client — the whole SDK: decide and record use, read it, follow it. */
import type { DocumentInput } from '@urql/core';
import { systemClock } from './clock.ts';
import type { ConsumeInput, ConsumeOutcome, Consumption } from './consume-types.ts';
import { credentialSource } from './credentials.ts';
import type { CreateCustomerTokenInput, Customer, CustomerToken, RegisterCustomerInput } from './customer-types.ts';
import { Check, Consume, ConsumeMany, CreateCustomerToken, ReadUsage, RegisterCustomer } from './documents.ts';
import { MetergraphError } from './errors.ts';
import { badResponse, clientClosed } from './failures.ts';
import { httpSender, isMutation } from './http.ts';
import type { Operation } from './operation.ts';
import type { CallOptions, ClientOptions } from './option-types.ts';
import { createMetergraphRealtime, type MetergraphRealtime } from './realtime.ts';
import { expectMember, pathOfItem, toConsumption, toOutcome } from './results.ts';
import { retrying } from './retry.ts';
import type { Usage, UsageInput } from './usage-types.ts';
import { exact, keyed, type MetergraphWrites, writesBy } from './writes.ts';

/** A client of one gateway with one credential. All methods may be called at the same time; none needs `this`. */
export interface MetergraphClient extends MetergraphRealtime, MetergraphWrites {
  /** Makes or updates the customer with this `referenceId`. */
  registerCustomer(input: RegisterCustomerInput, options?: CallOptions): Promise<Customer>;
  /**
   * Decides one use and, when allowed, counts it. A denial is an answer (`allowed: false`), not an error.
   *
   * @throws {MetergraphError} CUSTOMER_NOT_FOUND, FEATURE_NOT_FOUND, PLAN_NOT_FOUND, INVALID_AMOUNT,
   *   IDEMPOTENCY_CONFLICT, INVALID_INPUT, or one of the transport's.
   */
  consume(input: ConsumeInput, options?: CallOptions): Promise<Consumption>;
  /**
   * Up to 1,000 uses in one request, each with its own outcome, in the order of `inputs`. What is wrong with one is in
   * its outcome; only what is wrong with the request as a whole is thrown.
   */
  consumeMany(inputs: readonly ConsumeInput[], options?: CallOptions): Promise<ConsumeOutcome[]>;
  /** What `consume` would answer now; nothing is written. */
  check(input: ConsumeInput, options?: CallOptions): Promise<Consumption>;
  /** The running period of one customer and feature. */
  usage(input: UsageInput, options?: CallOptions): Promise<Usage>;
  /** Mints a short-lived, read-only token of one customer, to hand to a browser. Needs an API key. */
  createCustomerToken(input: CreateCustomerTokenInput, options?: CallOptions): Promise<CustomerToken>;
  /**
   * Anything else of the schema. Queries are retried like every call; a mutation is sent once.
   *
   * @param document The text, or a typed document (gql.tada, GraphQL code generator).
   * @example const { viewer } = await client.request<{ viewer: { tenant: { name: string } } }>('{ viewer { tenant { name } } }');
   */
  request<Data = unknown, Variables extends object = Record<string, unknown>>(
    document: DocumentInput<Data, Variables>,
    variables?: Variables,
    options?: CallOptions,
  ): Promise<Data>;
}

const DEFAULTS = { timeoutMs: 30_000, attemptTimeoutMs: 10_000, maxAttempts: 4 };
const BACKOFF = { baseMs: 200, capMs: 5_000 };

/** Makes a client. Nothing is sent before the first call. */
export function createMetergraphClient(options: ClientOptions): MetergraphClient {
  const { clock = systemClock, random = Math.random } = options;
  const credentials = credentialSource(options, clock);
  const realtime = createMetergraphRealtime(options);
  const send = httpSender(options.url, options.fetch ?? ((...request) => globalThis.fetch(...request)));
  const open = new Set<AbortController>();
  let closed = false;

  /** One call: retried as the policy says, ended early by the caller's signal or by `close()`. */
  async function call(
    document: DocumentInput<unknown, object>,
    variables: object,
    { signal, timeoutMs = options.timeoutMs ?? DEFAULTS.timeoutMs }: CallOptions = {},
    maxAttempts = options.maxAttempts ?? DEFAULTS.maxAttempts,
  ): Promise<unknown> {
    if (closed) throw clientClosed();
    const ending = new AbortController();
    const abort = () => ending.abort(aborted(signal?.reason));
    if (signal?.aborted) abort();
    signal?.addEventListener('abort', abort);
    open.add(ending);
    const { attemptTimeoutMs = DEFAULTS.attemptTimeoutMs } = options;
    const policy = { maxAttempts, timeoutMs, attemptTimeoutMs, backoff: BACKOFF, clock, random, signal: ending.signal };
    try {
      return await retrying((attempt) => authenticated(document, variables, attempt), policy);
    } finally {
      open.delete(ending);
      signal?.removeEventListener('abort', abort);
    }
  }

  /** One try. A refused token is renewed once; the second refusal stands. */
  async function authenticated(document: DocumentInput<unknown, object>, variables: object, signal: AbortSignal) {
    const token = await credentials.current();
    try {
      return await send({ document, variables, token, signal });
    } catch (error) {
      if (!credentials.renewable || !isUnauthenticated(error)) throw error;
      return await send({ document, variables, token: await credentials.renew(token), signal });
    }
  }

  async function run<Data, Variables extends object>(
    operation: Operation<Data, Variables>,
    variables: Variables,
    callOptions?: CallOptions,
  ): Promise<Data> {
    // The gateway speaks the schema the document was checked against.
    return (await call(operation.text, variables, callOptions)) as Data;
  }

  return {
    ...realtime,
    ...writesBy(run),

    registerCustomer: async (input, callOptions) => {
      const { registerCustomer } = await run(RegisterCustomer, { input }, callOptions);
      const { __typename, ...customer } = expectMember(registerCustomer, 'Customer');
      return customer;
    },

    consume: async (input, callOptions) => {
      const { consume } = await run(Consume, { input: keyed(exact(input)) }, callOptions);
      return toConsumption(consume);
    },

    consumeMany: async (inputs, callOptions) => {
      const refused = inputs.map(refusedHere);
      const sent = inputs.filter((_, index) => refused[index] === undefined).map((input) => keyed(exact(input)));
      if (sent.length === 0) return refused.filter((outcome) => outcome !== undefined);
      const { consumeMany } = await run(ConsumeMany, { input: { inputs: sent } }, callOptions);
      const { results } = expectMember(consumeMany, 'ConsumeManyPayload');
      if (results.length !== sent.length) throw badResponse(`${sent.length} uses, but ${results.length} results`);
      const answers = results.values();
      return refused.map((outcome, index) => outcome ?? toOutcome(answers.next().value, index));
    },

    check: async (input, callOptions) => {
      const { check } = await run(Check, { input: exact(input) }, callOptions);
      return toConsumption(check);
    },

    usage: async (input, callOptions) => {
      const { usage } = await run(ReadUsage, input, callOptions);
      if (!usage) throw badResponse('the gateway answered without a usage');
      return usage;
    },

    createCustomerToken: async (input, callOptions) => {
      const { createCustomerToken } = await run(CreateCustomerToken, { input }, callOptions);
      const { token, expiresAt } = expectMember(createCustomerToken, 'CustomerToken');
      return { token, expiresAt };
    },

    request: async <Data, Variables extends object>(
      document: DocumentInput<Data, Variables>,
      variables?: Variables,
      callOptions?: CallOptions,
    ) => {
      const attempts = isMutation(document) ? 1 : undefined;
      // The document's own type says what comes back.
      return (await call(document, variables ?? {}, callOptions, attempts)) as Data;
    },

    close: () => {
      closed = true;
      for (const ending of open) ending.abort(clientClosed());
      realtime.close();
    },
  };
}

/** An amount that cannot be sent is this item's own error, and no reason to hold back the others. */
function refusedHere(input: ConsumeInput, index: number): ConsumeOutcome | undefined {
  try {
    exact(input, pathOfItem(index));
    return undefined;
  } catch (error) {
    if (error instanceof MetergraphError) return { ok: false, error };
    throw error;
  }
}

const isUnauthenticated = (error: unknown): boolean =>
  error instanceof MetergraphError && error.code === 'UNAUTHENTICATED';

const aborted = (cause: unknown) => new MetergraphError('ABORTED', 'the call was aborted', { cause });
