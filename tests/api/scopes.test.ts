/** Goal: each call is open to whom it is meant for, and to nobody else. Method: every field of the schema × every credential. */
import { beforeAll, describe, expect, it } from 'vitest';
import { schema } from '../../server/schema/index.ts';
import { ADMIN_KEY } from '../support/gateway.ts';
import { makeKey, makeToken, openRig, type Rig, stored } from './rig.ts';

const WHO = ['nobody', 'ingest', 'read', 'admin', 'customer'] as const;
type Who = (typeof WHO)[number];
type Row = readonly [call: string, ...mayCall: Who[]];

const ALL_BUT_NOBODY = ['ingest', 'read', 'admin', 'customer'] as const;
const READERS = ['read', 'admin', 'customer'] as const;

const USE = '{ referenceId: "acme", featureKey: "api_calls" }';
const SERIES =
  'referenceId: "acme", featureKey: "api_calls", from: "2026-03-15T00:00:00Z", to: "2026-03-16T00:00:00Z", bucket: DAY';
const MUTATIONS: readonly Row[] = [
  ['registerCustomer(input: { referenceId: "acme" }) { __typename }', 'ingest', 'admin'],
  [`consume(input: ${USE}) { __typename }`, 'ingest', 'admin'],
  [`consumeMany(input: { inputs: [${USE}] }) { __typename }`, 'ingest', 'admin'],
  [`recordUsage(input: ${USE}) { __typename }`, 'ingest', 'admin'],
  [`reserve(input: ${USE}) { __typename }`, 'ingest', 'admin'],
  ['commitReservation(input: { reservationId: "nothing" }) { __typename }', 'ingest', 'admin'],
  ['releaseReservation(input: { reservationId: "nothing" }) { __typename }', 'ingest', 'admin'],
  ['grantCredits(input: { referenceId: "acme", featureKey: "api_calls", amount: 1 }) { __typename }', 'admin'],
  ['voidGrant(input: { grantId: "nothing" }) { __typename }', 'admin'],
  ['topUpWallet(input: { referenceId: "acme", amount: 1 }) { __typename }', 'admin'],
  ['refundWallet(input: { referenceId: "acme", amount: 1 }) { __typename }', 'admin'],
  ['setWallet(input: { referenceId: "acme" }) { __typename }', 'admin'],
  ['voidInvoice(input: { number: 1 }) { __typename }', 'admin'],
  ['settleTopUp(input: { referenceId: "acme", outcome: FAILED }) { __typename }', 'admin'],
  ['reverseEvent(input: { eventId: "nothing" }) { __typename }', 'admin'],
  ['resetUsage(input: { referenceId: "acme", featureKey: "api_calls" }) { __typename }', 'admin'],
  ['createCustomerToken(input: { referenceId: "acme" }) { __typename }', 'ingest', 'admin'],
  ['setCustomerPlan(input: { referenceId: "acme", planKey: "pro" }) { __typename }', 'admin'],
  ['setCustomerLimits(input: { referenceId: "acme", limits: [] }) { __typename }', 'admin'],
  ['muteAlerts(input: { referenceId: "acme", featureKey: "exports" }) { __typename }', 'admin'],
  ['unmuteAlerts(input: { referenceId: "acme" }) { __typename }', 'admin'],
  ['createApiKey(input: { scopes: [READ] }) { __typename }', 'admin'],
  ['revokeApiKey(input: { keyId: "nothing" }) { __typename }', 'admin'],
  ['acknowledgeAlert(input: { id: "nothing" }) { __typename }', 'admin'],
  [
    'createCheckoutSession(input: { referenceId: "acme", plan: { planKey: "pro" }, successUrl: "x", cancelUrl: "x" }) { __typename }',
    'admin',
  ],
  ['createPortalSession(input: { referenceId: "acme", returnUrl: "x" }) { __typename }', 'admin'],
  ['createWebhookEndpoint(input: { url: "ftp://x", eventTypes: [] }) { __typename }', 'admin'],
  ['updateWebhookEndpoint(input: { endpointId: "x" }) { __typename }', 'admin'],
  ['rotateWebhookSecret(input: { endpointId: "x" }) { __typename }', 'admin'],
  ['deleteWebhookEndpoint(input: { endpointId: "x" }) { __typename }', 'admin'],
  ['sendTestEvent(input: { endpointId: "x" }) { __typename }', 'admin'],
  ['replayDelivery(input: { deliveryId: "x" }) { __typename }', 'admin'],
  ['replayFailedDeliveries(input: { endpointId: "x", since: "2026-03-15T00:00:00Z" }) { __typename }', 'admin'],
  ['saveFeature(input: { key: "extra" }) { __typename }', 'admin'],
  ['savePlan(input: { key: "extra", features: [] }) { __typename }', 'admin'],
];
const QUERIES: readonly Row[] = [
  ['viewer { __typename }', ...ALL_BUT_NOBODY],
  ['webhookEndpoints(first: 1) { nodes { id } }', 'admin'],
  ['webhookDeliveries(first: 1) { nodes { id } }', 'admin'],
  [`check(input: ${USE}) { __typename }`, ...ALL_BUT_NOBODY],
  ['usage(referenceId: "acme", featureKey: "api_calls") { used }', ...READERS],
  ['limits(referenceId: "acme") { limit }', ...READERS],
  ['customer(referenceId: "acme") { id }', ...READERS],
  ['invoicePreview(referenceId: "acme") { at }', ...READERS],
  ['invoices(first: 1) { nodes { number } }', ...READERS],
  ['invoice(number: 1) { number }', ...READERS],
  ['usageForecast(referenceId: "acme", featureKey: "api_calls") { used }', ...READERS],
  [`usageSeries(${SERIES}) { __typename }`, ...READERS],
  ['usagePeriods(first: 1, referenceId: "acme", featureKey: "api_calls") { nodes { used } }', ...READERS],
  ['entityUsages(first: 1, referenceId: "acme", featureKey: "api_calls") { nodes { used } }', ...READERS],
  ['entityUsage(referenceId: "acme", featureKey: "api_calls", entityId: "ann") { used }', ...READERS],
  ['feature(key: "api_calls") { id }', ...READERS],
  ['plan(key: "pro") { id }', ...READERS],
  ['events(first: 1, referenceId: "acme") { nodes { id } }', ...READERS],
  ['alerts(first: 1, referenceId: "acme") { nodes { id } }', ...READERS],
  ['node(id: "nothing") { id }', ...READERS],
  ['nodes(ids: ["nothing"]) { id }', ...READERS],
  ['customers(first: 1) { nodes { id } }', 'read', 'admin'],
  ['features(first: 1) { nodes { id } }', 'read', 'admin'],
  ['plans(first: 1) { nodes { id } }', 'read', 'admin'],
  ['topUpRequests(first: 1) { nodes { state } }', 'admin'],
];
const SUBSCRIPTIONS: readonly Row[] = [
  ['usageChanged(referenceId: "acme") { __typename }', ...READERS],
  ['alertRaised(referenceId: "acme") { __typename }', ...READERS],
  ['liveUsage { at }', 'read', 'admin'],
];

