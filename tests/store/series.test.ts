/**
 * Goal: a series says exactly what the events say, however they were batched, bucketed and grouped, and reads a range of
 * an index for it. Method: random events, rolled up batch by batch on a real database, against a sum over the events
 * themselves; the plans of the statements; what a forecast reads of the same rows.
 */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { readUsageForecast } from '../../server/actions/usage-forecast.ts';
import { readUsageSeries, type SeriesRequest } from '../../server/actions/usage-series.ts';
import type { Database } from '../../server/db/client.ts';
import type { Feature } from '../../server/domain/feature.ts';
import { BUCKETS, spansBetween, type UsageSeries } from '../../server/domain/series.ts';
import { formatUnits, ONE, unitsOf } from '../../server/domain/units.ts';
import type { Usage } from '../../server/domain/usage.ts';
import { type RollupEvent, rollupsOf, saveRollupsStatement } from '../../server/metering/store/rollup.ts';
import { describeEngines } from '../support/engines.ts';

const FROM_MS = Date.parse('2026-03-28T00:00:00Z'); // the clocks change in Berlin that night
const TO_MS = FROM_MS + 60 * 3_600_000;

const FEATURE: Feature = {
  ...{ tenantId: '', key: 'calls', displayName: 'Calls', unit: null, aggregation: 'sum', of: null, reset: 'monthly' },
  ...{ anchor: 'calendar', dimensions: ['model'], details: [], archivedAtMs: null },
};

type Happened = {
  readonly who: number;
  readonly minute: number;
  readonly amount: bigint;
  readonly model: string | null;
  readonly currency: string | null;
};

const happened = fc.record<Happened>({
  who: fc.constantFrom(0, 1),
  minute: fc.oneof(fc.constantFrom(0, 1, 60, 1_439, 1_440), fc.integer({ min: -1_500, max: 60 * 60 + 1_500 })),
  amount: fc.bigInt({ min: -5n * ONE, max: 5n * ONE }),
  model: fc.constantFrom('a', 'b', 'c', 'd', null),
  currency: fc.constantFrom('usd', 'eur', null),
});

type World = { readonly tenantId: string; readonly customers: readonly [string, string] };

const newWorld = (): World => ({ tenantId: randomUUID(), customers: [randomUUID(), randomUUID()] });

const costOf = ({ amount, currency }: Happened): bigint => (currency === null ? 0n : amount * 3n);

const asEvent = ({ tenantId, customers }: World, happening: Happened): RollupEvent => ({
  ...{ kind: 'use', featureKey: 'calls', dimensions: ['model'], currency: happening.currency },
  customer: { id: customers[happening.who] ?? '', tenantId },
  occurredAtMs: FROM_MS + happening.minute * 60_000 + 31_234,
  reported: happening.amount,
  amount: happening.amount,
  properties: happening.model === null ? null : JSON.stringify({ model: happening.model, other: 1 }),
  payment: { credits: happening.amount, wallet: 1n, overage: happening.amount * 2n, cost: costOf(happening) },
});

const request = (fields: Partial<SeriesRequest>): SeriesRequest => ({
  ...{ customerId: null, feature: FEATURE, bucket: 'hour', timeZone: 'Europe/Berlin', fromMs: FROM_MS, toMs: TO_MS },
  ...{ groupBy: null, groups: 10 },
  ...fields,
});

/** The same by adding up the events, in the words that `spell` uses. */
function expected(events: readonly Happened[], asked: SeriesRequest, world: World): readonly string[] {
  const found = spansBetween(asked.bucket, asked.timeZone, asked.fromMs, asked.toMs);
  if (!found.ok) throw new Error(found.sentence);
  const atMs = ({ minute }: Happened) => FROM_MS + minute * 60_000;
  const whole = { startMs: found.spans[0]?.startMs ?? 0, endMs: found.spans.at(-1)?.endMs ?? 0 };
  const within = events.filter(
    (event) =>
      whole.startMs <= atMs(event) &&
      atMs(event) < whole.endMs &&
      (asked.customerId === null || world.customers[event.who] === asked.customerId),
  );
  const lines = (name: string, of: readonly Happened[]) =>
    [whole, ...found.spans].flatMap((span) => {
      const inside = of.filter((event) => span.startMs <= atMs(event) && atMs(event) < span.endMs);
      return inside.length === 0 ? [] : [`${name} ${new Date(span.startMs).toISOString()} ${figures(inside)}`];
    });
  const all = lines('all', within);
  if (asked.groupBy === null) return all;
  const sumOf = (model: string | null) => sum(within.filter((event) => event.model === model).map((e) => e.amount));
  const models = [...new Set(within.map(({ model }) => model))].sort((a, b) => {
    const [x, y] = [sumOf(a), sumOf(b)];
    return x === y ? (a ?? 'z').localeCompare(b ?? 'z') : x < y ? 1 : -1;
  });
  const named = models.slice(0, asked.groups);
  const rest = within.filter(({ model }) => !named.includes(model));
  return [
    ...all,
    ...named.flatMap((model) =>
      lines(
        `model ${model}`,
        within.filter((event) => event.model === model),
      ),
    ),
    ...lines('the rest', rest),
  ];
}

