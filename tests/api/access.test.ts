/**
 * Goal: everybody may do what they may, and not a thing more. Method: every field of the API is asked by every kind of
 * caller; then a customer token looks for what is not its own, and another tenant for what is not its.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../server/schema/index.ts';
import type { HttpClient } from '../support/http-client.ts';
import { addTenant, CONSUME, leavingNoTrace, makeKey, makeToken, openRig, type Rig, use } from './rig.ts';

type Caller = 'nobody' | 'ingest' | 'read' | 'admin' | 'token';
let rig: Rig;
let callers: Readonly<Record<Caller, HttpClient>>;

beforeAll(async () => {
  rig = await openRig();
  await rig.data(CONSUME, use({ featureKey: 'storage', amount: 80, properties: { secret: 1 } }));
  await rig.data(CONSUME, use({ featureKey: 'exports', amount: 1 }));
  await rig.data(CONSUME, use({ referenceId: 'other', featureKey: 'storage', amount: 80 }));
  await rig.data(
    'mutation { registerCustomer(input: { referenceId: "acme", metadata: { secret: 1 } }) { __typename } }',
  );
  callers = {
    nobody: rig.as(undefined),
    ingest: rig.as((await makeKey(rig, ['ingest'])).secret),
    read: rig.as((await makeKey(rig, ['read'])).secret),
    admin: rig.as((await makeKey(rig, ['admin'])).secret),
    token: rig.as(await makeToken(rig)),
  };
});

const ADMIN = ['admin'] as const;
const WRITERS = ['ingest', 'admin'] as const;
const READERS = ['read', 'admin', 'token'] as const;
const KEYS_THAT_READ = ['read', 'admin'] as const;
const EVERYONE = ['ingest', 'read', 'admin', 'token'] as const;
const USE = 'input: { referenceId: "acme", featureKey: "api_calls" }';

/** Each field with arguments that would do, who may ask, and what they hear. A stream's answers are in tests/realtime. */
const FIELDS: Readonly<Record<string, readonly [operation: string, may: readonly Caller[], answer?: unknown]>> = {
  'Query.viewer': ['{ viewer { __typename } }', EVERYONE, { __typename: 'Viewer' }],
  'Query.check': [`{ check(${USE}) { __typename } }`, EVERYONE, { __typename: 'Consumption' }],
  'Query.usage': [
    '{ usage(referenceId: "acme", featureKey: "api_calls") { __typename } }',
    READERS,
    { __typename: 'Usage' },
  ],
  'Query.limits': [
    '{ limits(referenceId: "acme") { __typename } }',
    READERS,
    [{ __typename: 'LimitPolicy' }, { __typename: 'LimitPolicy' }, { __typename: 'LimitPolicy' }],
  ],
  'Query.customer': ['{ customer(referenceId: "acme") { __typename } }', READERS, { __typename: 'Customer' }],
  'Query.customers': ['{ customers(first: 1) { __typename } }', KEYS_THAT_READ, { __typename: 'CustomerConnection' }],
  'Query.feature': ['{ feature(key: "api_calls") { __typename } }', READERS, { __typename: 'Feature' }],
  'Query.features': ['{ features(first: 1) { __typename } }', KEYS_THAT_READ, { __typename: 'FeatureConnection' }],
  'Query.plan': ['{ plan(key: "pro") { __typename } }', READERS, { __typename: 'Plan' }],
  'Query.plans': ['{ plans(first: 1) { __typename } }', KEYS_THAT_READ, { __typename: 'PlanConnection' }],
  'Query.events': ['{ events(first: 1) { __typename } }', READERS, { __typename: 'EventConnection' }],
  'Query.alerts': ['{ alerts(first: 1) { __typename } }', READERS, { __typename: 'AlertConnection' }],
  'Query.usageSeries': [
    '{ usageSeries(referenceId: "acme", featureKey: "api_calls", from: "2026-03-15T00:00:00Z", to: "2026-03-16T00:00:00Z", bucket: DAY) { __typename } }',
    READERS,
    { __typename: 'UsageSeries' },
  ],
  'Query.usageForecast': [
    '{ usageForecast(referenceId: "acme", featureKey: "api_calls") { __typename } }',
    READERS,
    { __typename: 'UsageForecast' },
  ],
  'Query.invoicePreview': [
    '{ invoicePreview(referenceId: "acme") { __typename } }',
    READERS,
    { __typename: 'Invoice' },
  ],
  'Query.invoices': ['{ invoices(first: 1) { __typename } }', READERS, { __typename: 'InvoiceRecordConnection' }],
  'Query.invoice': ['{ invoice(number: 1) { __typename } }', READERS, null],
  'Query.usagePeriods': [
    '{ usagePeriods(first: 1, referenceId: "acme", featureKey: "api_calls") { __typename } }',
    READERS,
    { __typename: 'UsagePeriodConnection' },
  ],
  'Query.entityUsages': [
    '{ entityUsages(first: 1, referenceId: "acme", featureKey: "api_calls") { __typename } }',
    READERS,
    { __typename: 'EntityUsageConnection' },
  ],
  'Query.entityUsage': [
    '{ entityUsage(referenceId: "acme", featureKey: "api_calls", entityId: "ann") { __typename } }',
    READERS,
    { __typename: 'EntityUsage' },
  ],
  'Query.topUpRequests': [
    '{ topUpRequests(first: 1) { __typename } }',
    ADMIN,
    { __typename: 'TopUpRequestConnection' },
  ],
  'Query.webhookEndpoints': [
    '{ webhookEndpoints(first: 1) { __typename } }',
    ADMIN,
    { __typename: 'WebhookEndpointConnection' },
  ],
  'Query.webhookDeliveries': [
    '{ webhookDeliveries(first: 1) { __typename } }',
    ADMIN,
    { __typename: 'WebhookDeliveryConnection' },
  ],
  'Query.node': ['{ node(id: "x") { id } }', READERS, null],
  'Query.nodes': ['{ nodes(ids: ["x"]) { id } }', READERS, [null]],
  'Mutation.consume': [`mutation { consume(${USE}) { __typename } }`, WRITERS, { __typename: 'Consumption' }],
  'Mutation.consumeMany': [
    'mutation { consumeMany(input: { inputs: [] }) { __typename } }',
    WRITERS,
    { __typename: 'ConsumeManyPayload' },
  ],
  'Mutation.recordUsage': [
    'mutation { recordUsage(input: { referenceId: "acme", featureKey: "api_calls" }) { __typename } }',
    WRITERS,
    { __typename: 'Consumption' },
  ],
  'Mutation.reserve': [
    'mutation { reserve(input: { referenceId: "acme", featureKey: "api_calls" }) { __typename } }',
    WRITERS,
    { __typename: 'Reservation' },
  ],
  'Mutation.commitReservation': [
    'mutation { commitReservation(input: { reservationId: "x" }) { __typename } }',
    WRITERS,
    { __typename: 'ReservationNotFoundError' },
  ],
  'Mutation.releaseReservation': [
    'mutation { releaseReservation(input: { reservationId: "x" }) { __typename } }',
    WRITERS,
    { __typename: 'ReservationNotFoundError' },
  ],
  'Mutation.grantCredits': [
    'mutation { grantCredits(input: { referenceId: "acme", featureKey: "api_calls", amount: 1 }) { __typename } }',
    ADMIN,
    { __typename: 'Grant' },
  ],
  'Mutation.voidInvoice': [
    'mutation { voidInvoice(input: { number: 1 }) { __typename } }',
    ADMIN,
    { __typename: 'InvoiceNotFoundError' },
  ],
  'Mutation.voidGrant': [
    'mutation { voidGrant(input: { grantId: "x" }) { __typename } }',
    ADMIN,
    { __typename: 'GrantNotFoundError' },
  ],
  'Mutation.topUpWallet': [
    'mutation { topUpWallet(input: { referenceId: "acme", amount: 1 }) { __typename } }',
    ADMIN,
    { __typename: 'Wallet' },
  ],
  'Mutation.refundWallet': [
    'mutation { refundWallet(input: { referenceId: "acme", amount: 1 }) { __typename } }',
    ADMIN,
    { __typename: 'Wallet' },
  ],
  'Mutation.setWallet': [
    'mutation { setWallet(input: { referenceId: "acme" }) { __typename } }',
    ADMIN,
    { __typename: 'Wallet' },
  ],
  'Mutation.settleTopUp': [
    'mutation { settleTopUp(input: { referenceId: "acme", outcome: FAILED }) { __typename } }',
    ADMIN,
    { __typename: 'Wallet' },
  ],
  'Mutation.reverseEvent': [
    'mutation { reverseEvent(input: { eventId: "x" }) { __typename } }',
    ADMIN,
    { __typename: 'EventNotFoundError' },
  ],
  'Mutation.resetUsage': [
    'mutation { resetUsage(input: { referenceId: "acme", featureKey: "api_calls" }) { __typename } }',
    ADMIN,
    { __typename: 'UsageReset' },
  ],
  'Mutation.registerCustomer': [
    'mutation { registerCustomer(input: { referenceId: "acme" }) { __typename } }',
    WRITERS,
    { __typename: 'Customer' },
  ],
  'Mutation.createCustomerToken': [
    'mutation { createCustomerToken(input: { referenceId: "acme" }) { __typename } }',
    WRITERS,
    { __typename: 'CustomerToken' },
  ],
  'Mutation.setCustomerPlan': [
    'mutation { setCustomerPlan(input: { referenceId: "acme", planKey: "pro" }) { __typename } }',
    ADMIN,
    { __typename: 'Customer' },
  ],
  'Mutation.setCustomerLimits': [
    'mutation { setCustomerLimits(input: { referenceId: "acme", limits: [] }) { __typename } }',
    ADMIN,
    { __typename: 'Customer' },
  ],
  'Mutation.muteAlerts': [
    'mutation { muteAlerts(input: { referenceId: "acme", featureKey: "exports" }) { __typename } }',
    ADMIN,
    { __typename: 'Customer' },
  ],
  'Mutation.unmuteAlerts': [
    'mutation { unmuteAlerts(input: { referenceId: "acme" }) { __typename } }',
    ADMIN,
    { __typename: 'Customer' },
  ],
  'Mutation.createApiKey': [
    'mutation { createApiKey(input: { scopes: [READ] }) { __typename } }',
    ADMIN,
    { __typename: 'CreatedApiKey' },
  ],
  'Mutation.revokeApiKey': [
    'mutation { revokeApiKey(input: { keyId: "nokey000" }) { __typename } }',
    ADMIN,
    { __typename: 'ApiKeyNotFoundError' },
  ],
  'Mutation.createCheckoutSession': [
    'mutation { createCheckoutSession(input: { referenceId: "acme", plan: { planKey: "pro" }, successUrl: "x", cancelUrl: "x" }) { __typename } }',
    ADMIN,
    { __typename: 'BillingDisabledError' },
  ],
  'Mutation.createPortalSession': [
    'mutation { createPortalSession(input: { referenceId: "acme", returnUrl: "x" }) { __typename } }',
    ADMIN,
    { __typename: 'BillingDisabledError' },
  ],
  'Mutation.createWebhookEndpoint': [
    'mutation { createWebhookEndpoint(input: { url: "ftp://x", eventTypes: [] }) { __typename } }',
    ADMIN,
    { __typename: 'InvalidInputError' },
  ],
  'Mutation.updateWebhookEndpoint': [
    'mutation { updateWebhookEndpoint(input: { endpointId: "x" }) { __typename } }',
    ADMIN,
    { __typename: 'WebhookEndpointNotFoundError' },
  ],
  'Mutation.rotateWebhookSecret': [
    'mutation { rotateWebhookSecret(input: { endpointId: "x" }) { __typename } }',
    ADMIN,
    { __typename: 'WebhookEndpointNotFoundError' },
  ],
  'Mutation.deleteWebhookEndpoint': [
    'mutation { deleteWebhookEndpoint(input: { endpointId: "x" }) { __typename } }',
    ADMIN,
    { __typename: 'WebhookEndpointNotFoundError' },
  ],
  'Mutation.sendTestEvent': [
    'mutation { sendTestEvent(input: { endpointId: "x" }) { __typename } }',
    ADMIN,
    { __typename: 'WebhookEndpointNotFoundError' },
  ],
  'Mutation.replayDelivery': [
    'mutation { replayDelivery(input: { deliveryId: "x" }) { __typename } }',
    ADMIN,
    { __typename: 'WebhookDeliveryNotFoundError' },
  ],
  'Mutation.replayFailedDeliveries': [
    'mutation { replayFailedDeliveries(input: { endpointId: "x", since: "2026-03-15T00:00:00Z" }) { __typename } }',
    ADMIN,
    { __typename: 'WebhookEndpointNotFoundError' },
  ],
  'Mutation.acknowledgeAlert': [
    'mutation { acknowledgeAlert(input: { id: "x" }) { __typename } }',
    ADMIN,
    { __typename: 'AlertNotFoundError' },
  ],
  'Mutation.saveFeature': [
    'mutation { saveFeature(input: { key: "new" }) { __typename } }',
    ADMIN,
    { __typename: 'Feature' },
  ],
  'Mutation.savePlan': [
    'mutation { savePlan(input: { key: "new", features: [] }) { __typename } }',
    ADMIN,
    { __typename: 'Plan' },
  ],
  'Subscription.usageChanged': ['subscription { usageChanged(referenceId: "acme") { __typename } }', READERS],
  'Subscription.alertRaised': ['subscription { alertRaised(after: "x") { __typename } }', READERS],
  'Subscription.liveUsage': ['subscription { liveUsage { at } }', KEYS_THAT_READ],
};
const CALLERS = ['nobody', 'ingest', 'read', 'admin', 'token'] as const;

