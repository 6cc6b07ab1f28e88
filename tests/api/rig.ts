/** rig — what the tests of the doors share: credentials of every kind, and the proof that nothing was written. */
import { expect } from 'vitest';
import { syncConfig } from '../../server/actions/sync-config.ts';
import type { Database } from '../../server/db/client.ts';
import { insertApiKey } from '../../server/db/queries/api-keys.ts';
import { insertTenant } from '../../server/db/queries/first-rows.ts';
import { type ApiKeyMode, parseApiKey, secretHashOf } from '../../server/domain/api-key.ts';
import { ERROR_CODES } from '../../server/domain/errors.ts';
import type { ApiKeyScope } from '../../server/domain/viewer.ts';
import { parseConfig } from '../../server/parse-config.ts';
import { ManualClock } from '../support/clock.ts';
import { openEmbedded } from '../support/engines.ts';
import { startGateway, TEST_CONFIG, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import type { HttpReply } from '../support/http-client.ts';

export type Rig = TestGateway & { readonly clock: ManualClock };

/** A gateway whose clock moves by hand, with the customers `acme` and `other`. */
export async function openRig(
  options: Partial<Omit<TestGatewayOptions, 'clock'>> & { readonly clock?: ManualClock } = {},
): Promise<Rig> {
  const { clock = new ManualClock(), database = await openEmbedded(), ...rest } = options;
  const gateway = await startGateway({ ...rest, database, clock });
  for (const referenceId of ['acme', 'other']) await gateway.data(REGISTER, { input: { referenceId, planKey: 'pro' } });
  return { ...gateway, clock };
}

export const REGISTER = `mutation ($input: RegisterCustomerInput!) {
  registerCustomer(input: $input) { ... on Customer { id referenceId } ... on UserError { code message path } }
}`;

export const CONSUME = `mutation ($input: ConsumeInput!) {
  consume(input: $input) {
    ... on Consumption { allowed denial { reason } amount usage { used cursor } alerts { id cursor } }
    ... on UserError { code message path }
    ... on FeatureNotFoundError { suggestion }
    ... on PlanNotFoundError { suggestion }
  }
}`;

export const WATCH = `subscription ($referenceId: String, $after: String) {
  usageChanged(referenceId: $referenceId, after: $after) {
    __typename
    ... on UsageSnapshot { usages { feature { key } used } cursor }
    ... on UsageDelta { usage { feature { key } used } cursor }
  }
}`;

export const use = (fields: Record<string, unknown> = {}) => ({
  input: { referenceId: 'acme', featureKey: 'api_calls', ...fields },
});

export type NewKey = { readonly secret: string; readonly keyId: string };

/** An API key of the rig's tenant. */
export async function makeKey(
  gateway: TestGateway,
  scopes: readonly ApiKeyScope[],
  expiresAtMs: number | null = null,
): Promise<NewKey> {
  const input = {
    scopes: scopes.map((scope) => scope.toUpperCase()),
    ...(expiresAtMs !== null && { expiresAt: new Date(expiresAtMs).toISOString() }),
  };
  const made = await gateway.data<{ createApiKey: { secret: string; apiKey: { keyId: string } } }>(
    `mutation ($input: CreateApiKeyInput!) {
      createApiKey(input: $input) { ... on CreatedApiKey { secret apiKey { keyId } } ... on UserError { message } }
    }`,
    { input },
  );
  const { secret, apiKey } = made.createApiKey;
  return { secret, keyId: apiKey.keyId };
}

export async function revokeKey(gateway: TestGateway, keyId: string): Promise<void> {
  const revoked = await gateway.data(
    'mutation ($keyId: String!) { revokeApiKey(input: { keyId: $keyId }) { __typename } }',
    { keyId },
  );
  expect(revoked).toEqual({ revokeApiKey: { __typename: 'ApiKey' } });
}

/** A customer token of the rig's tenant. */
export async function makeToken(gateway: TestGateway, input: Record<string, unknown> = {}): Promise<string> {
  const made = await gateway.data<{ createCustomerToken: { token: string } }>(
    `mutation ($input: CreateCustomerTokenInput!) {
      createCustomerToken(input: $input) { ... on CustomerToken { token } ... on UserError { message } }
    }`,
    { input: { referenceId: 'acme', ...input } },
  );
  return made.createCustomerToken.token;
}

const TENANTS = {
  live: { id: '01970000-0000-7000-8000-0000000000aa', key: 'mg_live_Stranger_0123456789ABCDEFGHIJabcdefghij02' },
  test: { id: '01970000-0000-7000-8000-0000000000bb', key: 'mg_test_Sandbox0_0123456789ABCDEFGHIJabcdefghij03' },
} as const;

/** A second tenant on the same database, with the same features and plans; its admin key. */
export async function addTenant({ database, clock }: TestGateway, mode: ApiKeyMode = 'live') {
  const { id, key } = TENANTS[mode];
  const parts = parseApiKey(key);
  if (!parts) throw new Error('not a key');
  const createdAtMs = clock.now();
  await insertTenant(database.db, { id, name: 'Stranger', mode, timeZone: 'UTC', demo: false }, createdAtMs);
  const row = { id: parts.id, tenantId: id, name: null, scopes: ['admin'] as const };
  const { secret } = parts;
  await insertApiKey(database.db, { ...row, createdAtMs, expiresAtMs: null, revokedAtMs: null }, secretHashOf(secret));
  await syncConfig({ database, clock, announce: () => {} }, id, parseConfig(TEST_CONFIG, 'the test').definition);
  return { tenantId: id, key };
}

const TABLES = [
  'alert_cursors',
  'alerts',
  'answers',
  'api_keys',
  'counters',
  'credit_balances',
  'customers',
  'events',
  'features',
  'grants',
  'invoice_books',
  'invoice_lines',
  'invoice_positions',
  'invoices',
  'outgoing_events',
  'plan_spans',
  'plan_versions',
  'plans',
  'postings',
  'reservations',
  'rollups',
  'secrets',
  'tenants',
  'top_up_requests',
  'unique_values',
  'wallets',
  'webhook_deliveries',
  'webhook_endpoints',
];

/** All that is stored, table by table, as one digest each: equal before and after means that nothing was written. */
export async function stored({ query }: Database): Promise<Readonly<Record<string, string>>> {
  const digestOf = (table: string) =>
    `SELECT '${table}' AS name, count(*) || ' ' || md5(coalesce(string_agg(t::text, ' ' ORDER BY t::text), '')) AS digest FROM ${table} t`;
  const text = TABLES.map(digestOf).join(' UNION ALL ');
  const rows = await query<{ name: string; digest: string }>({ text, params: [] });
  return Object.fromEntries(rows.map(({ name, digest }) => [name, digest]));
}

/** Runs what should be refused, and shows that it left no trace. */
export async function leavingNoTrace<T>({ database }: TestGateway, work: () => Promise<T>): Promise<T> {
  const before = await stored(database);
  const result = await work();
  expect(await stored(database)).toEqual(before);
  return result;
}

/** How every error speaks: at some length, to a full stop, or a question that it ends with. */
export const A_SENTENCE = /^.{10,}[.?]$/s;

/** The code and sentence of each error of a reply; fails the test where one has no code or nothing to say. */
export function refusalsOf({ errors, text }: HttpReply): {
  readonly codes: readonly string[];
  readonly sentences: string;
} {
  if (!errors || errors.length === 0) throw new Error(`expected errors, got ${text}`);
  for (const error of errors) {
    expect(error.extensions?.code, text).toMatch(/^[A-Z][A-Z_]+$/);
    const isOurs = (error.extensions?.code ?? '') in ERROR_CODES; // others are the GraphQL server's words
    expect(error.message, text).toMatch(isOurs ? A_SENTENCE : /.{10}/);
  }
  return {
    codes: [...new Set(errors.map(({ extensions }) => extensions?.code ?? ''))],
    sentences: errors.map(({ message }) => message).join('\n'),
  };
}