let rig: Rig;
let credentials: Readonly<Record<Who, string | undefined>>;

beforeAll(async () => {
  rig = await openRig();
  credentials = {
    nobody: undefined,
    ingest: (await makeKey(rig, ['ingest'])).secret,
    read: (await makeKey(rig, ['read'])).secret,
    admin: ADMIN_KEY,
    customer: await makeToken(rig),
  };
});

/** What becomes of a call: `yes`, or the code it is refused with. */
async function outcome(operation: string, call: string, who: Who): Promise<string> {
  const { errors = [], text } = await rig.as(credentials[who]).post(`${operation} { ${call} }`);
  const codes = errors.map(({ extensions }) => extensions?.code);
  // Nobody listens to a stream here: one that could be opened is refused because of that alone.
  if (codes.length === 0 || codes[0] === 'NOT_ACCEPTABLE') return 'yes';
  expect(codes, text).toHaveLength(1);
  return codes[0] ?? text;
}

const TABLE = (
  [
    ['mutation', MUTATIONS],
    ['query', QUERIES],
    ['subscription', SUBSCRIPTIONS],
  ] as const
).flatMap(([operation, rows]) => rows.map(([call, ...mayCall]) => ({ operation, call, name: nameOf(call), mayCall })));

function nameOf(call: string): string {
  return /^\w+/.exec(call)?.[0] ?? '';
}

describe.each(TABLE)('$operation $name', ({ operation, call, mayCall }) => {
  it(`is for ${mayCall.join(', ')}`, async () => {
    const refused = WHO.filter((who) => !mayCall.includes(who));
    const before = await stored(rig.database);
    for (const who of refused) {
      expect(await outcome(operation, call, who), who).toBe(who === 'nobody' ? 'UNAUTHENTICATED' : 'FORBIDDEN');
    }
    expect(await stored(rig.database)).toEqual(before);
    for (const who of mayCall) expect(await outcome(operation, call, who), who).toBe('yes');
  });
});

it('the table names every field of the schema', () => {
  const fields = [schema.getMutationType(), schema.getQueryType(), schema.getSubscriptionType()].flatMap((type) =>
    Object.keys(type?.getFields() ?? {}),
  );
  expect(TABLE.map(({ name }) => name).sort()).toEqual(fields.sort());
});

it('a refusal names the scope that is missing, and those that are there', async () => {
  const { errors } = await rig.as(credentials.read).post(`mutation { consume(input: ${USE}) { __typename } }`);
  expect(errors?.[0]?.message).toMatch(/"ingest" or "admin".*"read"/);
});

it('a change of plan hidden in a registration needs what a change of plan needs', async () => {
  const { text } = await rig
    .as(credentials.ingest)
    .post(
      'mutation { registerCustomer(input: { referenceId: "acme", planKey: "free" }) { __typename ... on UserError { code } } }',
    );
  expect(text).toMatch(/FORBIDDEN/);
  expect(await rig.data('{ customer(referenceId: "acme") { planKey } }')).toEqual({ customer: { planKey: 'pro' } });
});

it('no credential can be had by a smaller one', async () => {
  for (const who of ['ingest', 'read', 'customer'] as const) {
    expect(await outcome('mutation', 'createApiKey(input: { scopes: [ADMIN] }) { __typename }', who)).toBe('FORBIDDEN');
  }
});
