/** writes — the calls that write, beside `consume`: each with a key made before its first try. */

import type { Consumption } from './consume-types.ts';
import { toDecimal } from './decimal.ts';
import {
  CommitReservation,
  CreateCheckoutSession,
  CreatePortalSession,
  GrantCredits,
  RecordUsage,
  RefundWallet,
  ReleaseReservation,
  Reserve,
  ResetUsage,
  ReverseEvent,
  SettleTopUp,
  SetWallet,
  TopUpWallet,
  VoidGrant,
} from './documents.ts';
import { newIdempotencyKey } from './idempotency.ts';
import type { DataOf, Operation } from './operation.ts';
import type { CallOptions } from './option-types.ts';
import { expectMember, toConsumption, toReservation } from './results.ts';
import type { Decimal, DecimalInput } from './value-types.ts';
import type {
  CheckoutSession,
  CommitReservationInput,
  CreateCheckoutSessionInput,
  CreatePortalSessionInput,
  Grant,
  GrantCreditsInput,
  PortalSession,
  RecordUsageInput,
  Reservation,
  ReserveInput,
  ResetUsageInput,
  ReverseEventInput,
  SettleTopUpInput,
  SetWalletInput,
  UsageReset,
  Wallet,
  WalletMoneyInput,
} from './write-types.ts';

/** The part of a client that writes. Those that take money or credits, or correct, need a key with the scope `admin`. */
export interface MetergraphWrites {
  /** Records use that has happened: never denied for a limit or for lack of money. @throws also INVALID_TIMESTAMP */
  recordUsage(input: RecordUsageInput, options?: CallOptions): Promise<Consumption>;
  /** Holds units for work whose size is known only afterwards. A denial is an answer (`allowed: false`), not an error. */
  reserve(input: ReserveInput, options?: CallOptions): Promise<Reservation>;
  /**
   * Uses what was reserved: all of it, less, or more.
   *
   * @throws {MetergraphError} RESERVATION_NOT_FOUND, RESERVATION_EXPIRED, RESERVATION_CLOSED
   */
  commitReservation(input: CommitReservationInput, options?: CallOptions): Promise<Consumption>;
  /** Gives back what was reserved; twice is the same as once. @throws as `commitReservation` */
  releaseReservation(reservationId: string, options?: CallOptions): Promise<Reservation>;
  /** Gives a customer prepaid units of a feature. */
  grantCredits(input: GrantCreditsInput, options?: CallOptions): Promise<Grant>;
  /** Takes away what is left of a grant; twice is the same as once. @throws {MetergraphError} GRANT_NOT_FOUND */
  voidGrant(grantId: string, options?: CallOptions): Promise<Grant>;
  /** Puts money into a wallet. */
  topUpWallet(input: WalletMoneyInput, options?: CallOptions): Promise<Wallet>;
  /** Takes money out that is paid back to the customer. @throws {MetergraphError} INSUFFICIENT_BALANCE */
  refundWallet(input: WalletMoneyInput, options?: CallOptions): Promise<Wallet>;
  /** Gives a wallet a floor of its own, or the plan's again. */
  setWallet(input: SetWalletInput, options?: CallOptions): Promise<Wallet>;
  /** For billers: what became of a top-up that a wallet asked for. @throws {MetergraphError} WALLET_NOT_FOUND */
  settleTopUp(input: SettleTopUpInput, options?: CallOptions): Promise<Wallet>;
  /**
   * Opens a page on which a customer subscribes, buys a credit pack or tops up its wallet.
   *
   * @throws {MetergraphError} BILLING_DISABLED, ALREADY_SUBSCRIBED, PLAN_NOT_FOR_SALE, CREDIT_PACK_NOT_FOUND
   */
  createCheckoutSession(input: CreateCheckoutSessionInput, options?: CallOptions): Promise<CheckoutSession>;
  /** Opens a page on which a customer sees to its subscription. @throws {MetergraphError} BILLING_DISABLED */
  createPortalSession(input: CreatePortalSessionInput, options?: CallOptions): Promise<PortalSession>;
  /** Takes back an event by another one. @throws {MetergraphError} EVENT_NOT_FOUND, EVENT_ALREADY_REVERSED */
  reverseEvent(input: ReverseEventInput, options?: CallOptions): Promise<Consumption>;
  /** Ends the running period of a meter now. */
  resetUsage(input: ResetUsageInput, options?: CallOptions): Promise<UsageReset>;
}

/** Sends one operation, as often as it takes. */
export type Run = <Data, Variables extends object>(
  operation: Operation<Data, Variables>,
  variables: Variables,
  options?: CallOptions,
) => Promise<Data>;