it('every field of the API is in the table', () => {
  const roots = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()];
  const fields = roots.flatMap((root) => Object.keys(root?.getFields() ?? {}).map((field) => `${root?.name}.${field}`));
  expect(fields.filter((field) => !(field in FIELDS))).toEqual([]);
});

describe.each(Object.entries(FIELDS))('%s', (field, [operation, may, answer]) => {
  it.each(CALLERS.filter((caller) => !may.includes(caller)))('is not for %s', async (caller) => {
    const { errors } = await leavingNoTrace(rig, () => callers[caller].post(operation));
    expect(errors?.map(({ extensions }) => extensions)).toEqual([
      { code: caller === 'nobody' ? 'UNAUTHENTICATED' : 'FORBIDDEN', retryable: false },
    ]);
  });

  if (field.startsWith('Subscription')) return; // answered over a stream that does not end; see tests/realtime
  it.each(may)('is for %s', async (caller) => {
    const { data, errors } = await callers[caller].post(operation);
    expect(errors).toBeUndefined();
    expect(data).toEqual({ [field.slice(field.indexOf('.') + 1)]: answer });
  });
});

it('the refusal names the scope that is needed, and what the credential has', async () => {
  const refusal = async (caller: Caller, field: string) => {
    const { errors } = await callers[caller].post(FIELDS[field]?.[0] ?? '');
    return errors?.[0]?.message;
  };
  expect(await refusal('read', 'Mutation.consume')).toBe(
    'This call needs an API key with scope "ingest" or "admin"; this key has "read".',
  );
  expect(await refusal('ingest', 'Mutation.savePlan')).toBe(
    'This call needs an API key with scope "admin"; this key has "ingest".',
  );
  expect(await refusal('token', 'Query.customers')).toBe(
    'This call needs an API key with scope "read" or "admin"; a customer token reads its own customer and nothing else.',
  );
});

