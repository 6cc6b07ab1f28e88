/**
 * Goal: use over time and what it comes to are answered to whom they belong, in their own time zone, and what is out of
 * bounds is refused with a sentence. Method: a gateway on a small past in rollups and events; every argument, and every
 * kind of asker.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { customerIdOf } from '../../server/domain/customer.ts';
import { ONE } from '../../server/domain/units.ts';
import { type RollupEvent, rollupsOf, saveRollupsStatement } from '../../server/metering/store/rollup.ts';
import { describeEngines } from '../support/engines.ts';
import { TEST_CONFIG } from '../support/gateway.ts';
import { makeKey, makeToken, openRig, REGISTER, type Rig, refusalsOf } from './rig.ts';

const CONFIG = {
  ...TEST_CONFIG,
  features: {
    ...TEST_CONFIG.features,
    tokens: { displayName: 'Tokens', reset: 'monthly', dimensions: ['model', 'region'] },
  },
  plans: { ...TEST_CONFIG.plans, pro: { features: { ...TEST_CONFIG.plans?.pro?.features, tokens: { limit: 1_000 } } } },
};

const SERIES = `query ($referenceId: String, $featureKey: String = "tokens", $from: DateTime = "2026-03-15T00:00:00Z",
  $to: DateTime = "2026-03-15T03:00:00Z", $bucket: Bucket = HOUR, $timeZone: String, $groupBy: String, $groups: Int = 10) {
  usageSeries(referenceId: $referenceId, featureKey: $featureKey, from: $from, to: $to, bucket: $bucket,
    timeZone: $timeZone, groupBy: $groupBy, groups: $groups) {
    referenceId timeZone bucket groupBy feature { key }
    total { start end events used credits wallet overage costs { amount currency } }
    buckets { start used }
    groups { value isOther total { used } buckets { used } }
  }
}`;

const FORECAST = `query ($referenceId: String, $featureKey: String = "tokens") {
  usageForecast(referenceId: $referenceId, featureKey: $featureKey) {
    used period { start end } projected projectedCost { amount } limitReachedAt basis sampledDays confident usage { limit }
  }
}`;

type Bucket = { readonly start: string; readonly used: string };
type Series = {
  readonly usageSeries: {
    readonly timeZone: string;
    readonly total: Record<string, unknown>;
    readonly buckets: readonly Bucket[];
    readonly groups: readonly { value: string | null; isOther: boolean; total: Bucket; buckets: readonly Bucket[] }[];
  };
};

describeEngines('use over time', (engine) => {
  let rig: Rig;
  let token: string;

  const used = async (variables: Record<string, unknown>): Promise<string> => {
    const { usageSeries } = await rig.data<Series>(SERIES, variables);
    return usageSeries.buckets.map((bucket) => bucket.used).join(' ');
  };

  const event = (referenceId: string, at: string, amount: bigint, fields: Partial<RollupEvent> = {}): RollupEvent => ({
    ...{ kind: 'use', featureKey: 'tokens', dimensions: ['model', 'region'], properties: null, currency: null },
    customer: { id: customerIdOf(rig.tenantId, referenceId), tenantId: rig.tenantId },
    ...{ occurredAtMs: Date.parse(at), reported: amount * ONE, amount: amount * ONE },
    payment: { credits: 0n, wallet: 0n, overage: 0n, cost: 0n },
    ...fields,
  });

  beforeAll(async () => {
    rig = await openRig({ database: await engine.open(), config: CONFIG });
    await rig.data(REGISTER, { input: { referenceId: 'berlin', planKey: 'pro', timeZone: 'Europe/Berlin' } });
    const paid = { credits: ONE, wallet: ONE, overage: 2n * ONE, cost: 30n * ONE };
    const past = [
      event('acme', '2026-03-15T00:10:00Z', 5n, { properties: '{"model":"large"}', currency: 'usd', payment: paid }),
      event('acme', '2026-03-15T00:50:00Z', 2n, { properties: '{"model":"small"}' }),
      event('acme', '2026-03-15T02:59:59Z', 1n),
      event('acme', '2026-03-15T03:00:00Z', 100n),
      event('other', '2026-03-15T01:00:00Z', 7n, { properties: '{"model":"large"}' }),
      event('berlin', '2026-03-14T23:00:00Z', 3n), // midnight in Berlin
      ...Array.from({ length: 20 }, (_, day) =>
        event('berlin', new Date(Date.UTC(2026, 1, 20 + day, 12)).toISOString(), 10n),
      ),
    ];
    await rig.database.query(saveRollupsStatement(rollupsOf(past), true));
    token = await makeToken(rig);
  });

  describe('a series', () => {
    it('has every bucket, what paid, and whose it is', async () => {
      expect(await rig.data(SERIES, { referenceId: 'acme' })).toEqual({
        usageSeries: {
          ...{
            referenceId: 'acme',
            timeZone: 'UTC',
            bucket: 'HOUR',
            groupBy: null,
            feature: { key: 'tokens' },
            groups: [],
          },
          total: {
            ...{ start: '2026-03-15T00:00:00.000Z', end: '2026-03-15T03:00:00.000Z', events: '3', used: '8' },
            ...{ credits: '1', wallet: '1', overage: '2', costs: [{ amount: '30', currency: 'usd' }] },
          },
          buckets: [
            { start: '2026-03-15T00:00:00.000Z', used: '7' },
            { start: '2026-03-15T01:00:00.000Z', used: '0' },
            { start: '2026-03-15T02:00:00.000Z', used: '1' },
          ],
        },
      });
    });

    it.each([
      [{ referenceId: 'other' }, '0 7 0'],
      [{}, '7 7 1'],
      [{ referenceId: 'acme', from: '2026-03-15T00:59:59Z', to: '2026-03-15T01:00:00.001Z' }, '7 0'],
      [{ referenceId: 'acme', bucket: 'MINUTE', from: '2026-03-15T02:58:00Z', to: '2026-03-15T03:01:00Z' }, '0 1 100'],
      [{ referenceId: 'acme', bucket: 'DAY' }, '108'],
      [{ referenceId: 'berlin', bucket: 'DAY' }, '3'],
      [{ referenceId: 'berlin', bucket: 'DAY', timeZone: 'UTC', from: '2026-03-14T00:00:00Z' }, '3 0'],
      [{ bucket: 'DAY' }, '115'],
      [{ referenceId: 'acme', bucket: 'WEEK', timeZone: 'america/new_york' }, '108'],
      [{ referenceId: 'acme', bucket: 'MONTH' }, '108'],
      [{ referenceId: 'acme', featureKey: 'storage' }, '0 0 0'],
    ])('for %j is %s', async (variables, says) => expect(await used(variables)).toBe(says));

    it.each([
      [{ referenceId: 'acme', groupBy: 'model' }, ['large 5 (5 0 0)', 'small 2 (2 0 0)', 'null 1 (0 0 1)']],
      [{ groupBy: 'model', groups: 1 }, ['large 12 (5 7 0)', 'others 3 (2 0 1)']],
      [{ referenceId: 'acme', groupBy: 'region' }, ['null 8 (7 0 1)']],
      [{ referenceId: 'acme', groupBy: 'model', from: '2020-01-01T00:00:00Z', to: '2020-01-01T01:00:00Z' }, []],
    ])('for %j has groups', async (variables, says) => {
      const { usageSeries } = await rig.data<Series>(SERIES, variables);
      const told = usageSeries.groups.map(({ value, isOther, total, buckets }) => {
        return `${isOther ? 'others' : value} ${total.used} (${buckets.map((bucket) => bucket.used).join(' ')})`;
      });
      expect(told).toEqual(says);
    });

    it.each([
      [{ referenceId: 'nobody' }, 'CUSTOMER_NOT_FOUND', 'There is no customer "nobody"'],
      [{ featureKey: 'token' }, 'FEATURE_NOT_FOUND', 'did you mean "tokens"?'],
      [{ groupBy: 'modle' }, 'INVALID_INPUT', 'the dimensions of the feature "tokens" are "model", "region".'],
      [{ groupBy: 'model', featureKey: 'storage' }, 'INVALID_INPUT', 'the feature "storage" has no dimensions'],
      [{ groups: 0 }, 'INVALID_INPUT', '`groups` is 0; from 1 to 50 is allowed.'],
      [{ timeZone: 'Europe/Atlantis' }, 'INVALID_INPUT', 'write an IANA time zone like "Europe/Berlin".'],
      [{ bucket: 'MINUTE', to: '2026-04-15T00:00:00Z' }, 'INVALID_INPUT', 'more than 2000 buckets of a minute'],
      [{ to: '2026-03-15T00:00:00Z' }, 'INVALID_INPUT', '`to` must be later.'],
      [{ from: '1066-10-14T00:00:00Z' }, 'INVALID_INPUT', '`from` is 1066-10-14T00:00:00.000Z'],
    ])('refuses %j with %s', async (variables, code, sentence) => {
      const { codes, sentences } = refusalsOf(await rig.post(SERIES, variables));
      expect(codes).toEqual([code]);
      expect(sentences).toContain(sentence);
    });
  });

  describe('a forecast', () => {
    it('goes on by the customer’s weekdays', async () => {
      rig.clock.set('2026-03-11T23:00:00Z'); // midnight in Berlin, after 20 days of use
      expect(await rig.data(FORECAST, { referenceId: 'berlin' })).toEqual({
        usageForecast: {
          ...{ used: '0', period: { start: '2026-02-28T23:00:00.000Z', end: '2026-03-31T22:00:00.000Z' } },
          ...{ projected: '200', projectedCost: null, limitReachedAt: null },
          ...{ basis: 'WEEKDAYS', sampledDays: 19, confident: true, usage: { limit: '1000' } },
        },
      });
    });

    it.each([
      [{ referenceId: 'nobody' }, 'CUSTOMER_NOT_FOUND'],
      [{ referenceId: 'acme', featureKey: 'token' }, 'FEATURE_NOT_FOUND'],
      [{}, 'INVALID_INPUT'],
    ])('refuses %j with %s', async (variables, code) => {
      expect(refusalsOf(await rig.post(FORECAST, variables)).codes).toEqual([code]);
    });
  });

  describe('events', () => {
    const EVENTS = `query ($from: DateTime, $to: DateTime, $key: String, $properties: JSON, $kind: EventKind) {
      events(first: 10, from: $from, to: $to, idempotencyKey: $key, properties: $properties, kind: $kind) {
        nodes { kind entityId reported amount included credits wallet overage cost { amount currency } reversedEventId }
      }
    }`;

    beforeAll(async () => {
      await rig.database.query({
        text: `INSERT INTO events (customer_id, sequence, tenant_id, kind, feature_key, entity_id, period_start, reported, amount, credits,
            wallet, overage, cost, wallet_charge, currency, used_after, reverses, idempotency_key, properties, occurred_at, recorded_at)
          VALUES ($1, 1001, $2, 'use', 'tokens', '', now(), 9, 9, 2, 3, 1, 40, 30, 'usd', 9, NULL, 'first', '{"model":"large"}', '2026-03-01', '2026-03-02'),
            ($1, 1002, $2, 'reversal', 'tokens', 'seat 1', now(), -9, -9, 0, 0, 0, 0, 0, NULL, 0, 1001, NULL, NULL, '2026-03-03', '2026-03-03')`,
        params: [customerIdOf(rig.tenantId, 'acme'), rig.tenantId],
      });
    });

    const kinds = async (variables: Record<string, unknown>) => {
      const { events } = await rig.data<{ events: { nodes: readonly { kind: string }[] } }>(EVENTS, variables);
      return events.nodes.map(({ kind }) => kind);
    };

    it('say what paid for them', async () => {
      const { events } = await rig.data<{ events: { nodes: readonly Record<string, unknown>[] } }>(EVENTS, {});
      expect(events.nodes).toMatchObject([
        { kind: 'REVERSAL', entityId: 'seat 1', reported: '-9', amount: '-9', included: '-9', cost: null },
        {
          ...{
            kind: 'USE',
            entityId: null,
            reported: '9',
            amount: '9',
            included: '3',
            credits: '2',
            wallet: '3',
            overage: '1',
          },
          ...{ cost: { amount: '40', currency: 'usd' }, reversedEventId: null },
        },
      ]);
      const { node } = await rig.data<{ node: { amount: string } }>(
        'query ($id: ID!) { node(id: $id) { ... on Event { amount } } }',
        { id: events.nodes[0]?.reversedEventId },
      );
      expect(node.amount).toBe('9');
    });

    it.each([
      [{}, ['REVERSAL', 'USE']],
      [{ kind: 'USE' }, ['USE']],
      [{ kind: 'CARRY' }, []],
      [{ from: '2026-03-02T00:00:00Z' }, ['REVERSAL']],
      [{ to: '2026-03-02T00:00:00Z' }, ['USE']],
      [{ from: '2026-03-01T00:00:00Z', to: '2026-03-03T00:00:00Z' }, ['USE']],
      [{ key: 'first' }, ['USE']],
      [{ properties: { model: 'large' } }, ['USE']],
      [{ properties: { model: 'small' } }, []],
      [{ kind: 'REVERSAL', properties: { model: 'large' } }, []],
    ])('for %j are %j', async (variables, says) => expect(await kinds(variables)).toEqual(says));

    it.each([
      [{ from: '2026-03-02T00:00:00Z', to: '2026-03-02T00:00:00Z' }, '`to` must be later.'],
      [{ from: '0001-01-01T00:00:00Z' }, '`from` is 0001-01-01T00:00:00.000Z'],
      [{ key: '' }, '`idempotencyKey` is empty; write 1 to 255 characters.'],
      [{ properties: ['large'] }, '`properties` is not an object; write it like { plan: "beta" }.'],
      [{ properties: { model: 'x'.repeat(17_000) } }, '`properties` is 17012 bytes long as JSON; at most 16384 fit.'],
    ])('are refused for %j', async (variables, sentence) => {
      const { codes, sentences } = refusalsOf(await rig.post(EVENTS, variables));
      expect(codes).toEqual(['INVALID_INPUT']);
      expect(sentences).toContain(sentence);
    });

    it('tell a customer nothing by their properties', async () => {
      const { codes } = refusalsOf(await rig.as(token).post(EVENTS, { properties: { model: 'large' } }));
      expect(codes).toEqual(['FORBIDDEN']);
    });
  });

  describe('a customer', () => {
    it('hears of its own use, and of nobody else’s', async () => {
      const own = rig.as(token);
      const { usageSeries } = await own.data<Series>(SERIES, {});
      expect(usageSeries.buckets.map((bucket) => bucket.used).join(' ')).toBe('7 0 1');
      expect(refusalsOf(await own.post(SERIES, { referenceId: 'other' })).codes).toEqual(['CUSTOMER_NOT_FOUND']);
      expect(await own.data(FORECAST, {})).toMatchObject({ usageForecast: { used: '0' } });
      expect(refusalsOf(await own.post(FORECAST, { referenceId: 'other' })).codes).toEqual(['CUSTOMER_NOT_FOUND']);
    });

    it('hears nothing of properties, nor of features that its token does not name', async () => {
      expect(refusalsOf(await rig.as(token).post(SERIES, { groupBy: 'model' })).codes).toEqual(['FORBIDDEN']);
      const narrow = rig.as(await makeToken(rig, { featureKeys: ['storage'] }));
      expect(refusalsOf(await narrow.post(SERIES, {})).codes).toEqual(['FEATURE_NOT_FOUND']);
      expect(refusalsOf(await narrow.post(FORECAST, {})).codes).toEqual(['FEATURE_NOT_FOUND']);
    });
  });

  it.each([
    ['an ingest key', 'FORBIDDEN'],
    ['nobody', 'UNAUTHENTICATED'],
  ])('%s hears nothing', async (who, code) => {
    const asker = rig.as(who === 'nobody' ? undefined : (await makeKey(rig, ['ingest'])).secret);
    expect(refusalsOf(await asker.post(SERIES, { referenceId: 'acme' })).codes).toEqual([code]);
    expect(refusalsOf(await asker.post(FORECAST, { referenceId: 'acme' })).codes).toEqual([code]);
  });
});
