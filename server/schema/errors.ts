/** errors — `UserError`s as members of result unions; every other error goes on, to the list of errors. */
import type { ObjectRef } from '@pothos/core';
import type { Context } from '../context.ts';
import { ERROR_CODES, type ErrorCode, MeterError } from '../domain/errors.ts';
import { builder, type SchemaTypes } from './builder.ts';
import { forget } from './once-per-operation.ts';

/** Codes that name a member of some result union, with that member's name. */
const USER_ERRORS = {
  ALERT_NOT_FOUND: 'AlertNotFoundError',
  ALREADY_SUBSCRIBED: 'AlreadySubscribedError',
  API_KEY_NOT_FOUND: 'ApiKeyNotFoundError',
  BILLING_DISABLED: 'BillingDisabledError',
  CREDIT_PACK_NOT_FOUND: 'CreditPackNotFoundError',
  CUSTOMER_NOT_FOUND: 'CustomerNotFoundError',
  EVENT_ALREADY_REVERSED: 'EventAlreadyReversedError',
  EVENT_NOT_FOUND: 'EventNotFoundError',
  FEATURE_NOT_FOUND: 'FeatureNotFoundError',
  GRANT_NOT_FOUND: 'GrantNotFoundError',
  IDEMPOTENCY_CONFLICT: 'IdempotencyConflictError',
  INSUFFICIENT_BALANCE: 'InsufficientBalanceError',
  INVOICE_NOT_FOUND: 'InvoiceNotFoundError',
  INVALID_AMOUNT: 'InvalidAmountError',
  INVALID_INPUT: 'InvalidInputError',
  INVALID_TIMESTAMP: 'InvalidTimestampError',
  PLAN_NOT_FOR_SALE: 'PlanNotForSaleError',
  PLAN_NOT_FOUND: 'PlanNotFoundError',
  RESERVATION_CLOSED: 'ReservationClosedError',
  RESERVATION_EXPIRED: 'ReservationExpiredError',
  RESERVATION_NOT_FOUND: 'ReservationNotFoundError',
  WALLET_NOT_FOUND: 'WalletNotFoundError',
  WEBHOOK_DELIVERY_NOT_FOUND: 'WebhookDeliveryNotFoundError',
  WEBHOOK_ENDPOINT_NOT_FOUND: 'WebhookEndpointNotFoundError',
} as const satisfies Partial<Record<ErrorCode, string>>;
export type UserErrorCode = keyof typeof USER_ERRORS;

/** A `MeterError` as a value: GraphQL takes every `Error` that a resolver returns for a failure of the field. */
export class UserErrorValue {
  readonly code: UserErrorCode;
  readonly message: string;
  readonly path: readonly string[] | null;
  readonly suggestion: string | null;

  constructor(code: UserErrorCode, { message, path, suggestion }: MeterError) {
    this.code = code;
    this.message = message;
    this.path = path;
    this.suggestion = suggestion;
  }
}

const isUserErrorCode = (code: ErrorCode): code is UserErrorCode => code in USER_ERRORS;

const ErrorCodeEnum = builder.enumType('ErrorCode', {
  description: 'What is wrong with a call, for programs. Codes are added, never renamed.',
  values: Object.fromEntries(
    Object.keys(USER_ERRORS)
      .filter((code): code is UserErrorCode => code in USER_ERRORS)
      .map((code) => [code, { value: code, description: ERROR_CODES[code] }]),
  ) as Record<UserErrorCode, { value: UserErrorCode; description: string }>, // fromEntries forgets the keys
});

const UserError = builder.interfaceRef<UserErrorValue>('UserError').implement({
  description: 'A call that could not be understood. Nothing was written.',
  fields: (t) => ({
    message: t.exposeString('message', { description: 'A sentence for people: what was found, what is allowed.' }),
    code: t.expose('code', { type: ErrorCodeEnum, description: 'The same, for programs.' }),
    path: t.field({
      type: ['String'],
      nullable: true,
      description: 'The field at fault, outermost first: `["input", "amount"]`. Null where no single one is.',
      resolve: ({ path }) => path && [...path],
    }),
  }),
  resolveType: ({ code }) => USER_ERRORS[code],
});

const SUGGESTING: ReadonlySet<UserErrorCode> = new Set([
  'CREDIT_PACK_NOT_FOUND',
  'FEATURE_NOT_FOUND',
  'PLAN_NOT_FOUND',
]);