function figures(events: readonly Happened[]): string {
  const amount = sum(events.map((event) => event.amount));
  const costs = ['eur', 'usd'].flatMap((currency) => {
    const ofCurrency = events.filter((event) => event.currency === currency);
    return ofCurrency.length === 0 ? [] : [`${formatUnits(sum(ofCurrency.map(costOf)))} ${currency}`];
  });
  const parts = [amount, amount, BigInt(events.length), amount * 2n].map(formatUnits);
  return [events.length, ...parts, ...costs].join(' ');
}

function spell({ total, buckets, groups }: UsageSeries): readonly string[] {
  const lines = (name: string, of: Pick<UsageSeries, 'total' | 'buckets'>) =>
    [of.total, ...of.buckets]
      .filter(({ events }) => events > 0n)
      .map((b) => {
        const parts = [b.used, b.credits, b.wallet, b.overage].map(formatUnits);
        const costs = b.costs.map(({ amount, currency }) => `${formatUnits(amount)} ${currency}`);
        return [`${name} ${new Date(b.startMs).toISOString()} ${b.events}`, ...parts, ...costs].join(' ');
      });
  return [
    ...lines('all', { total, buckets }),
    ...groups.flatMap((group) => lines(group.isOther ? 'the rest' : `model ${group.value}`, group)),
  ];
}

const sum = (values: readonly bigint[]): bigint => values.reduce((total, value) => total + value, 0n);

