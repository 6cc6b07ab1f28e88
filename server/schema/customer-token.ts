/** customer-token — a short-lived credential of one customer, for browsers. */
import { type CustomerToken, createCustomerToken } from '../actions/create-customer-token.ts';
import { actingFor, ingester } from './access.ts';
import * as bounds from './bounds.ts';
import { builder } from './builder.ts';
import { resultUnion } from './errors.ts';

const TTL_MIN_SECONDS = 1;
const TTL_MAX_SECONDS = 900;

const CustomerTokenType = builder.objectRef<CustomerToken>('CustomerToken').implement({
  description: 'A credential that sees one customer, read-only, and nothing else.',
  fields: (t) => ({
    token: t.exposeString('token', { description: 'A JWT, as it goes into `Authorization: Bearer`.' }),
    expiresAt: t.expose('expiresAtMs', { type: 'DateTime', description: 'When it ends; get a new one before.' }),
  }),
});

const CreateCustomerTokenInput = builder.inputType('CreateCustomerTokenInput', {
  description: 'Whom a token speaks for.',
  fields: (t) => ({
    referenceId: t.string({ required: true, description: "The app's own id of the customer." }),
    featureKeys: t.stringList({ description: 'The only features that it sees, at most 100; all when left out.' }),
    ttlSeconds: t.int({
      defaultValue: TTL_MAX_SECONDS,
      description: `How long it is valid, from ${TTL_MIN_SECONDS} to ${TTL_MAX_SECONDS} seconds.`,
    }),
  }),
});

const CreateCustomerTokenResult = resultUnion('CreateCustomerTokenResult', CustomerTokenType, [
  'CUSTOMER_NOT_FOUND',
  'FEATURE_NOT_FOUND',
  'INVALID_INPUT',
]);

builder.mutationField('createCustomerToken', (t) =>
  t.field({
    type: CreateCustomerTokenResult.type,
    description:
      "Makes a token for a customer's browser. Ask for one on your server, never in the page. Scope `ingest`.",
    args: { input: t.arg({ type: CreateCustomerTokenInput, required: true, description: 'Whom it speaks for.' }) },
    resolve: (_root, { input }, context) =>
      CreateCustomerTokenResult.answer(context, async () => {
        const viewer = ingester(context);
        const { referenceId } = await actingFor(context, viewer, input.referenceId);
        return createCustomerToken(context.services, viewer.tenantId, {
          referenceId,
          featureKeys: input.featureKeys ? bounds.atMost(input.featureKeys, ['input', 'featureKeys'], 100) : null,
          ttlSeconds: bounds.whole(
            input.ttlSeconds ?? TTL_MAX_SECONDS,
            ['input', 'ttlSeconds'],
            TTL_MIN_SECONDS,
            TTL_MAX_SECONDS,
          ),
        });
      }),
  }),
);