const userErrorType = (code: UserErrorCode) =>
  builder.objectRef<UserErrorValue>(USER_ERRORS[code]).implement({
    description: ERROR_CODES[code],
    interfaces: [UserError],
    fields: (t) =>
      SUGGESTING.has(code)
        ? {
            suggestion: t.exposeString('suggestion', {
              nullable: true,
              description: 'The nearest key that exists, when the one sent looks like a slip.',
            }),
          }
        : {},
  });

const ERROR_TYPES = {
  ALERT_NOT_FOUND: userErrorType('ALERT_NOT_FOUND'),
  ALREADY_SUBSCRIBED: userErrorType('ALREADY_SUBSCRIBED'),
  API_KEY_NOT_FOUND: userErrorType('API_KEY_NOT_FOUND'),
  BILLING_DISABLED: userErrorType('BILLING_DISABLED'),
  CREDIT_PACK_NOT_FOUND: userErrorType('CREDIT_PACK_NOT_FOUND'),
  CUSTOMER_NOT_FOUND: userErrorType('CUSTOMER_NOT_FOUND'),
  EVENT_ALREADY_REVERSED: userErrorType('EVENT_ALREADY_REVERSED'),
  EVENT_NOT_FOUND: userErrorType('EVENT_NOT_FOUND'),
  FEATURE_NOT_FOUND: userErrorType('FEATURE_NOT_FOUND'),
  GRANT_NOT_FOUND: userErrorType('GRANT_NOT_FOUND'),
  IDEMPOTENCY_CONFLICT: userErrorType('IDEMPOTENCY_CONFLICT'),
  INSUFFICIENT_BALANCE: userErrorType('INSUFFICIENT_BALANCE'),
  INVOICE_NOT_FOUND: userErrorType('INVOICE_NOT_FOUND'),
  INVALID_AMOUNT: userErrorType('INVALID_AMOUNT'),
  INVALID_INPUT: userErrorType('INVALID_INPUT'),
  INVALID_TIMESTAMP: userErrorType('INVALID_TIMESTAMP'),
  PLAN_NOT_FOR_SALE: userErrorType('PLAN_NOT_FOR_SALE'),
  PLAN_NOT_FOUND: userErrorType('PLAN_NOT_FOUND'),
  RESERVATION_CLOSED: userErrorType('RESERVATION_CLOSED'),
  RESERVATION_EXPIRED: userErrorType('RESERVATION_EXPIRED'),
  RESERVATION_NOT_FOUND: userErrorType('RESERVATION_NOT_FOUND'),
  WALLET_NOT_FOUND: userErrorType('WALLET_NOT_FOUND'),
  WEBHOOK_DELIVERY_NOT_FOUND: userErrorType('WEBHOOK_DELIVERY_NOT_FOUND'),
  WEBHOOK_ENDPOINT_NOT_FOUND: userErrorType('WEBHOOK_ENDPOINT_NOT_FOUND'),
} as const satisfies Record<UserErrorCode, unknown>;

/**
 * The union that a mutation answers with: its success type, and the errors that it names.
 *
 * @returns the type, and `answer`, which turns those errors, when thrown, into values; others go on.
 */
export function resultUnion<T extends object>(
  name: string,
  success: ObjectRef<SchemaTypes, T>,
  codes: readonly UserErrorCode[],
) {
  const type = builder.unionType(name, {
    description: `\`${success.name}\`, or what is wrong with the call.`,
    types: [success, ...codes.map((code) => ERROR_TYPES[code])],
    resolveType: (value) => (value instanceof UserErrorValue ? USER_ERRORS[value.code] : success.name),
  });
  const asValue = (error: unknown): UserErrorValue | null =>
    error instanceof MeterError && isUserErrorCode(error.code) && codes.includes(error.code)
      ? new UserErrorValue(error.code, error)
      : null;
  const answer = async (context: Context, work: () => T | Promise<T>): Promise<T | UserErrorValue> => {
    forget(context);
    try {
      return await work();
    } catch (error) {
      const value = asValue(error);
      if (value) return value;
      throw error;
    }
  };
  return { type, answer, asValue };
}

/** The same error, found elsewhere in an input: `["input", "amount"]` under `["input", "inputs", "3"]`. */
export function relocated(error: MeterError, under: readonly string[]): MeterError {
  const path = [...under, ...(error.path?.slice(1) ?? [])];
  return new MeterError(error.code, error.message, { path, ...(error.suggestion && { suggestion: error.suggestion }) });
}
