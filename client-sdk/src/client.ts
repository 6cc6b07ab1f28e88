/** client — the whole SDK: decide and record use, read it, follow it. */
import type { TypedDocumentNode } from '@urql/core';
import type { MetergraphRealtime } from './realtime.ts';
import type {
  CallOptions,
  ClientOptions,
  ConsumeInput,
  ConsumeOutcome,
  Consumption,
  CreateCustomerTokenInput,
  Customer,
  CustomerToken,
  RegisterCustomerInput,
  Usage,
  UsageInput,
} from './types.ts';

/** A client of one gateway with one credential. All methods may be called at the same time; none needs `this`. */
export interface MetergraphClient extends MetergraphRealtime {
  /** Makes or updates the customer with this `referenceId`. */
  registerCustomer(input: RegisterCustomerInput, options?: CallOptions): Promise<Customer>;
  /**
   * Decides one use and, when allowed, counts it. A denial is an answer (`allowed: false`), not an error.
   *
   * @throws {MetergraphError} CUSTOMER_NOT_FOUND, FEATURE_NOT_FOUND, PLAN_NOT_FOUND, INVALID_AMOUNT,
   *   IDEMPOTENCY_CONFLICT, INVALID_INPUT, or one of the transport's.
   */
  consume(input: ConsumeInput, options?: CallOptions): Promise<Consumption>;
  /** Up to 1,000 uses in one request, each with its own outcome, in the order of `inputs`. */
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
   */
  request<Data = unknown, Variables extends object = Record<string, unknown>>(
    document: string | TypedDocumentNode<Data, Variables>,
    variables?: Variables,
    options?: CallOptions,
  ): Promise<Data>;
}

/** Makes a client. Nothing is sent before the first call. */
export declare function createMetergraphClient(options: ClientOptions): MetergraphClient;
