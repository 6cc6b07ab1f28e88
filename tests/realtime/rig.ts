/**
 * rig — what the tests of live streams share: gateways and what they are told, and one raw stream over either way,
 * WebSocket or server-sent events, read item by item and cut without a word.
 */
import type { Database } from '../../server/db/client.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { afterUse } from '../support/after-use.ts';
import { ManualClock } from '../support/clock.ts';
import { migrated, openEmbedded } from '../support/engines.ts';
import { ADMIN_KEY, startGateway, type TestGateway, type TestGatewayOptions } from '../support/gateway.ts';
import { createDatabase } from '../support/postgres.ts';

/** Nothing looks by itself for what nobody told: no poll, and nothing settled, but what a test asks for. */
const NEVER_MS = 3_600_000;
const BY_HAND = { pollIntervalMs: NEVER_MS, closeIntervalMs: NEVER_MS };

export type Rig = TestGateway & { readonly clock: ManualClock };
type Options = Partial<Omit<TestGatewayOptions, 'clock' | 'database'>>;

/** One gateway on an embedded database. */
export async function openRig(options: Options = {}, clock = new ManualClock()): Promise<Rig> {
  const database = await openEmbedded();
  return { ...(await startGateway({ ...BY_HAND, ...options, database, clock })), clock };
}

export type Pair = { readonly one: Rig; readonly other: Rig; readonly clock: ManualClock };

/**
 * Two gateways on one Postgres.
 *
 * @param adapt What the first one is to think of its database, e.g. that nobody else hears it.
 */
export async function openPair(options: Options = {}, adapt = (database: Database) => database): Promise<Pair> {
  const { url, drop } = await createDatabase({ template: migrated });
  afterUse(drop);
  const clock = new ManualClock();
  const open = () => {
    const database = openPostgres({ url, poolSize: 4, statementTimeoutMs: 10_000 });
    afterUse(() => database.close());
    return database;
  };
  const settings = { ...BY_HAND, ...options };
  const one = { ...(await startGateway({ ...settings, database: adapt(open()), clock })), clock };
  const other = { ...(await startGateway({ ...settings, database: open(), clock, config: null })), clock };
  return { one, other, clock };
}

export const register = (gateway: TestGateway, referenceId: string, planKey = 'pro'): Promise<unknown> =>
  gateway.data('mutation ($input: RegisterCustomerInput!) { registerCustomer(input: $input) { __typename } }', {
    input: { referenceId, planKey },
  });

export type Used = {
  readonly allowed: boolean;
  readonly usage: { readonly used: string; readonly cursor: string };
  readonly alerts: readonly { readonly id: string; readonly cursor: string }[];
};

/** Consumes, and fails the test where that is not allowed. */
export async function consume(
  gateway: TestGateway,
  referenceId: string,
  featureKey: string,
  fields = {},
): Promise<Used> {
  const { consume: answer } = await gateway.data<{ consume: Used }>(
    `mutation ($input: ConsumeInput!) { consume(input: $input) {
      ... on Consumption { allowed usage { used cursor } alerts { id cursor } }
      ... on UserError { code message }
    } }`,
    { input: { referenceId, featureKey, ...fields } },
  );
  if (!answer.allowed) throw new Error(`not allowed: ${JSON.stringify(answer)}`);
  return answer;
}

/** Makes up to 1,000 calls in one. */
export async function consumeMany(
  gateway: TestGateway,
  inputs: readonly { referenceId: string; featureKey: string; amount?: number }[],
): Promise<void> {
  await gateway.data(
    `mutation ($inputs: [ConsumeInput!]!) { consumeMany(input: { inputs: $inputs }) {
      ... on ConsumeManyPayload { results { __typename } } ... on UserError { code message }
    } }`,
    { inputs },
  );
}

export async function tokenOf(gateway: TestGateway, referenceId: string, fields = {}): Promise<string> {
  const { createCustomerToken } = await gateway.data<{ createCustomerToken: { token: string } }>(
    `mutation ($input: CreateCustomerTokenInput!) {
      createCustomerToken(input: $input) { ... on CustomerToken { token } ... on UserError { message } }
    }`,
    { input: { referenceId, ...fields } },
  );
  return createCustomerToken.token;
}

