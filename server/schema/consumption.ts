/** consumption — the calls that decide: `consume`, `consumeMany`, `check`, and what they answer. */
import type { Context } from '../context.ts';
import {
  CONSUME_MODES,
  type ConsumeMode,
  DENIAL_REASONS,
  type Denial,
  type DenialReason,
  type Split,
} from '../domain/decision.ts';
import { MeterError } from '../domain/errors.ts';
import { ONE } from '../domain/units.ts';
import type { ApiKeyViewer, Viewer } from '../domain/viewer.ts';
import type { ConsumeRequest, Consumption } from '../metering/consumption.ts';
import { ingester, maySee, readerOrIngester } from './access.ts';
import { AlertType } from './alert.ts';
import * as bounds from './bounds.ts';
import { builder } from './builder.ts';
import { type ConsumeInput, consumeRequest } from './consume-request.ts';
import { relocated, resultUnion, type UserErrorValue } from './errors.ts';
import { unknownFeature } from './existing.ts';
import { MoneyType } from './money.ts';
import { UsageType } from './usage.ts';

const INPUTS_MAX = 1_000;

const MODES: Readonly<Record<ConsumeMode, string>> = {
  REJECT: 'All or nothing.',
  CLAMP: 'Takes what fits; `amount` in the answer says how much.',
  OVERFLOW: 'Records all, even past a hard limit: for work that already happened.',
};

const REASONS: Readonly<Record<DenialReason, string>> = {
  NOT_AUTHORIZED: 'The key may not act for this customer.',
  RATE_LIMITED: "All calls of the plan's rate limit are used; `retryAt` says when the next window opens.",
  FEATURE_NOT_IN_PLAN: 'Neither plan nor own limits name the feature: the customer is not entitled to it.',
  LIMIT_REACHED: 'The hard limit does not leave room for the amount.',
  SPEND_LIMIT_REACHED: 'The customer has spent as much as it may in this period.',
  INSUFFICIENT_FUNDS: 'What is included and prepaid does not pay for the amount, and nothing else does.',
  BELOW_MINIMUM: 'Giving back that much would leave less than the minimum.',
  REFUSED_BY_HOOK: "The app's own `before` hook refused.",
};

const ConsumeModeEnum = builder.enumType('ConsumeMode', {
  description: 'What to do when the amount does not fit.',
  values: enumValues(CONSUME_MODES, MODES),
});

const DenialReasonEnum = builder.enumType('DenialReason', {
  description: 'Why a call was denied. In order of precedence: the first that holds is reported.',
  values: enumValues(DENIAL_REASONS, REASONS),
});

/** Values of an enum that is spelt alike on both sides, in the order of the list. */
function enumValues<T extends string>(list: readonly T[], descriptions: Readonly<Record<T, string>>) {
  const entries = list.map((value) => [value, { value, description: descriptions[value] }]);
  return Object.fromEntries(entries) as { readonly [K in T]: { readonly value: K; readonly description: string } }; // fromEntries forgets
}

const DenialType = builder.objectRef<Denial>('Denial').implement({
  description: 'The call was understood and refused: a decision, not an error. Nothing was counted or charged.',
  fields: (t) => ({
    reason: t.expose('reason', { type: DenialReasonEnum, description: 'The first that holds.' }),
    message: t.exposeString('message', { description: 'A sentence for people: what is used, what is allowed.' }),
    retryAt: t.expose('retryAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When the same call may pass. Null when time alone does not help.',
    }),
  }),
});

const SplitType = builder.objectRef<Split>('Split').implement({
  description: 'What paid for the units: the four parts add up to the amount. Below 0 where units were given back.',
  fields: (t) => ({
    included: t.expose('included', { type: 'Decimal', description: 'Units that cost nothing.' }),
    credits: t.expose('credits', { type: 'Decimal', description: 'Prepaid units.' }),
    wallet: t.expose('wallet', { type: 'Decimal', description: 'Units paid from the wallet.' }),
    overage: t.expose('overage', { type: 'Decimal', description: 'Units to be billed at the end of the period.' }),
    walletCharge: t.expose('walletCharge', { type: MoneyType, description: 'What the wallet paid.' }),
    overageCost: t.expose('overageCost', { type: MoneyType, description: 'What the overage will cost.' }),
  }),
});

const ConsumptionType = builder.objectRef<Consumption>('Consumption').implement({
  description: 'The decision on one call.',
  fields: (t) => ({
    allowed: t.exposeBoolean('allowed', { description: 'Whether the customer may. Ask this before anything else.' }),
    denial: t.expose('denial', { type: DenialType, nullable: true, description: 'Why not. Null when allowed.' }),
    amount: t.expose('amount', { type: 'Decimal', description: 'Units taken by this call; 0 when denied.' }),
    split: t.expose('split', { type: SplitType, description: 'What paid for them.' }),
    usage: t.expose('usage', { type: UsageType, description: 'The state after this call.' }),
    alerts: t.field({
      type: [AlertType],
      description: 'Raised by this call.',
      resolve: ({ alerts }) => [...alerts],
    }),
    replayed: t.exposeBoolean('replayed', {
      description:
        'Whether this is the first answer to the same idempotency key, given again: nothing was counted twice.',
    }),
  }),
});