export const writesBy = (run: Run): MetergraphWrites => ({
  recordUsage: async (input, options) => {
    const { recordUsage } = await run(RecordUsage, { input: keyed(exact(input)) }, options);
    return toConsumption(recordUsage);
  },
  reserve: async (input, options) => {
    const { reserve } = await run(Reserve, { input: keyed(exact(input)) }, options);
    return toReservation(reserve);
  },
  commitReservation: async (input, options) => {
    const { commitReservation } = await run(CommitReservation, { input: keyed(exact(input)) }, options);
    return toConsumption(commitReservation);
  },
  releaseReservation: async (reservationId, options) => {
    const { releaseReservation } = await run(ReleaseReservation, { input: { reservationId } }, options);
    return toReservation(releaseReservation);
  },
  grantCredits: async (input, options) => {
    const { grantCredits } = await run(GrantCredits, { input: keyed(withAmount(input)) }, options);
    return toGrant(grantCredits);
  },
  voidGrant: async (grantId, options) => {
    const { voidGrant } = await run(VoidGrant, { input: { grantId } }, options);
    return toGrant(voidGrant);
  },
  topUpWallet: async (input, options) => {
    const { topUpWallet } = await run(TopUpWallet, { input: keyed(withAmount(input)) }, options);
    return toWallet(topUpWallet);
  },
  refundWallet: async (input, options) => {
    const { refundWallet } = await run(RefundWallet, { input: keyed(withAmount(input)) }, options);
    return toWallet(refundWallet);
  },
  setWallet: async (input, options) => {
    const floor = input.floor === null ? null : toDecimal(input.floor, ['input', 'floor']);
    const { setWallet } = await run(SetWallet, { input: { ...input, floor } }, options);
    return toWallet(setWallet);
  },
  settleTopUp: async (input, options) => {
    const { settleTopUp } = await run(SettleTopUp, { input }, options);
    return toWallet(settleTopUp);
  },
  createCheckoutSession: async (input, options) => {
    const { walletTopUp, ...rest } = input;
    const path = ['input', 'walletTopUp', 'amount'];
    const money = walletTopUp && { ...walletTopUp, amount: toDecimal(walletTopUp.amount, path) };
    const sent = { input: keyed({ ...rest, ...(money && { walletTopUp: money }) }) };
    const { createCheckoutSession } = await run(CreateCheckoutSession, sent, options);
    const { id, url, expiresAt } = expectMember(createCheckoutSession, 'CheckoutSession');
    return { id, url, expiresAt };
  },
  createPortalSession: async (input, options) => {
    const { createPortalSession } = await run(CreatePortalSession, { input: keyed(input) }, options);
    const { url } = expectMember(createPortalSession, 'PortalSession');
    return { url };
  },
  reverseEvent: async (input, options) => {
    const { reverseEvent } = await run(ReverseEvent, { input: keyed(input) }, options);
    return toConsumption(reverseEvent);
  },
  resetUsage: async (input, options) => {
    const { resetUsage } = await run(ResetUsage, { input: keyed(input) }, options);
    const { usage, ended, replayed } = expectMember(resetUsage, 'UsageReset');
    return { usage, ended, replayed };
  },
});

/** With the key that every try of this call will carry. */
export const keyed = <T extends { readonly idempotencyKey?: string | undefined }>(input: T) => ({
  ...input,
  idempotencyKey: input.idempotencyKey ?? newIdempotencyKey(),
});

type Exact<T> = Omit<T, 'amount'> & { readonly amount?: Decimal };

/** With the amount as the wire wants it, where there is one. @throws {MetergraphError} INVALID_AMOUNT */
export function exact<T extends { readonly amount?: DecimalInput | undefined }>(
  { amount, ...rest }: T,
  path: readonly string[] = ['input'],
): Exact<T> {
  return amount === undefined ? rest : { ...rest, amount: toDecimal(amount, [...path, 'amount']) };
}

const withAmount = <T extends { readonly amount: DecimalInput }>(input: T) => ({
  ...input,
  amount: toDecimal(input.amount, ['input', 'amount']),
});

function toGrant(result: DataOf<typeof GrantCredits>['grantCredits'] | DataOf<typeof VoidGrant>['voidGrant']): Grant {
  const { __typename, ...grant } = expectMember(result, 'Grant');
  return grant;
}

function toWallet(
  result:
    | DataOf<typeof TopUpWallet>['topUpWallet']
    | DataOf<typeof RefundWallet>['refundWallet']
    | DataOf<typeof SetWallet>['setWallet']
    | DataOf<typeof SettleTopUp>['settleTopUp'],
): Wallet {
  const { __typename, ...wallet } = expectMember(result, 'Wallet');
  return wallet;
}
