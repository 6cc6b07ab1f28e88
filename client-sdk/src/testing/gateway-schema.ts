/** gateway-schema — for tests: what the test gateway answers, and what it remembers of being asked. */
import { createGraphQLError } from 'graphql-yoga';
import type { Alert, Usage } from '../usage-types.ts';
import { recorder } from './recorder.ts';

export interface LogEntry {
  readonly topic: 'usage' | 'alert' | 'live';
  /** `expired` stands for `CursorExpired`. */
  readonly item: Usage | Alert | 'expired';
}

/** A GraphQL error, or a union member, to answer with instead. */
export type Refusal = { readonly code: string; readonly retryable?: boolean } | { readonly __typename: string };

type Variables = Readonly<Record<string, unknown>>;
/** As much of a `ConsumeInput` as is looked at. */
type Asked = { readonly referenceId: string; readonly featureKey: string; readonly idempotencyKey?: string };

/** None, one or several stream items out of one entry. */
type Dress = (entry: LogEntry, cursor: string) => readonly object[];

export interface GatewayState {
  readonly log: LogEntry[];
  /** Inputs of `consume`, tries that were refused too. */
  readonly consumed: Variables[];
  /** Arguments of each opening of a stream. */
  readonly openings: { readonly topic: LogEntry['topic']; readonly after: unknown }[];
  /** Resolves when so many streams are followed. */
  activeIs(count: number): Promise<void>;
  /** Resolves when the operation has been asked for. */
  asked(topic: LogEntry['topic']): Promise<void>;
  tell(topic: LogEntry['topic']): void;
  /** For the next operations, one each. */
  readonly refusals: Refusal[];
  append(entry: LogEntry): void;
  /** Items first, then what `dress` makes of each entry after a position, as they come. */
  follow(first: readonly object[], from: number, dress: Dress): AsyncGenerator<object>;
}

export function newGatewayState(): GatewayState {
  const log: LogEntry[] = [];
  const waiting = new Set<() => void>();
  const topics = recorder();
  const activity = recorder();
  let active = 0;
  const count = (by: 1 | -1) => {
    active += by;
    activity.replace(String(active));
  };
  return {
    log,
    consumed: [],
    openings: [],
    refusals: [],
    activeIs: (number) => activity.told(String(number)),
    asked: (topic) => topics.told(topic),
    tell: (topic) => topics.push(topic),
    append: (entry) => {
      log.push(entry);
      for (const wake of waiting) wake();
    },
    follow: (first, from, dress) => {
      let stopped = false;
      let wake = () => {};
      const generator = (async function* () {
        count(1);
        try {
          yield* first;
          for (let position = from; !stopped; position++) {
            while (position >= log.length && !stopped) {
              await new Promise<void>((resolve) => {
                wake = resolve;
                waiting.add(resolve);
              });
              waiting.delete(wake);
            }
            const entry = log[position];
            if (entry) yield* dress(entry, String(position + 1));
          }
        } finally {
          count(-1);
        }
      })();
      // A generator that waits cannot be returned from; this one is woken first.
      const end = generator.return.bind(generator);
      generator.return = (value) => {
        stopped = true;
        wake();
        return end(value);
      };
      return generator;
    },
  };
}

const money = (amount: string) => ({ amount, currency: 'usd' });

export const aUsage = (key: string, used: string): Usage => ({
  referenceId: 'acme',
  feature: { key, displayName: key, unit: null },
  planKey: 'free',
  used,
  reserved: '0',
  value: null,
  limit: '10',
  remaining: '1',
  enforcement: 'HARD',
  thresholds: [{ kind: 'FRACTION', value: '0.8', falling: false }],
  entitled: true,
  price: null,
  period: { start: '2026-03-01T00:00:00.000Z', end: null },
  credits: '0',
  wallet: null,
  overage: '0',
  estimatedCost: null,
  cursor: '1',
});

export const anAlert = (id: string): Alert => ({
  id,
  referenceId: 'acme',
  featureKey: 'api_calls',
  threshold: { kind: 'FRACTION', value: '0.8', falling: false },
  used: '8',
  limit: '10',
  raisedAt: '2026-03-01T00:00:00.000Z',
  acknowledgedAt: null,
  cursor: id,
});

const consumption = (key: string) => ({
  __typename: 'Consumption',
  allowed: true,
  denial: null,
  amount: '1',
  split: { included: '1', credits: '0', wallet: '0', overage: '0', walletCharge: money('0'), overageCost: money('0') },
  usage: aUsage(key, '1'),
  alerts: [],
  replayed: false,
});

