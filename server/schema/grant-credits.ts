/** grant-credits — gives prepaid units of a feature, and takes them away. */
import { randomUUID } from 'node:crypto';
import { GRANT_PRIORITY } from '../domain/credit-rule.ts';
import { grantNotFound, invalidInput } from '../domain/errors.ts';
import { CREDIT_PRIORITY_MAX } from '../domain/limit-bounds.ts';
import { problemOfGrant } from '../domain/new-grant.ts';
import { formatUnits, PREPAID_MAX } from '../domain/units.ts';
import type { ApiKeyViewer } from '../domain/viewer.ts';
import type { GrantRequest } from '../metering/requests.ts';
import { admin, referenceIn } from './access.ts';
import * as bounds from './bounds.ts';
import { builder } from './builder.ts';
import { OnRenewalEnum, onRenewalFrom, RolloverInput } from './credit-rule.ts';
import { resultUnion } from './errors.ts';
import { GrantSourceEnum, GrantType } from './grant.ts';
import { customers } from './loaders.ts';
import { decodeNodeId, ownedKey } from './node-id.ts';
import { IntervalInput, ResetEnum, resetFrom } from './period.ts';
import { idempotencyKeyField } from './use-fields.ts';

const RecurringGrantInput = builder.inputType('RecurringGrantInput', {
  description: "A grant that comes again with each period: the first lasts until the running one's end.",
  fields: (t) => ({
    reset: t.field({ type: ResetEnum, description: 'When it comes again; not `NEVER`. Or `resetInterval`.' }),
    resetInterval: t.field({ type: IntervalInput, description: 'When it comes again, in place of `reset`.' }),
    onRenewal: t.field({ type: OnRenewalEnum, description: 'What becomes of unused units. `RESET` by default.' }),
    rollover: t.field({ type: RolloverInput, description: 'How far they roll over; goes with `ROLLOVER` alone.' }),
  }),
});

const GrantCreditsInput = builder.inputType('GrantCreditsInput', {
  description: 'Prepaid units for one feature of one customer.',
  fields: (t) => ({
    referenceId: t.string({ required: true, description: "The app's own id of the customer." }),
    featureKey: t.string({ required: true, description: 'Key of the feature.' }),
    amount: t.field({
      type: 'Decimal',
      required: true,
      description: `Units; above 0, at most ${formatUnits(PREPAID_MAX)}.`,
    }),
    source: t.field({
      type: GrantSourceEnum,
      defaultValue: 'purchase',
      description: 'Where they come from; not `PLAN`.',
    }),
    priority: t.int({
      description: `Lower burns first, from 0 to ${CREDIT_PRIORITY_MAX.toLocaleString('en')}. ${GRANT_PRIORITY} by default, after what a plan allocates.`,
    }),
    effectiveFrom: t.field({
      type: 'DateTime',
      description: 'From when they can be drawn from; now by default, and where it has passed.',
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'What is left then is lost; never by default. Of a recurring grant: where the repetition ends.',
    }),
    recurring: t.field({ type: RecurringGrantInput, description: 'Given anew each period; once by default.' }),
    settlesOverage: t.boolean({
      defaultValue: false,
      description: 'Whether they first pay for overage of the running period, the latest first.',
    }),
    idempotencyKey: idempotencyKeyField(t),
  }),
});

const GrantCreditsResult = resultUnion('GrantCreditsResult', GrantType, [
  'CUSTOMER_NOT_FOUND',
  'FEATURE_NOT_FOUND',
  'INVALID_AMOUNT',
  'IDEMPOTENCY_CONFLICT',
  'INVALID_INPUT',
]);

const VoidGrantInput = builder.inputType('VoidGrantInput', {
  description: 'Which grant is taken away.',
  fields: (t) => ({ grantId: t.id({ required: true, description: 'The `id` of the grant.' }) }),
});

const VoidGrantResult = resultUnion('VoidGrantResult', GrantType, ['GRANT_NOT_FOUND']);

