/** consumption — the calls that decide: `consume`, `consumeMany`, `check`, and what they answer. */
import type { Context } from '../context.ts';
import { MeterError } from '../domain/errors.ts';
import type { ApiKeyViewer, Viewer } from '../domain/viewer.ts';
import type { ConsumeRequest, Consumption } from '../metering/requests.ts';
import { ingester, maySee, readerOrIngester } from './access.ts';
import { AlertType } from './alert.ts';
import * as bounds from './bounds.ts';
import { builder } from './builder.ts';
import { type ConsumeInput, consumeRequest } from './consume-request.ts';
import { ConsumeModeEnum, DenialType, SplitType } from './decision.ts';
import { relocated, resultUnion, type UserErrorValue } from './errors.ts';
import { unknownFeature } from './existing.ts';
import { UsageType } from './usage.ts';
import { useInputFields } from './use-fields.ts';

const INPUTS_MAX = 1_000;

export const ConsumptionType = builder.objectRef<Consumption>('Consumption').implement({
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
    ...useInputFields(
      t,
      "The app's own id of the customer. With a customer token (`check` only) it is the token's own.",
    ),
    mode: t.field({
      type: ConsumeModeEnum,
      defaultValue: 'REJECT',
      description: 'What to do when the amount does not fit.',
    }),
  }),
});

/** What can be wrong with a use, however it is reported. */
export const USE_ERRORS = [
  'CUSTOMER_NOT_FOUND',
  'FEATURE_NOT_FOUND',
  'PLAN_NOT_FOUND',
  'INVALID_AMOUNT',
  'IDEMPOTENCY_CONFLICT',
  'INVALID_INPUT',
] as const;

const ConsumeResult = resultUnion('ConsumeResult', ConsumptionType, USE_ERRORS);

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
        context.services.engine.execute(consumeRequest(ingester(context), input, ['input'])),
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
      'What `consume` would answer now, but for `alerts`: none is raised, so none is listed. Nothing is written, so the next call may hear something else. Scope `read` or `ingest`, or a customer token: it asks with its own `referenceId`.',
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
