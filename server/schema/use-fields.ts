/** use-fields — the fields that every input about a use has: who, what, how much. */
import type { builder } from './builder.ts';
import { DEFAULT_AMOUNT } from './consume-request.ts';

/** @param whose What to say of `referenceId`. */
export const useInputFields = (
  t: PothosSchemaTypes.InputFieldBuilder<typeof builder.$inferSchemaTypes, 'InputObject'>,
  whose = "The app's own id of the customer.",
) => ({
  referenceId: t.string({ required: true, description: whose }),
  featureKey: t.string({ required: true, description: 'Key of the feature.' }),
  amount: t.field({
    type: 'Decimal',
    defaultValue: DEFAULT_AMOUNT,
    description:
      'Units, or the new level of a gauge, which alone may be 0. Below 0 gives back, where the feature has a `minLimit`. Never null.',
  }),
  duration: t.string({
    description:
      'In place of `amount`, for a feature that adds up time: an ISO 8601 duration like `PT1M30S`, counted in its unit. Below 0 (`-PT1M`) gives back, as an amount does; 0 uses nothing.',
  }),
  entityId: t.string({
    description:
      'Who under the customer uses it, a seat or workspace: any text of at most 255 characters. It counts for both. Only for features whose amounts add up: `COUNT`, `SUM`, `DURATION`.',
  }),
  overrideKey: t.string({
    description: "Key of a plan to decide by instead of the customer's own, for this call only.",
  }),
  idempotencyKey: idempotencyKeyField(t),
  properties: t.field({
    type: 'JSON',
    description: 'An object kept with the event; at most 16 KiB. Distinct values are counted by a property of it.',
  }),
});

/** The key under which a call is made once. */
export const idempotencyKeyField = (
  t: PothosSchemaTypes.InputFieldBuilder<typeof builder.$inferSchemaTypes, 'InputObject'>,
) =>
  t.string({
    description:
      'Any text of at most 255 characters, unique per customer. The same call with the same key is made once, for at least 35 days.',
  });