builder.mutationFields((t) => ({
  grantCredits: t.field({
    type: GrantCreditsResult.type,
    description: 'Gives a customer prepaid units of a feature. Scope `admin`.',
    args: { input: t.arg({ type: GrantCreditsInput, required: true, description: 'Whose, and how many.' }) },
    resolve: (_root, { input }, context) =>
      GrantCreditsResult.answer(context, async () => {
        const request = grantRequest(admin(context), input, context.services.clock.now());
        const { grant } = await context.services.engine.execute(request);
        return { customerId: request.customerId, grant };
      }),
  }),
  voidGrant: t.field({
    type: VoidGrantResult.type,
    description:
      "Takes away what is left of a grant, and its renewals. What was drawn from it stays paid. Of a plan's own allocation (`PLAN`) only what is left of this period goes: the plan allocates again with the next, until the customer's limits or plan say otherwise. Twice is the same as once. Scope `admin`.",
    args: { input: t.arg({ type: VoidGrantInput, required: true, description: 'Which grant.' }) },
    resolve: (_root, { input }, context) =>
      VoidGrantResult.answer(context, async () => {
        const { tenantId } = admin(context);
        const id = decodeNodeId(input.grantId);
        const key = id?.type === 'Grant' ? ownedKey(id) : null;
        const customer = key && (await customers(context).load(key.customerId));
        if (!customer) throw grantNotFound();
        const { grant } = await context.services.engine.execute({
          kind: 'void-grant',
          tenantId,
          customerId: customer.id,
          referenceId: customer.referenceId,
          idempotencyKey: null,
          grantId: key.id,
        });
        return { customerId: customer.id, grant };
      }),
  }),
}));

/** @throws {MeterError} `INVALID_INPUT`, `INVALID_AMOUNT` */
function grantRequest(viewer: ApiKeyViewer, input: typeof GrantCreditsInput.$inferInput, nowMs: number): GrantRequest {
  const { featureKey, amount, priority, effectiveFrom, expiresAt, recurring, idempotencyKey } = input;
  const at = (field: string): bounds.Path => ['input', field];
  const source = input.source ?? 'purchase';
  if (source === 'plan') {
    throw invalidInput(at('source'), '`source` is PLAN; only the plan itself gives those, so name another source.');
  }
  const request: GrantRequest = {
    kind: 'grant',
    grantId: randomUUID(),
    tenantId: viewer.tenantId,
    ...referenceIn(viewer, input.referenceId, at('referenceId')),
    featureKey: bounds.key(featureKey, at('featureKey')),
    source,
    amount: bounds.prepaidAmount(amount, at('amount')),
    priority: priority ?? null,
    effectiveFromMs: effectiveFrom ?? null,
    expiresAtMs: expiresAt ?? null,
    recurring: recurring ? recurringOf(recurring, at('recurring')) : null,
    settlesOverage: input.settlesOverage ?? false,
    idempotencyKey: bounds.isGiven(idempotencyKey) ? bounds.idempotencyKey(idempotencyKey, at('idempotencyKey')) : null,
  };
  refuseProblem(request, nowMs);
  return request;
}

function recurringOf(
  input: typeof RecurringGrantInput.$inferInput,
  path: bounds.Path,
): NonNullable<GrantRequest['recurring']> {
  const reset = resetFrom(input, path);
  if (reset) return { reset, onRenewal: onRenewalFrom(input, path) };
  throw invalidInput([...path, 'reset'], '`recurring.reset` is missing; say when the grant comes again, like MONTHLY.');
}

/** The same as the engine would say, in the words of the input: there `rollover` stands beside `onRenewal`. */
function refuseProblem(request: GrantRequest, nowMs: number): void {
  const problem = problemOfGrant(request, nowMs);
  if (!problem) return;
  const path = problem.path.filter((part) => part !== 'onRenewal');
  throw invalidInput(['input', ...path], `\`${path.join('.')}\` ${problem.sentence}.`);
}
