/** api-key — how servers authenticate. */
import { type CreatedApiKey, createApiKey } from '../actions/create-api-key.ts';
import { revokeApiKey } from '../actions/revoke-api-key.ts';
import type { ApiKey } from '../domain/api-key.ts';
import { admin } from './access.ts';
import * as bounds from './bounds.ts';
import { builder, wordEnum } from './builder.ts';
import { resultUnion } from './errors.ts';
import { Node } from './node.ts';
import { encodeNodeId } from './node-id.ts';

const ApiKeyScopeEnum = wordEnum('ApiKeyScope', 'What an API key is good for.', {
  ingest: 'Writes use, registers customers and makes customer tokens.',
  read: 'Reads everything of the tenant.',
  admin: 'Does both, and configures: features, plans, limits, keys.',
});

export const ApiKeyType = builder.objectRef<ApiKey>('ApiKey').implement({
  description: 'How a server authenticates as the tenant. The secret itself is not kept.',
  interfaces: [Node],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque, and unique among all objects.',
      resolve: ({ id }) => encodeNodeId('ApiKey', id),
    }),
    keyId: t.exposeString('id', { description: 'The 8 characters between `mg_live_` and the secret.' }),
    name: t.exposeString('name', { nullable: true, description: 'What it is for.' }),
    scopes: t.field({
      type: [ApiKeyScopeEnum],
      description: 'What it is good for.',
      resolve: ({ scopes }) => [...scopes],
    }),
    createdAt: t.expose('createdAtMs', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When it ends by itself. Null: never.',
    }),
    revokedAt: t.expose('revokedAtMs', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was revoked. Null while it is valid.',
    }),
  }),
});

const CreatedApiKeyType = builder.objectRef<CreatedApiKey>('CreatedApiKey').implement({
  description: 'A new key. This is the only time that it is shown.',
  fields: (t) => ({
    secret: t.exposeString('text', {
      description: 'The whole key, as it goes into `Authorization: Bearer`. Keep it now.',
    }),
    apiKey: t.expose('apiKey', { type: ApiKeyType, description: 'What is kept of it.' }),
  }),
});

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'A key to be made.',
  fields: (t) => ({
    name: t.string({ description: 'What it is for.' }),
    scopes: t.field({ type: [ApiKeyScopeEnum], required: true, description: 'What it is good for; at least one.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'When it ends by itself. Never when left out.' }),
  }),
});

const RevokeApiKeyInput = builder.inputType('RevokeApiKeyInput', {
  description: 'Which key ends.',
  fields: (t) => ({
    keyId: t.string({ required: true, description: 'The 8 characters between `mg_live_` and the secret.' }),
  }),
});

const CreateApiKeyResult = resultUnion('CreateApiKeyResult', CreatedApiKeyType, ['INVALID_INPUT']);
const RevokeApiKeyResult = resultUnion('RevokeApiKeyResult', ApiKeyType, ['API_KEY_NOT_FOUND']);

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreateApiKeyResult.type,
    description: 'Makes an API key for the tenant. Scope `admin`.',
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'The key.' }) },
    resolve: (_root, { input }, context) =>
      CreateApiKeyResult.answer(context, () => {
        const { tenantId } = admin(context);
        return createApiKey(context.services, tenantId, {
          name: bounds.isGiven(input.name) ? bounds.name(input.name, ['input', 'name']) : null,
          scopes: input.scopes,
          expiresAtMs: input.expiresAt ?? null,
        });
      }),
  }),
  revokeApiKey: t.field({
    type: RevokeApiKeyResult.type,
    description:
      'Ends an API key; every gateway refuses it within 10 seconds. Doing it again changes nothing. Scope `admin`.',
    args: { input: t.arg({ type: RevokeApiKeyInput, required: true, description: 'Which key.' }) },
    resolve: (_root, { input }, context) =>
      RevokeApiKeyResult.answer(context, () => revokeApiKey(context.services, admin(context).tenantId, input.keyId)),
  }),
}));
