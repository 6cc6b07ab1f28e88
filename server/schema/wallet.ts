/** wallet — prepaid money of a customer in one currency. */
import type { WalletRecord } from '../actions/find-wallets.ts';
import type { Context } from '../context.ts';
import { currentPlanOf } from '../domain/customer.ts';
import { DEFAULT_CURRENCY } from '../domain/money.ts';
import { planOfCustomer } from '../domain/plan.ts';
import { formatUnits, PREPAID_MAX } from '../domain/units.ts';
import { availableIn, type Wallet, walletUnder } from '../domain/wallet.ts';
import type { SettleTopUpRequest, SetWalletRequest, TopUpRequest } from '../metering/requests.ts';
import { admin, reader, referenceIn } from './access.ts';
import * as bounds from './bounds.ts';
import { builder, wordEnum } from './builder.ts';
import { CustomerType } from './customer.ts';
import { resultUnion } from './errors.ts';
import { catalogOf, wallets } from './loaders.ts';
import { MoneyType } from './money.ts';
import { idempotencyKeyField } from './use-fields.ts';

type OwnedWallet = { readonly customerId: string; readonly wallet: Wallet };

const money = ({ wallet }: OwnedWallet, amount: bigint) => ({ amount, currency: wallet.currency });

/** What is stored of a wallet beside its money. */
async function recordOf({ customerId, wallet }: OwnedWallet, context: Context): Promise<WalletRecord | undefined> {
  reader(context);
  const records = await wallets(context).load(customerId);
  return records.find(({ currency }) => currency === wallet.currency);
}

type TopUp = { readonly amount: bigint; readonly currency: string; readonly askedAtMs: number };

const TopUpType = builder.objectRef<TopUp>('TopUp').implement({
  description: 'Money that a wallet asks for, by the rule of its plan.',
  fields: (t) => ({
    amount: t.field({
      type: MoneyType,
      description: 'How much.',
      resolve: ({ amount, currency }) => ({ amount, currency }),
    }),
    askedAt: t.expose('askedAtMs', { type: 'DateTime', description: 'When the wallet ran low.' }),
  }),
});

const WalletType = builder.objectRef<OwnedWallet>('Wallet').implement({
  description: 'Prepaid money, drawn on when credits run out: whole units at their price, the rest stays.',
  fields: (t) => ({
    currency: t.string({
      description: 'ISO 4217, in small letters: `usd`.',
      resolve: ({ wallet }) => wallet.currency,
    }),
    balance: t.field({
      type: MoneyType,
      description: 'What it holds; below 0 where the customer has used credit.',
      resolve: (owned) => money(owned, owned.wallet.balance),
    }),
    floor: t.field({
      type: MoneyType,
      description: "The balance never goes below by use: the wallet's own, or the plan's. Below 0 it is credit.",
      resolve: (owned) => money(owned, owned.wallet.floor),
    }),
    available: t.field({
      type: MoneyType,
      description: 'What can be spent now; never below 0.',
      resolve: (owned) => money(owned, availableIn(owned.wallet)),
    }),
    pendingTopUp: t.field({
      type: TopUpType,
      nullable: true,
      description:
        'What it has asked the biller for and neither got nor was refused. Scope `read`, or a customer token.',
      resolve: async (owned, _args, context) => {
        const { pendingTopUp } = (await recordOf(owned, context)) ?? {};
        return pendingTopUp && { ...pendingTopUp, currency: owned.wallet.currency };
      },
    }),
    topUpFailedAt: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When a top-up failed; it asks for none until the cool-off is over. Null: none has, or one was paid since. Scope `read`, or a customer token.',
      resolve: async (owned, _args, context) => (await recordOf(owned, context))?.topUpFailedAtMs,
    }),
  }),
});

builder.objectField(CustomerType, 'wallets', (t) =>
  t.field({
    type: [WalletType],
    description: 'Its prepaid money, a wallet a currency. Scope `read`, or a customer token.',
    resolve: async (customer, _args, context) => {
      reader(context);
      const held = currentPlanOf(customer, context.services.clock.now());
      const plan = planOfCustomer(await catalogOf(context), { tenantId: customer.tenantId, ...held });
      const records = await wallets(context).load(customer.id);
      return records.flatMap((record) => {
        const wallet = walletUnder(record, plan?.wallet ?? null);
        return wallet ? [{ customerId: customer.id, wallet }] : [];
      });
    },
  }),
);

const AMOUNT = 'In minor units (cents), above 0.';
const CURRENCY = 'ISO 4217, in small letters. `usd` when left out.';
const WHOSE = "The app's own id of the customer.";

const TopUpWalletInput = builder.inputType('TopUpWalletInput', {
  description: 'Money that was paid in advance.',
  fields: (t) => ({
    referenceId: t.string({ required: true, description: WHOSE }),
    amount: t.field({
      type: 'Decimal',
      required: true,
      description: `${AMOUNT} At most ${formatUnits(PREPAID_MAX)}.`,
    }),
    currency: t.string({ description: CURRENCY }),
    idempotencyKey: idempotencyKeyField(t),
  }),
});

const RefundWalletInput = builder.inputType('RefundWalletInput', {
  description: 'Money that is paid back.',
  fields: (t) => ({
    referenceId: t.string({ required: true, description: WHOSE }),
    amount: t.field({ type: 'Decimal', required: true, description: `${AMOUNT} At most the balance.` }),
    currency: t.string({ description: CURRENCY }),
    idempotencyKey: idempotencyKeyField(t),
  }),
});