/** What a person sees of a meter. */
export type Shown = {
  readonly feature: { readonly key: string };
  readonly used: string;
  readonly reserved: string;
  readonly limit: string | null;
  readonly credits: string;
  readonly wallet: { readonly amount: string; readonly currency: string } | null;
  readonly planKey: string | null;
  readonly period: { readonly start: string; readonly end: string | null };
};

export const SHOWN =
  '{ feature { key } used reserved limit credits wallet { amount currency } planKey period { start end } }';

/** What a query answers now, by feature. */
export async function truthOf(gateway: TestGateway, referenceId: string): Promise<Readonly<Record<string, Shown>>> {
  const keys = ['api_calls', 'storage', 'exports'];
  const fields = keys.map((key) => `${key}: usage(referenceId: $referenceId, featureKey: "${key}") ${SHOWN}`);
  return gateway.data(`query ($referenceId: String!) { ${fields.join(' ')} }`, { referenceId });
}

export type UsageItem =
  | { readonly __typename: 'UsageSnapshot'; readonly usages: readonly Shown[]; readonly cursor: string }
  | { readonly __typename: 'UsageDelta'; readonly usage: Shown; readonly cursor: string }
  | { readonly __typename: 'CursorExpired'; readonly message: string };

export type AlertItem =
  | {
      readonly __typename: 'AlertRaised';
      readonly alert: {
        readonly id: string;
        readonly referenceId: string;
        readonly featureKey: string;
        readonly threshold: { readonly kind: string; readonly value: string };
        readonly used: string;
      };
      readonly cursor: string;
    }
  | { readonly __typename: 'CursorExpired'; readonly message: string };

const USAGE = `subscription ($referenceId: String, $featureKeys: [String!], $after: String) {
  usageChanged(referenceId: $referenceId, featureKeys: $featureKeys, after: $after) {
    __typename
    ... on UsageSnapshot { usages ${SHOWN} cursor }
    ... on UsageDelta { usage ${SHOWN} cursor }
    ... on CursorExpired { message }
  }
}`;
const ALERTS = `subscription ($referenceId: String, $after: String) {
  alertRaised(referenceId: $referenceId, after: $after) {
    __typename
    ... on AlertRaised { alert { id referenceId featureKey threshold { kind value } used } cursor }
    ... on CursorExpired { message }
  }
}`;
const LIVE = `subscription { liveUsage { at usages { referenceId feature { key } used } } }`;

export type LiveItem = {
  readonly at: string;
  readonly usages: readonly {
    readonly referenceId: string;
    readonly feature: { key: string };
    readonly used: string;
  }[];
};

export type Stream<T> = {
  /** The next item. @throws the codes of errors; where nothing comes within 10 s; at the end of the stream. */
  next(): Promise<T>;
  /** As many as are asked for, in order. */
  take(count: number): Promise<T[]>;
  /** Drops the connection without a word. */
  cut(): void;
  /** Unsubscribes, as a well-behaved client does. */
  leave(): void;
};

export const WAYS = ['WebSocket', 'SSE'] as const;
export type Way = (typeof WAYS)[number];

type Asked = { readonly referenceId?: string; readonly featureKeys?: readonly string[]; readonly after?: string };
type As = { readonly way?: Way; readonly key?: string };

export const openUsage = (gateway: TestGateway, asked: Asked, as: As = {}): Promise<Stream<UsageItem>> =>
  openStream(gateway, 'usageChanged', USAGE, asked, as);
export const openAlerts = (gateway: TestGateway, asked: Asked = {}, as: As = {}): Promise<Stream<AlertItem>> =>
  openStream(gateway, 'alertRaised', ALERTS, asked, as);
export const openLive = (gateway: TestGateway, as: As = {}): Promise<Stream<LiveItem>> =>
  openStream(gateway, 'liveUsage', LIVE, {}, as);

type Payload<T> = {
  readonly data?: Record<string, T> | null;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
};

async function openStream<T>(
  gateway: TestGateway,
  field: string,
  query: string,
  variables: Asked,
  { way = 'WebSocket', key = ADMIN_KEY }: As,
): Promise<Stream<T>> {
  const open = way === 'WebSocket' ? openOverWebSocket<T> : openOverSse<T>;
  const { read, cut, leave } = await open(gateway, query, { ...variables }, key);
  const next = async () => {
    const { data, errors } = await read();
    if (errors || !data) throw new Error(errors?.map((e) => e.extensions?.code ?? e.message).join() ?? 'no data');
    return data[field] as T; // the query asked for this one field
  };
  const take = async (count: number) => {
    const items: T[] = [];
    while (items.length < count) items.push(await next());
    return items;
  };
  afterUse(cut);
  return { next, take, cut, leave };
}