describe('a customer token', () => {
  it('may leave the reference out, which an API key may not', async () => {
    const query = '{ usage(featureKey: "storage") { referenceId used } customer { referenceId } limits { planKey } }';
    expect(await callers.token.data(query)).toMatchObject({
      usage: { referenceId: 'acme', used: '80' },
      customer: { referenceId: 'acme' },
      limits: expect.arrayContaining([{ planKey: 'pro' }]),
    });
    const { errors } = await callers.read.post('{ usage(featureKey: "storage") { used } }');
    expect(errors?.[0]).toMatchObject({
      message: 'With an API key the call must say whose: pass `referenceId`. Only a customer token may leave it out.',
      extensions: { code: 'INVALID_INPUT' },
    });
  });

  it('says who it is, and of itself not what only the app should know', async () => {
    const query = `{ viewer { tenant { mode } apiKey { keyId } customer { referenceId metadata } }
      events(first: 2) { nodes { referenceId properties } } }`;
    expect(await callers.token.data(query)).toEqual({
      viewer: { tenant: { mode: 'LIVE' }, apiKey: null, customer: { referenceId: 'acme', metadata: null } },
      events: {
        nodes: [
          { referenceId: 'acme', properties: null },
          { referenceId: 'acme', properties: null },
        ],
      },
    });
    expect(await callers.admin.data('{ customer(referenceId: "acme") { metadata } }')).toEqual({
      customer: { metadata: { secret: 1 } },
    });
  });

  it.each([
    ['usage', '(referenceId: "REF", featureKey: "storage") { used }'],
    ['limits', '(referenceId: "REF") { limit }'],
    ['customer', '(referenceId: "REF") { id }'],
    ['events', '(first: 1, referenceId: "REF") { nodes { id } }'],
    ['alerts', '(first: 1, referenceId: "REF") { nodes { id } }'],
    [
      'check',
      '(input: { referenceId: "REF", featureKey: "storage" }) { __typename ... on UserError { message code } }',
    ],
  ])('hears of another customer in %s what it hears of none', async (field, rest) => {
    const ask = async (referenceId: string) => {
      const { status, data, errors } = await callers.token.post(`{ ${field}${rest.replace('REF', referenceId)} }`);
      return JSON.stringify({ status, data, errors }).replaceAll(referenceId, 'REF');
    };
    expect(await ask('other')).toBe(await ask('nobody'));
  });

  it('finds its own objects by id, and nobody else’s', async () => {
    const all = await callers.admin.data<{
      customers: { nodes: { id: string; referenceId: string }[] };
      alerts: { nodes: { id: string; referenceId: string }[] };
      events: { nodes: { id: string; referenceId: string }[] };
      viewer: { apiKey: { id: string } };
      plans: { nodes: { id: string; key: string }[] };
    }>(`{ customers(first: 9) { nodes { id referenceId } } alerts(first: 9) { nodes { id referenceId } }
      events(first: 9) { nodes { id referenceId } } viewer { apiKey { id } } plans(first: 9) { nodes { id key } } }`);
    const nodes = [...all.customers.nodes, ...all.alerts.nodes, ...all.events.nodes];
    const own = nodes.filter(({ referenceId }) => referenceId === 'acme').map(({ id }) => id);
    const plan = all.plans.nodes.filter(({ key }) => key === 'pro').map(({ id }) => id);
    const foreign = nodes.filter(({ referenceId }) => referenceId !== 'acme').map(({ id }) => id);
    const otherPlan = all.plans.nodes.filter(({ key }) => key !== 'pro').map(({ id }) => id);
    const found = async (ids: string[]) =>
      (await callers.token.data<{ nodes: unknown[] }>('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids }))
        .nodes;
    expect([own.length > 2, foreign.length > 2]).toEqual([true, true]);
    expect(await found([...own, ...plan])).toEqual([...own, ...plan].map((id) => ({ id })));
    const hidden = [...foreign, ...otherPlan, all.viewer.apiKey.id];
    expect(await found(hidden)).toEqual(hidden.map(() => null));
  });

  describe('of some features', () => {
    let narrow: HttpClient;
    beforeAll(async () => {
      narrow = rig.as(await makeToken(rig, { featureKeys: ['storage'] }));
    });

    it('sees those, wherever it looks', async () => {
      const query = `{
        customer { usages { feature { key } } limits { feature { key } } plan { features { featureKey } } }
        limits { feature { key } }
        alerts(first: 9) { nodes { featureKey } }
        events(first: 9) { nodes { featureKey } }
        feature(key: "storage") { key }
        hidden: feature(key: "api_calls") { key }
      }`;
      const storage = [{ feature: { key: 'storage' } }];
      expect(await narrow.data(query)).toEqual({
        customer: { usages: storage, limits: storage, plan: { features: [{ featureKey: 'storage' }] } },
        limits: storage,
        alerts: { nodes: [{ featureKey: 'storage' }] },
        events: { nodes: [{ featureKey: 'storage' }] },
        feature: { key: 'storage' },
        hidden: null,
      });
    });

    it.each([
      ['{ usage(featureKey: "KEY") { used } }'],
      ['{ customer { usages(featureKeys: ["KEY"]) { used } } }'],
      ['{ alerts(first: 1, featureKey: "KEY") { nodes { id } } }'],
      ['{ events(first: 1, featureKey: "KEY") { nodes { id } } }'],
      ['{ check(input: { referenceId: "acme", featureKey: "KEY" }) { ... on UserError { code message path } } }'],
    ])('hears of another in %s what it hears of none', async (query) => {
      const ask = async (key: string) => {
        const { status, data, errors } = await narrow.post(query.replace('KEY', key));
        return JSON.stringify({ status, data, errors }).replaceAll(key, 'KEY');
      };
      expect(await ask('api_calls')).toBe(await ask('telepathy'));
      expect(await ask('api_calls')).toContain('FEATURE_NOT_FOUND');
    });
  });
});

describe('another tenant', () => {
  let stranger: HttpClient;
  beforeAll(async () => {
    stranger = rig.as((await addTenant(rig)).key);
  });

  it('finds none of what is here', async () => {
    const query = `{ customers(first: 9) { nodes { id } } alerts(first: 9) { nodes { id } } events(first: 9) { nodes { id } }
      customer(referenceId: "acme") { id } }`;
    const nothing = { nodes: [] };
    expect(await stranger.data(query)).toEqual({
      customers: nothing,
      alerts: nothing,
      events: nothing,
      customer: null,
    });
  });

  it('finds nothing by the ids and keys of here', async () => {
    const ours = await rig.data<Record<string, { nodes: { id: string }[] }>>(
      `{ customers(first: 9) { nodes { id } } alerts(first: 9) { nodes { id } } events(first: 9) { nodes { id } }
      features(first: 9) { nodes { id } } plans(first: 9) { nodes { id } } }`,
    );
    const { viewer } = await rig.data<{ viewer: { apiKey: { id: string; keyId: string } } }>(
      '{ viewer { apiKey { id keyId } } }',
    );
    const ids = [viewer.apiKey.id, ...Object.values(ours).flatMap(({ nodes }) => nodes.map(({ id }) => id))];
    const found = await stranger.data<{ nodes: unknown[] }>('query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', {
      ids,
    });
    expect(found.nodes).toEqual(ids.map(() => null));

    const answers = await leavingNoTrace(rig, () =>
      stranger.data(
        `mutation ($alert: ID!, $keyId: String!) {
          acknowledgeAlert(input: { id: $alert }) { ... on UserError { code } }
          revokeApiKey(input: { keyId: $keyId }) { ... on UserError { code } }
          setCustomerPlan(input: { referenceId: "acme", planKey: "free" }) { ... on UserError { code } }
          setCustomerLimits(input: { referenceId: "acme", limits: [] }) { ... on UserError { code } }
          muteAlerts(input: { referenceId: "acme" }) { ... on UserError { code } }
          unmuteAlerts(input: { referenceId: "acme" }) { ... on UserError { code } }
          createCustomerToken(input: { referenceId: "acme" }) { ... on UserError { code } }
          consume(input: { referenceId: "acme", featureKey: "storage" }) { ... on UserError { code } }
        }`,
        { alert: ours.alerts?.nodes[0]?.id, keyId: viewer.apiKey.keyId },
      ),
    );
    const unknownCustomer = { code: 'CUSTOMER_NOT_FOUND' };
    expect(answers).toEqual({
      acknowledgeAlert: { code: 'ALERT_NOT_FOUND' },
      revokeApiKey: { code: 'API_KEY_NOT_FOUND' },
      setCustomerPlan: unknownCustomer,
      setCustomerLimits: unknownCustomer,
      muteAlerts: unknownCustomer,
      unmuteAlerts: unknownCustomer,
      createCustomerToken: unknownCustomer,
      consume: unknownCustomer,
    });
  });

  it.each(['customers', 'alerts', 'events', 'features', 'plans'])(
    'may not go on with a cursor of our %s',
    async (list) => {
      const page = await rig.data<Record<string, { pageInfo: { endCursor: string } }>>(
        `{ ${list}(first: 1) { pageInfo { endCursor } } }`,
      );
      const query = `query ($after: String) { ${list}(first: 1, after: $after) { pageInfo { endCursor } } }`;
      const { errors } = await stranger.post(query, { after: page[list]?.pageInfo.endCursor });
      expect(errors?.[0]?.extensions).toEqual({ code: 'INVALID_CURSOR', retryable: false });
    },
  );
});
