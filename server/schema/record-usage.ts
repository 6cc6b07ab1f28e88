/** record-usage — reports use that has happened already. */
import { ingester } from './access.ts';
import { builder } from './builder.ts';
import { recordRequest } from './consume-request.ts';
import { ConsumptionType, USE_ERRORS } from './consumption.ts';
import { resultUnion } from './errors.ts';
import { useInputFields } from './use-fields.ts';

const RecordUsageInput = builder.inputType('RecordUsageInput', {
  description: 'A use that has happened.',
  fields: (t) => ({
    ...useInputFields(t),
    timestamp: t.field({
      type: 'DateTime',
      description:
        "When it happened: it counts in that period. At most 35 days back and 5 minutes ahead of the server's clock; now by default.",
    }),
  }),
});

const RecordUsageResult = resultUnion('RecordUsageResult', ConsumptionType, [...USE_ERRORS, 'INVALID_TIMESTAMP']);

builder.mutationField('recordUsage', (t) =>
  t.field({
    type: RecordUsageResult.type,
    description:
      'Records use that has happened already: never denied for a limit or for lack of money, and no call of a rate limit. Scope `ingest`.',
    args: { input: t.arg({ type: RecordUsageInput, required: true, description: 'Who used what, and when.' }) },
    resolve: (_root, { input }, context) =>
      RecordUsageResult.answer(context, () => context.services.engine.execute(recordRequest(ingester(context), input))),
  }),
);