const SetWalletInput = builder.inputType('SetWalletInput', {
  description: 'How a wallet behaves.',
  fields: (t) => ({
    referenceId: t.string({ required: true, description: WHOSE }),
    currency: t.string({ description: CURRENCY }),
    floor: t.field({
      type: 'Decimal',
      description:
        "Use never takes the balance below, in minor units. 0, or below 0, which is credit; null is the plan's floor.",
    }),
  }),
});

const TopUpOutcomeEnum = wordEnum<SettleTopUpRequest['outcome']>('TopUpOutcome', 'What became of a top-up.', {
  paid: 'It was paid: the money is in the wallet.',
  failed: 'It failed: none is asked for until the cool-off is over.',
});

const SettleTopUpInput = builder.inputType('SettleTopUpInput', {
  description: 'What became of the top-up that a wallet asked for.',
  fields: (t) => ({
    referenceId: t.string({ required: true, description: WHOSE }),
    currency: t.string({ description: CURRENCY }),
    outcome: t.field({ type: TopUpOutcomeEnum, required: true, description: 'Paid, or failed.' }),
  }),
});

const TopUpWalletResult = resultUnion('TopUpWalletResult', WalletType, [
  'CUSTOMER_NOT_FOUND',
  'INVALID_AMOUNT',
  'IDEMPOTENCY_CONFLICT',
  'INVALID_INPUT',
]);
const RefundWalletResult = resultUnion('RefundWalletResult', WalletType, [
  'CUSTOMER_NOT_FOUND',
  'INVALID_AMOUNT',
  'INSUFFICIENT_BALANCE',
  'IDEMPOTENCY_CONFLICT',
  'INVALID_INPUT',
]);
const SetWalletResult = resultUnion('SetWalletResult', WalletType, ['CUSTOMER_NOT_FOUND', 'INVALID_INPUT']);
const SettleTopUpResult = resultUnion('SettleTopUpResult', WalletType, [
  'CUSTOMER_NOT_FOUND',
  'WALLET_NOT_FOUND',
  'INVALID_INPUT',
]);

type WalletInput = {
  readonly referenceId: string;
  readonly currency?: string | null | undefined;
  readonly idempotencyKey?: string | null | undefined;
};

/** Whose wallet, and which. @throws {MeterError} `UNAUTHENTICATED`, `FORBIDDEN`, `INVALID_INPUT` */
function walletNamed(context: Context, { referenceId, currency, idempotencyKey }: WalletInput) {
  const viewer = admin(context);
  return {
    tenantId: viewer.tenantId,
    ...referenceIn(viewer, referenceId, ['input', 'referenceId']),
    currency: bounds.isGiven(currency) ? bounds.currency(currency, ['input', 'currency']) : DEFAULT_CURRENCY,
    idempotencyKey: bounds.isGiven(idempotencyKey)
      ? bounds.idempotencyKey(idempotencyKey, ['input', 'idempotencyKey'])
      : null,
  };
}

async function moved(
  { services }: Context,
  request: TopUpRequest | SetWalletRequest | SettleTopUpRequest,
): Promise<OwnedWallet> {
  const { wallet } = await services.engine.execute(request);
  return { customerId: request.customerId, wallet };
}

builder.mutationFields((t) => ({
  topUpWallet: t.field({
    type: TopUpWalletResult.type,
    description: 'Puts money into a wallet; the first makes the wallet. Scope `admin`.',
    args: { input: t.arg({ type: TopUpWalletInput, required: true, description: 'Whose, and how much.' }) },
    resolve: (_root, { input }, context) =>
      TopUpWalletResult.answer(context, () => {
        const named = walletNamed(context, input);
        const amount = bounds.prepaidAmount(input.amount, ['input', 'amount']);
        return moved(context, { kind: 'top-up', ...named, amount });
      }),
  }),
  refundWallet: t.field({
    type: RefundWalletResult.type,
    description: 'Takes money out of a wallet that is paid back to the customer. Scope `admin`.',
    args: { input: t.arg({ type: RefundWalletInput, required: true, description: 'Whose, and how much.' }) },
    resolve: (_root, { input }, context) =>
      RefundWalletResult.answer(context, () => {
        const named = walletNamed(context, input);
        const amount = -bounds.positiveAmount(input.amount, ['input', 'amount']);
        return moved(context, { kind: 'top-up', ...named, amount });
      }),
  }),
  setWallet: t.field({
    type: SetWalletResult.type,
    description: "Gives a wallet a floor of its own, or the plan's again. Scope `admin`.",
    args: { input: t.arg({ type: SetWalletInput, required: true, description: 'Whose, and which floor.' }) },
    resolve: (_root, { input }, context) =>
      SetWalletResult.answer(context, () => {
        const named = walletNamed(context, input);
        const floor = input.floor ? bounds.decimal(input.floor, ['input', 'floor']) : null;
        return moved(context, { kind: 'set-wallet', ...named, floor });
      }),
  }),
  settleTopUp: t.field({
    type: SettleTopUpResult.type,
    description:
      'For billers: says what became of the top-up that a wallet asked for. Twice is the same as once. Scope `admin`.',
    args: { input: t.arg({ type: SettleTopUpInput, required: true, description: 'Whose, and what became of it.' }) },
    resolve: (_root, { input }, context) =>
      SettleTopUpResult.answer(context, () => {
        const named = walletNamed(context, input);
        return moved(context, { kind: 'settle-top-up', ...named, outcome: input.outcome });
      }),
  }),
}));