type Reading<T> = { read(): Promise<Payload<T>>; cut(): void; leave(): void };

async function openOverWebSocket<T>(
  gateway: TestGateway,
  query: string,
  variables: Record<string, unknown>,
  key: string,
): Promise<Reading<T>> {
  const socket = await gateway.openWs(key);
  socket.subscribe('1', query, variables);
  const read = async (): Promise<Payload<T>> => {
    const { type, payload } = await socket.waitForMessage(({ type }) => ['next', 'error', 'complete'].includes(type));
    if (type === 'complete') throw new Error('the stream ended');
    return type === 'error' ? { errors: payload as NonNullable<Payload<T>['errors']> } : (payload as Payload<T>); // as the protocol says
  };
  return { read, cut: () => socket.terminate(), leave: () => socket.send({ type: 'complete', id: '1' }) };
}

async function openOverSse<T>(
  gateway: TestGateway,
  query: string,
  variables: Record<string, unknown>,
  key: string,
): Promise<Reading<T>> {
  const abort = new AbortController();
  const response = await fetch(gateway.graphqlUrl, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${key}`,
      accept: 'text/event-stream',
      'content-type': 'application/json',
    },
    body: JSON.stringify({ query, variables }),
    signal: abort.signal,
  });
  const payloads = eventsOf<T>(response);
  const read = async () => {
    const late = AbortSignal.timeout(10_000);
    const timeout = new Promise<never>((_, reject) =>
      late.addEventListener('abort', () => reject(new Error('waited 10 s for an event'))),
    );
    const { value, done } = await Promise.race([payloads.next(), timeout]);
    if (done) throw new Error('the stream ended');
    return value;
  };
  const cut = () => abort.abort();
  return { read, cut, leave: cut };
}

/** The payloads of `next` events; a refusal before the stream comes as plain JSON. */
async function* eventsOf<T>(response: Response): AsyncGenerator<Payload<T>> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    yield (await response.json()) as Payload<T>; // a GraphQL result, whatever it says
    return;
  }
  let text = '';
  for await (const part of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += part;
    const events = text.split('\n\n');
    text = events.pop() ?? '';
    for (const event of events) {
      const [, kind] = /^event: (.*)$/m.exec(event) ?? [];
      const [, data] = /^data: (.*)$/m.exec(event) ?? [];
      if (kind === 'complete') return;
      if (kind === 'next' && data) yield JSON.parse(data);
    }
  }
}

/** The resume point that comes with an item; an expiry has none. */
export const cursorOf = (item: UsageItem | AlertItem | undefined): string =>
  item && 'cursor' in item ? item.cursor : '';

/** A meter after one more item, as every client merges it. */
export function merge(shown: ReadonlyMap<string, Shown>, item: UsageItem): ReadonlyMap<string, Shown> {
  if (item.__typename === 'UsageSnapshot') return new Map(item.usages.map((usage) => [usage.feature.key, usage]));
  if (item.__typename === 'UsageDelta') return new Map(shown).set(item.usage.feature.key, item.usage);
  return new Map();
}

/** e.g. `api_calls 5/10`. */
export const spellMeter = ({ feature, used, limit }: Pick<Shown, 'feature' | 'used' | 'limit'>): string =>
  `${feature.key} ${used}/${limit ?? '∞'}`;

/** e.g. `snapshot api_calls 5/10, storage 0/∞` or `api_calls 6/10`. */
export function spellItem(item: UsageItem): string {
  if (item.__typename === 'CursorExpired') return 'expired';
  if (item.__typename === 'UsageDelta') return spellMeter(item.usage);
  return `snapshot ${item.usages.map(spellMeter).join(', ')}`;
}

/** e.g. `acme api_calls fraction 0.8`. */
export function spellAlert(item: AlertItem): string {
  if (item.__typename === 'CursorExpired') return 'expired';
  const { referenceId, featureKey, threshold } = item.alert;
  return `${referenceId} ${featureKey} ${threshold.kind.toLowerCase()} ${threshold.value}`;
}
