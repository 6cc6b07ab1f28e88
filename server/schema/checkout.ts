/** checkout — pages on which customers pay, and see to what they pay for. */
import { type Checkout, createCheckoutSession } from '../actions/create-checkout-session.ts';
import { createPortalSession, type Portal } from '../actions/create-portal-session.ts';
import { actingFor, admin } from './access.ts';
import * as bounds from './bounds.ts';
import { builder } from './builder.ts';
import { resultUnion } from './errors.ts';
import { BillingIntervalEnum } from './plan.ts';
import { idempotencyKeyField } from './use-fields.ts';

const WHOSE = "The app's own id of the customer.";
const CURRENCY = "ISO 4217, in small letters. The config's `billing.defaultCurrency`, or `usd`, when left out.";

const PlanPurchaseInput = builder.inputType('PlanPurchaseInput', {
  description: 'A subscription to a plan.',
  fields: (t) => ({
    planKey: t.string({ required: true, description: 'Key of the plan.' }),
    interval: t.field({
      type: BillingIntervalEnum,
      description: "How often it is paid. Left out: as the first of the plan's prices in this currency is.",
    }),
    currency: t.string({ description: `${CURRENCY} If the plan is not sold in that, the first of its prices.` }),
  }),
});

const CreditPackPurchaseInput = builder.inputType('CreditPackPurchaseInput', {
  description: 'Prepaid units of a feature, once.',
  fields: (t) => ({
    key: t.string({ required: true, description: "Key of the pack, in the config's `creditPacks`." }),
  }),
});

const WalletTopUpPurchaseInput = builder.inputType('WalletTopUpPurchaseInput', {
  description: 'Money that is put into a wallet once it is paid. The payment method is kept for top-ups to come.',
  fields: (t) => ({
    amount: t.field({ type: 'Decimal', required: true, description: 'In minor units (cents), whole, above 0.' }),
    currency: t.string({ description: CURRENCY }),
  }),
});

const CreateCheckoutSessionInput = builder.inputType('CreateCheckoutSessionInput', {
  description: 'Who pays, and for what: exactly one of `plan`, `creditPack` and `walletTopUp`.',
  fields: (t) => ({
    referenceId: t.string({ required: true, description: WHOSE }),
    plan: t.field({ type: PlanPurchaseInput, description: 'Subscribes to a plan.' }),
    creditPack: t.field({ type: CreditPackPurchaseInput, description: 'Buys a credit pack.' }),
    walletTopUp: t.field({ type: WalletTopUpPurchaseInput, description: 'Puts money into a wallet.' }),
    successUrl: t.string({
      required: true,
      description: "Where the customer goes when it has paid; its origin is in the config's `billing.redirectOrigins`.",
    }),
    cancelUrl: t.string({ required: true, description: 'Where it goes when it does not pay; the same holds.' }),
    idempotencyKey: idempotencyKeyField(t),
  }),
});

const CreatePortalSessionInput = builder.inputType('CreatePortalSessionInput', {
  description: 'Whose portal.',
  fields: (t) => ({
    referenceId: t.string({ required: true, description: WHOSE }),
    returnUrl: t.string({
      required: true,
      description: "Where the customer goes afterwards; its origin is in the config's `billing.redirectOrigins`.",
    }),
    idempotencyKey: idempotencyKeyField(t),
  }),
});

const CheckoutSessionType = builder.objectRef<Checkout>('CheckoutSession').implement({
  description: 'A page on which a customer pays. What it pays for is there as soon as the payment is known.',
  fields: (t) => ({
    id: t.exposeString('id', { description: "The processor's own id." }),
    url: t.exposeString('url', { description: 'Send the customer there.' }),
    expiresAt: t.expose('expiresAtMs', { type: 'DateTime', description: 'Until then it can be paid.' }),
  }),
});

const PortalSessionType = builder.objectRef<Portal>('PortalSession').implement({
  description: 'A page on which a customer sees to its subscription, payment methods and invoices.',
  fields: (t) => ({ url: t.exposeString('url', { description: 'Send the customer there, at once.' }) }),
});

const CreateCheckoutSessionResult = resultUnion('CreateCheckoutSessionResult', CheckoutSessionType, [
  'CUSTOMER_NOT_FOUND',
  'PLAN_NOT_FOUND',
  'PLAN_NOT_FOR_SALE',
  'CREDIT_PACK_NOT_FOUND',
  'ALREADY_SUBSCRIBED',
  'INVALID_AMOUNT',
  'IDEMPOTENCY_CONFLICT',
  'BILLING_DISABLED',
  'INVALID_INPUT',
]);

const CreatePortalSessionResult = resultUnion('CreatePortalSessionResult', PortalSessionType, [
  'CUSTOMER_NOT_FOUND',
  'IDEMPOTENCY_CONFLICT',
  'BILLING_DISABLED',
  'INVALID_INPUT',
]);

const keyOf = (key: string | null | undefined): string | null =>
  bounds.isGiven(key) ? bounds.idempotencyKey(key, ['input', 'idempotencyKey']) : null;

const currencyOf = (currency: string | null | undefined, path: bounds.Path): string | null =>
  bounds.isGiven(currency) ? bounds.currency(currency, path) : null;

builder.mutationFields((t) => ({
  createCheckoutSession: t.field({
    type: CreateCheckoutSessionResult.type,
    description:
      'Opens a page on which a customer subscribes to a plan, buys a credit pack or tops up its wallet. Scope `admin`.',
    args: { input: t.arg({ type: CreateCheckoutSessionInput, required: true, description: 'Who, and for what.' }) },
    resolve: (_root, { input }, context) =>
      CreateCheckoutSessionResult.answer(context, async () => {
        const viewer = admin(context);
        const { referenceId } = await actingFor(context, viewer, input.referenceId);
        const { plan, creditPack, walletTopUp, successUrl, cancelUrl } = input;
        return createCheckoutSession(context.services, viewer.tenantId, {
          referenceId,
          plan: plan
            ? {
                planKey: bounds.key(plan.planKey, ['input', 'plan', 'planKey']),
                interval: plan.interval ?? null,
                currency: currencyOf(plan.currency, ['input', 'plan', 'currency']),
              }
            : null,
          creditPack: creditPack ? { key: bounds.key(creditPack.key, ['input', 'creditPack', 'key']) } : null,
          walletTopUp: walletTopUp
            ? {
                amount: bounds.positiveAmount(walletTopUp.amount, ['input', 'walletTopUp', 'amount']),
                currency: currencyOf(walletTopUp.currency, ['input', 'walletTopUp', 'currency']),
              }
            : null,
          successUrl,
          cancelUrl,
          idempotencyKey: keyOf(input.idempotencyKey),
        });
      }),
  }),
  createPortalSession: t.field({
    type: CreatePortalSessionResult.type,
    description:
      'Opens a page on which a customer changes, pays or ends its subscription, and sees its invoices. Scope `admin`.',
    args: { input: t.arg({ type: CreatePortalSessionInput, required: true, description: 'Whose.' }) },
    resolve: (_root, { input }, context) =>
      CreatePortalSessionResult.answer(context, async () => {
        const viewer = admin(context);
        const { referenceId } = await actingFor(context, viewer, input.referenceId);
        const { returnUrl } = input;
        const idempotencyKey = keyOf(input.idempotencyKey);
        return createPortalSession(context.services, viewer.tenantId, { referenceId, returnUrl, idempotencyKey });
      }),
  }),
}));
