/** correction — takes back an event by another one, and ends a period by hand: nothing that was recorded is changed. */
import { eventNotFound } from '../domain/errors.ts';
import type { Restarted } from '../metering/requests.ts';
import { admin, referenceIn } from './access.ts';
import * as bounds from './bounds.ts';
import { builder } from './builder.ts';
import { ConsumptionType } from './consumption.ts';
import { resultUnion } from './errors.ts';
import { customers } from './loaders.ts';
import { decodeNodeId, sequencedKey } from './node-id.ts';
import { PeriodType } from './period.ts';
import { UsageType } from './usage.ts';
import { idempotencyKeyField } from './use-fields.ts';

const ReverseEventInput = builder.inputType('ReverseEventInput', {
  description: 'Which event did not happen.',
  fields: (t) => ({
    eventId: t.id({ required: true, description: 'The `id` of the event.' }),
    idempotencyKey: idempotencyKeyField(t),
  }),
});

const ReverseEventResult = resultUnion('ReverseEventResult', ConsumptionType, [
  'EVENT_NOT_FOUND',
  'EVENT_ALREADY_REVERSED',
  'INVALID_AMOUNT',
  'IDEMPOTENCY_CONFLICT',
  'INVALID_INPUT',
]);

const UsageResetType = builder.objectRef<Restarted>('UsageReset').implement({
  description: 'A period that was ended by hand.',
  fields: (t) => ({
    usage: t.expose('usage', { type: UsageType, description: 'The meter in the period that begins with this call.' }),
    ended: t.expose('ended', {
      type: PeriodType,
      nullable: true,
      description: 'The period that ended. Null where nothing was counted yet.',
    }),
    replayed: t.exposeBoolean('replayed', {
      description: 'Whether this is the first answer to the same idempotency key, given again.',
    }),
  }),
});

const ResetUsageInput = builder.inputType('ResetUsageInput', {
  description: 'Which meter starts again from zero.',
  fields: (t) => ({
    referenceId: t.string({ required: true, description: "The app's own id of the customer." }),
    featureKey: t.string({ required: true, description: 'Key of the feature.' }),
    idempotencyKey: idempotencyKeyField(t),
  }),
});

const ResetUsageResult = resultUnion('ResetUsageResult', UsageResetType, [
  'CUSTOMER_NOT_FOUND',
  'FEATURE_NOT_FOUND',
  'IDEMPOTENCY_CONFLICT',
  'INVALID_INPUT',
]);

const keyOf = (text: string | null | undefined): string | null =>
  bounds.isGiven(text) ? bounds.idempotencyKey(text, ['input', 'idempotencyKey']) : null;

builder.mutationFields((t) => ({
  reverseEvent: t.field({
    type: ReverseEventResult.type,
    description:
      'Takes back an event by another one that is linked to it: its units, and what paid for them, in the period where they were counted. Only a use of amounts that add up can be reversed, and once; what gave back, or is a reversal itself, can not: record the use again. Scope `admin`.',
    args: { input: t.arg({ type: ReverseEventInput, required: true, description: 'Which event.' }) },
    resolve: (_root, { input }, context) =>
      ReverseEventResult.answer(context, async () => {
        const { tenantId } = admin(context);
        const idempotencyKey = keyOf(input.idempotencyKey);
        const id = decodeNodeId(input.eventId);
        const key = id?.type === 'Event' ? sequencedKey(id) : null;
        const customer = key && (await customers(context).load(key.customerId));
        if (!customer) throw eventNotFound();
        return context.services.engine.execute({
          kind: 'reverse',
          tenantId,
          customerId: customer.id,
          referenceId: customer.referenceId,
          idempotencyKey,
          sequence: key.sequence,
        });
      }),
  }),
  resetUsage: t.field({
    type: ResetUsageResult.type,
    description:
      'Ends the running period of a meter now; the next one begins from zero and ends when this one would have. Scope `admin`.',
    args: { input: t.arg({ type: ResetUsageInput, required: true, description: 'Whose meter, and which.' }) },
    resolve: (_root, { input }, context) =>
      ResetUsageResult.answer(context, () => {
        const viewer = admin(context);
        return context.services.engine.execute({
          kind: 'reset',
          tenantId: viewer.tenantId,
          ...referenceIn(viewer, input.referenceId, ['input', 'referenceId']),
          featureKey: bounds.key(input.featureKey, ['input', 'featureKey']),
          idempotencyKey: keyOf(input.idempotencyKey),
        });
      }),
  }),
}));