const ConsumeInputType = builder.inputType('ConsumeInput', {
  description: 'One use of one feature by one customer.',
  fields: (t) => ({
    referenceId: t.string({
      required: true,
      description: "The app's own id of the customer. With a customer token (`check` only) it is the token's own.",
    }),
    featureKey: t.string({ required: true, description: 'Key of the feature.' }),
    amount: t.field({
      type: 'Decimal',
      defaultValue: { ok: true, units: ONE },
      description: 'Units. Below 0 gives back, where the feature has a `minLimit`. Never 0, nor null.',
    }),
    overrideKey: t.string({
      description: "Key of a plan to decide by instead of the customer's own, for this call only.",
    }),
    idempotencyKey: t.string({
      description:
        'Any text of at most 255 characters, unique per customer. The same call with the same key is counted once, for at least 35 days.',
    }),
    properties: t.field({ type: 'JSON', description: 'An object kept with the event; at most 16 KiB.' }),
    mode: t.field({
      type: ConsumeModeEnum,
      defaultValue: 'REJECT',
      description: 'What to do when the amount does not fit.',
    }),
  }),
});

const ConsumeResult = resultUnion('ConsumeResult', ConsumptionType, [
  'CUSTOMER_NOT_FOUND',
  'FEATURE_NOT_FOUND',
  'PLAN_NOT_FOUND',
  'INVALID_AMOUNT',
  'IDEMPOTENCY_CONFLICT',
  'INVALID_INPUT',
]);

type ConsumeResults = { readonly results: readonly (Consumption | UserErrorValue)[] };

const ConsumeManyPayload = builder.objectRef<ConsumeResults>('ConsumeManyPayload').implement({
  description: 'The decisions on several calls.',
  fields: (t) => ({
    results: t.field({
      type: [ConsumeResult.type],
      description: 'One for each input, in their order.',
      resolve: ({ results }) => [...results],
    }),
  }),
});

const ConsumeManyResult = resultUnion('ConsumeManyResult', ConsumeManyPayload, ['INVALID_INPUT']);

const ConsumeManyInput = builder.inputType('ConsumeManyInput', {
  description: 'Several calls at once.',
  fields: (t) => ({
    inputs: t.field({
      type: [ConsumeInputType],
      required: true,
      description: `At most ${INPUTS_MAX}; those of one customer are decided in their order.`,
    }),
  }),
});

builder.mutationFields((t) => ({
  consume: t.field({
    type: ConsumeResult.type,
    description:
      'Decides whether a customer may use a feature and records the use, atomically. A denial is an answer (`allowed: false`), not an error. Scope `ingest`.',
    args: { input: t.arg({ type: ConsumeInputType, required: true, description: 'Who uses what.' }) },
    resolve: (_root, { input }, context) =>
      ConsumeResult.answer(context, () =>
        context.services.engine.consume(consumeRequest(ingester(context), input, ['input'])),
      ),
  }),
  consumeMany: t.field({
    type: ConsumeManyResult.type,
    description:
      'Decides several calls, each by itself: one that is denied or wrong does not keep the others from being recorded. Scope `ingest`.',
    args: { input: t.arg({ type: ConsumeManyInput, required: true, description: 'The calls.' }) },
    resolve: (_root, { input }, context) =>
      ConsumeManyResult.answer(context, () => {
        const viewer = ingester(context);
        return consumeMany(context, viewer, bounds.atMost(input.inputs, ['input', 'inputs'], INPUTS_MAX));
      }),
  }),
}));

builder.queryField('check', (t) =>
  t.field({
    type: ConsumeResult.type,
    description:
      'What `consume` would answer now; nothing is written, so the next call may hear something else. Scope `read` or `ingest`, or a customer token: it asks with its own `referenceId`.',
    args: { input: t.arg({ type: ConsumeInputType, required: true, description: 'Who would use what.' }) },
    resolve: (_root, { input }, context) =>
      ConsumeResult.answer(context, async () => {
        const viewer = readerOrIngester(context);
        const request = consumeRequest(viewer, input, ['input']);
        await refuseUnseen(context, viewer, request);
        return context.services.engine.check(request);
      }),
  }),
);

/** Each input has its own result; what keeps all from being answered, like a full queue, is thrown. */
async function consumeMany(
  { services }: Context,
  viewer: ApiKeyViewer,
  inputs: readonly ConsumeInput[],
): Promise<ConsumeResults> {
  const parsed = inputs.map((input, i) => parsedOrError(viewer, input, pathOf(i)));
  const requests = parsed.filter((one): one is ConsumeRequest => !(one instanceof MeterError));
  const settled = (await services.engine.consumeMany(requests)).values();
  const results = parsed.map((one, i) => {
    if (one instanceof MeterError) return errorValue(one);
    const result = settled.next().value;
    if (result?.status === 'fulfilled') return result.value;
    const { reason } = result ?? {};
    return errorValue(reason instanceof MeterError ? relocated(reason, pathOf(i)) : reason);
  });
  return { results };
}

const pathOf = (i: number): bounds.Path => ['input', 'inputs', String(i)];

function parsedOrError(viewer: ApiKeyViewer, input: ConsumeInput, path: bounds.Path): ConsumeRequest | MeterError {
  try {
    return consumeRequest(viewer, input, path);
  } catch (error) {
    if (error instanceof MeterError) return error;
    throw error;
  }
}

function errorValue(error: unknown): UserErrorValue {
  const value = ConsumeResult.asValue(error);
  if (value) return value;
  throw error;
}

/** A feature or plan that a customer token may not see does not exist for it. */
async function refuseUnseen(
  context: Context,
  viewer: Viewer,
  { featureKey, overrideKey }: ConsumeRequest,
): Promise<void> {
  if (viewer.kind === 'customer' && overrideKey !== null) {
    throw new MeterError('FORBIDDEN', 'A customer token is checked by its own plan; leave overrideKey out.');
  }
  if (!maySee(viewer, featureKey)) throw await unknownFeature(context, featureKey, ['input', 'featureKey']);
}