/** The first answer to a key is kept and given again. The feature `spent` is denied, `nope` unknown. */
function decide(
  answers: Map<string, object>,
  { featureKey, idempotencyKey = '' }: Asked,
  path: readonly string[] = ['input'],
): object {
  if (featureKey === 'nope') {
    return {
      __typename: 'FeatureNotFoundError',
      message: 'no such feature',
      code: 'FEATURE_NOT_FOUND',
      path: [...path, 'featureKey'],
    };
  }
  const earlier = answers.get(idempotencyKey);
  if (earlier) return { ...earlier, replayed: true };
  const denial = { reason: 'LIMIT_REACHED', message: 'all used', retryAt: null };
  const answer = { ...consumption(featureKey), ...(featureKey === 'spent' && { allowed: false, denial, amount: '0' }) };
  answers.set(idempotencyKey, answer);
  return answer;
}

export function resolvers(state: GatewayState) {
  const answers = new Map<string, object>();
  const refused = (): object | undefined => {
    const refusal = state.refusals.shift();
    if (refusal && 'code' in refusal && !('__typename' in refusal)) {
      throw createGraphQLError('refused', { extensions: { ...refusal } });
    }
    return refusal;
  };
  const stream = (
    topic: LogEntry['topic'],
    after: unknown,
    dressed: (item: Usage | Alert, cursor: string) => object,
  ) => {
    state.openings.push({ topic, after });
    state.tell(topic);
    refused();
    const resumed = typeof after === 'string';
    const snapshots = () => (topic === 'usage' ? [{ usageChanged: snapshot(state.log) }] : []);
    const expired = { __typename: 'CursorExpired', message: 'too old' };
    return state.follow(resumed ? [] : snapshots(), resumed ? Number(after) : state.log.length, (entry, cursor) => {
      if (entry.topic !== topic) return [];
      if (entry.item !== 'expired') return [dressed(entry.item, cursor)];
      return [{ usageChanged: expired, alertRaised: expired }, ...snapshots()];
    });
  };
  return {
    Query: {
      viewer: () =>
        refused() ?? {
          tenant: { name: 'Acme', timeZone: 'UTC', mode: 'TEST' },
          alertCursor: String(state.log.length),
        },
      check: (_: unknown, { input }: { input: Asked }) => refused() ?? decide(new Map(), input),
      usage: (_: unknown, { featureKey }: { featureKey: string }) => refused() ?? aUsage(featureKey, '3'),
    },
    Mutation: {
      consume: (_: unknown, { input }: { input: Asked }) => {
        state.consumed.push(input);
        return refused() ?? decide(answers, input);
      },
      consumeMany: (_: unknown, { input: { inputs } }: { input: { inputs: Asked[] } }) => {
        state.consumed.push(...inputs);
        return (
          refused() ?? {
            __typename: 'ConsumeManyPayload',
            results: inputs.map((input, i) => decide(answers, input, ['input', 'inputs', `${i}`])),
          }
        );
      },
      registerCustomer: (_: unknown, { input }: { input: Variables }) => ({
        __typename: 'Customer',
        id: '1',
        name: null,
        email: null,
        planKey: null,
        referenceType: 'user',
        timeZone: 'UTC',
        createdAt: '2026-03-01T00:00:00.000Z',
        ...input,
      }),
      createCustomerToken: () => ({ __typename: 'CustomerToken', token: 't', expiresAt: '2026-03-01T00:15:00.000Z' }),
    },
    Subscription: {
      usageChanged: {
        subscribe: (_: unknown, { after }: Variables) =>
          stream('usage', after, (usage, cursor) => ({ usageChanged: { __typename: 'UsageDelta', usage, cursor } })),
      },
      alertRaised: {
        subscribe: (_: unknown, { after }: Variables) =>
          stream('alert', after, (alert, cursor) => ({ alertRaised: { __typename: 'AlertRaised', alert, cursor } })),
      },
      liveUsage: {
        subscribe: () =>
          stream('live', null, (usage) => ({ liveUsage: { usages: [usage], at: '2026-03-01T00:00:00.000Z' } })),
      },
    },
  };
}

function snapshot(log: readonly LogEntry[]) {
  const usages = log.flatMap(({ topic, item }) => (topic === 'usage' && item !== 'expired' ? [item] : []));
  const newest = new Map(usages.map((usage) => ['feature' in usage ? usage.feature.key : '', usage]));
  return { __typename: 'UsageSnapshot', usages: [...newest.values()], cursor: String(log.length) };
}
