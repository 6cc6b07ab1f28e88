/** viewer — who is asking. */
import type { Tenant } from '../domain/tenant.ts';
import type { Viewer } from '../domain/viewer.ts';
import { anyone } from './access.ts';
import { ApiKeyType } from './api-key.ts';
import { builder, wordEnum } from './builder.ts';
import { CustomerType } from './customer.ts';
import { alertCursorOf, apiKeys, customers, tenantOf } from './loaders.ts';

const TenantModeEnum = wordEnum('TenantMode', 'Whether what is counted counts.', {
  live: 'Real customers and real money.',
  test: 'To try things out. Keys begin with `mg_test_`.',
});

const TenantType = builder.objectRef<Tenant>('Tenant').implement({
  description: 'The owner of everything: an app or a company.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'As people read it.' }),
    timeZone: t.exposeString('timeZone', { description: "IANA name; its customers' default." }),
    mode: t.expose('mode', { type: TenantModeEnum, description: 'Whether what is counted counts.' }),
  }),
});

const ViewerType = builder.objectRef<Viewer>('Viewer').implement({
  description: 'Who is asking: an API key, or a customer by token.',
  fields: (t) => ({
    tenant: t.field({
      type: TenantType,
      description: 'The owner of all that can be asked for.',
      resolve: (_viewer, _args, context) => tenantOf(context),
    }),
    apiKey: t.field({
      type: ApiKeyType,
      nullable: true,
      description: 'The key that is asking. Null with a customer token.',
      resolve: (viewer, _args, context) => (viewer.kind === 'api-key' ? apiKeys(context).load(viewer.keyId) : null),
    }),
    customer: t.field({
      type: CustomerType,
      nullable: true,
      description: 'The customer whose token is asking. Null with an API key.',
      resolve: (viewer, _args, context) =>
        viewer.kind === 'customer' ? customers(context).load(viewer.customerId) : null,
    }),
    alertCursor: t.string({
      description:
        'Resume point of `alertRaised` as of now: pass it as `after`, and no alert raised from this moment on is missed.',
      resolve: (_viewer, _args, context) => alertCursorOf(context),
    }),
  }),
});

builder.queryField('viewer', (t) =>
  t.field({
    type: ViewerType,
    description: 'Who is asking. Any credential.',
    resolve: (_root, _args, context) => anyone(context),
  }),
);