describeEngines('a series', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await engine.open();
  });

  const save = (events: readonly RollupEvent[]) => database.query(saveRollupsStatement(rollupsOf(events), true));

  it('says what the events say', { timeout: 60_000 }, async () => {
    const asked = fc.record({
      who: fc.constantFrom(null, 0, 1),
      bucket: fc.constantFrom(...BUCKETS.filter((bucket) => bucket !== 'minute')),
      timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Asia/Kolkata'),
      groupBy: fc.constantFrom(null, 'model'),
      groups: fc.constantFrom(1, 2, 10),
    });
    const batches = fc.array(fc.array(happened, { minLength: 1, maxLength: 30 }), { maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(batches, fc.array(asked, { minLength: 5, maxLength: 5 }), async (happenings, questions) => {
        const world = newWorld();
        for (const batch of happenings) await save(batch.map((event) => asEvent(world, event)));
        for (const { who, ...fields } of questions) {
          const question = request({ ...fields, customerId: who === null ? null : (world.customers[who] ?? '') });
          const series = await readUsageSeries({ database }, world.tenantId, question);
          expect(spell(series)).toEqual(expected(happenings.flat(), question, world));
        }
      }),
      { numRuns: 25 },
    );
  });

  it('by the minute has each minute, and none of the next', async () => {
    const world = newWorld();
    const at = (minute: number) => ({ who: 0, minute, amount: ONE, model: null, currency: null });
    await save([-1, 0, 0, 2, 3].map((minute) => asEvent(world, at(minute))));
    const question = request({ bucket: 'minute', toMs: FROM_MS + 3 * 60_000 });
    const { buckets } = await readUsageSeries({ database }, world.tenantId, question);
    expect(buckets.map(({ used }) => formatUnits(used))).toEqual(['2', '0', '1']);
  });

  it('of a maximum ranks groups by their largest, and keeps the largest of all batches', async () => {
    const world = newWorld();
    const of = (model: string, amount: bigint) => asEvent(world, { who: 0, minute: 5, amount, model, currency: null });
    await save([of('often', ONE), of('often', 2n * ONE), of('once', 3n * ONE)]);
    await save([of('often', ONE)]);
    const feature: Feature = { ...FEATURE, aggregation: 'max' };
    const series = await readUsageSeries(
      { database },
      world.tenantId,
      request({ feature, groupBy: 'model', groups: 1 }),
    );
    expect(series.groups.map(({ value, total }) => `${value} ${formatUnits(total.used)}`)).toEqual([
      'once 3',
      'null 2',
    ]);
    expect(formatUnits(series.total.used)).toBe('3');
  });

  it('holds sums of more digits than one amount may have', async () => {
    const world = newWorld();
    const most = unitsOf(`${'9'.repeat(29)}.999999999`);
    const events = [0, 1].map((minute) =>
      asEvent(world, { who: 0, minute, amount: most, model: null, currency: null }),
    );
    const payment = { credits: 0n, wallet: 0n, overage: 0n, cost: 0n };
    await save(events.map((event) => ({ ...event, payment })));
    const { total } = await readUsageSeries({ database }, world.tenantId, request({}));
    expect(total.used).toBe(2n * most);
  });

  it.each<[Partial<SeriesRequest>, string]>([
    [{ groupBy: 'modell' }, '`groupBy` is "modell"; the dimensions of the feature "calls" are "model".'],
    [
      { groupBy: 'model', feature: { ...FEATURE, dimensions: [] } },
      '`groupBy` is "model"; the feature "calls" has no dimensions: name the properties to group by as its `dimensions`.',
    ],
    [{ groups: 51 }, '`groups` is 51; from 1 to 50 is allowed.'],
    [
      { groupBy: 'model', groups: 50, bucket: 'minute', toMs: FROM_MS + 393 * 60_000 },
      '393 buckets of 50 groups and the rest are 20043 points; at most 20000 are answered: ask for fewer groups, larger buckets or a shorter time.',
    ],
  ])('refuses %o', async (fields, sentence) => {
    await expect(readUsageSeries({ database }, randomUUID(), request(fields))).rejects.toThrow(sentence);
  });

  describe('a forecast', () => {
    const NOW_MS = FROM_MS + 12 * 3_600_000;
    const usage = (fields: Partial<Usage['policy']> = {}) =>
      ({
        feature: FEATURE,
        period: { startMs: Date.parse('2026-03-01T00:00:00Z'), endMs: Date.parse('2026-04-01T00:00:00Z') },
        ...{ used: 20n * ONE, entitled: true, reserved: 0n, credits: ONE, atMs: NOW_MS },
        policy: { limit: null, minLimit: null, included: null, enforcement: 'soft', price: null, ...fields },
      }) as Usage; // what a forecast does not look at is left out
    const price = {
      model: 'per_unit',
      unitAmount: 2n * ONE,
      currency: 'usd',
      minimumSpend: null,
      maximumSpend: null,
    } as const;

    async function forecastAfter(firstDay: number, fields: Partial<Usage['policy']> = {}) {
      const world = newWorld();
      const id = world.customers[0];
      const days = Array.from({ length: firstDay }, (_, i) => (i - firstDay) * 1_440);
      await save(days.map((minute) => asEvent(world, { who: 0, minute, amount: ONE, model: null, currency: null })));
      await database.query({
        text: `INSERT INTO counters (customer_id, feature_key, period_start, reset, tenant_id, used, credits, overage, cost, raised, sequence)
          VALUES ($1, 'calls', '2026-03-01T00:00:00Z', 'monthly', $2, 20, 5, 5, 10, '{}', 1)`,
        params: [id, world.tenantId],
      });
      const customer = { id, tenantId: world.tenantId, timeZone: 'UTC', createdAtMs: 0 };
      return readUsageForecast({ database }, customer, usage(fields));
    }

    it.each([
      [40, 'weekdays', 28, '23.5'],
      [20, 'weekdays', 20, '23.5'],
      [13, 'run_rate', 13, '22.545454545'], // 20 in 27.5 days, and 3.5 are to come
      [0, 'run_rate', 0, '22.545454545'],
    ])('after %s days of one unit goes by %s of %s days', async (firstDay, basis, sampledDays, projected) => {
      const found = await forecastAfter(firstDay);
      expect({ ...found, projected: formatUnits(found.projected ?? 0n) }).toMatchObject({
        basis,
        sampledDays,
        projected,
      });
      expect(found.projectedCost).toBeNull();
    });

    it.each([
      ['beyond what is included and prepaid', { included: 11n * ONE }, '13'], // 3.5 to come: 1 included, 1 prepaid, 1.5 at 2
      ['nothing where no end is included', { included: null }, '10'],
      ['no more than a hard limit allows', { included: 0n, limit: 22n * ONE, enforcement: 'hard' }, '12'],
      ['all where a limit is soft', { included: 0n, limit: 22n * ONE, enforcement: 'soft' }, '15'],
    ] as const)('prices %s', async (_name, fields, cost) => {
      const { projectedCost } = await forecastAfter(40, { ...fields, price });
      expect(projectedCost && formatUnits(projectedCost.amount)).toBe(cost);
    });
  });
});
