/**
 * Goal: whatever moves a counter's billed overage is copied into the outbox with it, and what is collected of it adds up to
 * what is billed; who bills nobody pays nothing for that. Method: real engines on both databases, calls of every kind,
 * then the tables; a law over whatever fast-check has customers do.
 */
import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { collect } from '../../server/billing/stripe/usage/collector.ts';
import type { Database } from '../../server/db/client.ts';
import { MeterError } from '../../server/domain/errors.ts';
import type { LimitFields } from '../../server/domain/feature.ts';
import { formatUnits, maxUnits, minUnits, roundToWhole, type Units, unitsOf } from '../../server/domain/units.ts';
import type { CommitRequest, ConsumeRequest } from '../../server/metering/requests.ts';
import { describeEngines } from '../support/engines.ts';
import { counting } from './counting.ts';
import { query, type Rig, rigWith, saveFeature } from './rig.ts';
import { perUnit } from './scene.ts';

const WINDOW_MS = 15 * 60_000;
const PRICED: LimitFields = { price: perUnit('10'), included: unitsOf('2'), minLimit: 0n, thresholds: [] };
const END = Date.parse('2026-04-01T00:00:00Z');

const billing = (database: Database, limits: LimitFields = PRICED): Promise<Rig> =>
  rigWith(database, limits, { reportWindowMs: WINDOW_MS });

const use = (rig: Rig, amount: string, fields: Partial<ConsumeRequest> = {}) =>
  rig.engine.consume(rig.call('acme', { amount: unitsOf(amount), ...fields }));

const idsOf = (rig: Rig) => {
  const { tenantId, customerId, referenceId } = rig.call('acme');
  return { tenantId, customerId, referenceId, idempotencyKey: null };
};

const commitOf = (rig: Rig, reservationId: string, amount: bigint | null): CommitRequest => ({
  ...idsOf(rig),
  kind: 'commit',
  reservationId,
  amount,
  mode: 'OVERFLOW',
});

/** `overage, of it without a price, told`, of each row in order of time. */
async function rows(rig: Rig): Promise<readonly string[]> {
  const found = await query(
    rig.database,
    `SELECT overage::text, unpriced::text, reported::text FROM usage_outbox WHERE tenant_id = $1 ORDER BY feature_key, period_start`,
    rig.tenantId,
  );
  return found.map((row) => [row.overage, row.unpriced, row.reported].map((n) => short(n)).join(' '));
}

const short = (text: unknown): string => formatUnits(unitsOf(String(text)));

async function messages(rig: Rig): Promise<readonly string[]> {
  const found = await query(
    rig.database,
    `SELECT quantity::text, number, used_at FROM usage_messages WHERE tenant_id = $1 ORDER BY feature_key, period_start, number`,
    rig.tenantId,
  );
  return found.map(
    ({ number, quantity, used_at }) => `${number}: ${short(quantity)} ${(used_at as Date).toISOString().slice(8, 19)}`,
  );
}

const collectNow = ({ database, clock }: Rig): Promise<number> =>
  collect({ query: database.query, clock, windowMs: WINDOW_MS });

describeEngines('the outbox', (engine) => {
  it('has what is billed beyond what is included, and nothing else', async () => {
    const rig = await billing(await engine.open());
    await use(rig, '2');
    expect(await rows(rig)).toEqual([]);
    await use(rig, '5');
    expect(await rows(rig)).toEqual(['5 0 0']);
    await use(rig, '-3');
    expect(await rows(rig)).toEqual(['2 0 0']);
  });

  it('is left alone by a gateway that bills nobody, and right again with the next move of one that does', async () => {
    const database = await engine.open();
    const rig = await billing(database);
    const other = await rigWith(database, PRICED);
    const plain = { ...other, tenantId: rig.tenantId, call: rig.call };
    await use(rig, '3');
    await use(plain, '4');
    expect(await rows(rig)).toEqual(['1 0 0']);
    await use(rig, '1');
    expect(await rows(rig)).toEqual(['6 0 0']);
  });

  it('tells a window once it has closed, then the difference, and what is taken back', async () => {
    const rig = await billing(await engine.open());
    await use(rig, '7');
    expect(await collectNow(rig)).toBe(0);
    rig.clock.advance(WINDOW_MS);
    expect(await collectNow(rig)).toBe(1);
    expect(await collectNow(rig)).toBe(0);
    await use(rig, '2.5');
    await use(rig, '1.25');
    rig.clock.advance(WINDOW_MS);
    await collectNow(rig);
    await use(rig, '-4');
    rig.clock.advance(WINDOW_MS);
    await collectNow(rig);
    expect(await messages(rig)).toEqual(['1: 5 15T12:00:00', '2: 3 15T12:15:00', '3: -3 15T12:30:00']);
    expect(await rows(rig)).toEqual(['4.75 0 5']);
    rig.clock.set(END);
    await collectNow(rig);
    expect(await rows(rig)).toEqual(['4.75 0 5']); // half-even, 5 is told
    expect(await collectNow(rig)).toBe(0);
  });

  it('tells late use of an ended period at once, into its own row', async () => {
    const rig = await billing(await engine.open());
    await use(rig, '4.5');
    rig.clock.set(END + 60_000);
    await collectNow(rig);
    expect(await rows(rig)).toEqual(['2.5 0 2']);
    await use(rig, '1', { purpose: 'record', occurredAtMs: END - 1_000 });
    expect(await collectNow(rig)).toBe(1);
    expect(await rows(rig)).toEqual(['3.5 0 4']);
    await use(rig, '3');
    expect(await rows(rig)).toEqual(['3.5 0 4', '1 0 0']);
  });

  it('tells nothing of what is held until it is used, and of the rest nothing', async () => {
    const rig = await billing(await engine.open());
    const { purpose: _, occurredAtMs: __, ...call } = rig.call('acme', { amount: unitsOf('6') });
    const reservationId = randomUUID();
    await rig.engine.execute({ ...call, kind: 'reserve', reservationId, ttlMs: 3_600_000 });
    expect(await rows(rig)).toEqual(['4 0 0']);
    rig.clock.advance(WINDOW_MS);
    expect(await collectNow(rig)).toBe(0);
    await rig.engine.execute(commitOf(rig, reservationId, unitsOf('5')));
    rig.clock.advance(WINDOW_MS);
    await collectNow(rig);
    expect(await messages(rig)).toEqual(['1: 3 15T12:15:00']);
    expect(await rows(rig)).toEqual(['3 0 3']);
  });

  it('tells nothing of a hold that reached beyond what is included, and ended with use that does not', async () => {
    const rig = await billing(await engine.open());
    const { purpose: _, occurredAtMs: __, ...call } = rig.call('acme', { amount: unitsOf('2.75') });
    const reservationId = randomUUID();
    await rig.engine.execute({ ...call, kind: 'reserve', reservationId, ttlMs: 3_600_000 });
    expect(await rows(rig)).toEqual(['0.75 0 0']);
    await rig.engine.execute(commitOf(rig, reservationId, unitsOf('0.25')));
    expect(await rows(rig)).toEqual(['0 0 0']);
    rig.clock.set(END);
    await collectNow(rig);
    expect(await messages(rig)).toEqual([]);
  });

  it('has no row of a hold that ended without having held anything beyond what is included', async () => {
    const rig = await billing(await engine.open());
    const { purpose: _, occurredAtMs: __, ...call } = rig.call('acme', { amount: unitsOf('2') });
    const reservationId = randomUUID();
    await rig.engine.execute({ ...call, kind: 'reserve', reservationId, ttlMs: 3_600_000 });
    await rig.engine.execute(commitOf(rig, reservationId, unitsOf('1')));
    expect(await rows(rig)).toEqual([]);
  });

  it('tells of all that is committed though the counter does not move by it', async () => {
    const rig = await billing(await engine.open());
    const { purpose: _, occurredAtMs: __, ...call } = rig.call('acme', { amount: unitsOf('6') });
    const reservationId = randomUUID();
    await rig.engine.execute({ ...call, kind: 'reserve', reservationId, ttlMs: 3_600_000 });
    rig.clock.advance(WINDOW_MS);
    await collectNow(rig);
    await rig.engine.execute(commitOf(rig, reservationId, null));
    rig.clock.advance(WINDOW_MS);
    expect(await collectNow(rig)).toBe(1);
    expect(await rows(rig)).toEqual(['4 0 4']);
  });

  it('never bills what was used while there was no price', async () => {
    const soft: LimitFields = { limit: unitsOf('2'), enforcement: 'soft', thresholds: [] };
    const rig = await billing(await engine.open(), soft);
    await use(rig, '10');
    expect(await rows(rig)).toEqual([]);
    await saveFeature(rig, 'calls', { ...soft, included: unitsOf('2'), price: perUnit('10') });
    await use(rig, '3');
    expect(await rows(rig)).toEqual(['11 8 0']);
    await saveFeature(rig, 'calls', soft);
    await use(rig, '4');
    expect(await rows(rig)).toEqual(['15 12 0']);
    rig.clock.set(END);
    await collectNow(rig);
    expect(await messages(rig)).toEqual(['1: 3 15T12:00:00']);
  });

  it('takes what comes back off what had a price and what had none, in proportion, as its cost', async () => {
    const soft: LimitFields = {
      limit: unitsOf('2'),
      included: unitsOf('2'),
      enforcement: 'soft',
      thresholds: [],
      minLimit: 0n,
    };
    const rig = await billing(await engine.open(), { ...soft, price: perUnit('10') });
    await use(rig, '5');
    await saveFeature(rig, 'calls', soft);
    await use(rig, '4');
    expect(await rows(rig)).toEqual(['7 4 0']);
    await use(rig, '-4');
    const [counter] = await query(rig.database, 'SELECT cost::text FROM counters WHERE tenant_id = $1', rig.tenantId);
    expect(short(counter?.cost)).toBe('12.857142857'); // 30 × 3/7: 1.285714286 units at 10
    expect(await rows(rig)).toEqual(['3 1.714285714 0']);
    rig.clock.set(END);
    await collectNow(rig);
    expect(await messages(rig)).toEqual(['1: 1 15T12:00:00']);
  });

  it.each(['8', '5', null])(
    'bills what was used beside a hold that had no price, of which %s are used',
    async (used) => {
      const soft: LimitFields = { limit: 0n, enforcement: 'soft', thresholds: [] };
      const rig = await billing(await engine.open(), soft);
      const { purpose: _, occurredAtMs: __, ...call } = rig.call('acme', { amount: unitsOf('8') });
      const reservationId = randomUUID();
      await rig.engine.execute({ ...call, kind: 'reserve', reservationId, ttlMs: 3_600_000 });
      expect(await rows(rig)).toEqual([]);
      await saveFeature(rig, 'calls', { ...soft, included: 0n, price: perUnit('10') });
      await use(rig, '3');
      expect(await rows(rig)).toEqual(['11 0 0']);
      rig.clock.advance(WINDOW_MS);
      await collectNow(rig);
      expect(await rows(rig)).toEqual(['11 0 3']);
      await rig.engine.execute(
        used === null ? { ...idsOf(rig), kind: 'release', reservationId } : commitOf(rig, reservationId, unitsOf(used)),
      );
      rig.clock.set(END);
      await collectNow(rig);
      expect(await messages(rig)).toEqual(['1: 3 15T12:00:00']);
      expect(await rows(rig)).toEqual([used === null ? '3 0 3' : `${3 + Number(used)} ${used} 3`]);
    },
  );

  it('forgets nothing of what had no price though nothing costs anything just then', async () => {
    const soft: LimitFields = { limit: unitsOf('2'), enforcement: 'soft', minLimit: 0n, thresholds: [] };
    const rig = await billing(await engine.open());
    await use(rig, '5');
    await use(rig, '-3');
    await saveFeature(rig, 'calls', soft);
    await use(rig, '4');
    await saveFeature(rig, 'calls', PRICED);
    await use(rig, '2');
    expect(await rows(rig)).toEqual(['6 4 0']);
  });

  it('bills nothing of a hold that had no price and ended unused, though nothing costs anything just then', async () => {
    const soft: LimitFields = { limit: 0n, included: 0n, enforcement: 'soft', minLimit: 0n, thresholds: [] };
    const rig = await billing(await engine.open(), soft);
    const { purpose: _, occurredAtMs: __, ...call } = rig.call('acme', { amount: unitsOf('8') });
    const reservationId = randomUUID();
    await rig.engine.execute({ ...call, kind: 'reserve', reservationId, ttlMs: 3_600_000 });
    await saveFeature(rig, 'calls', { ...soft, price: perUnit('10') });
    await use(rig, '3');
    await use(rig, '-3');
    await rig.engine.execute({ ...idsOf(rig), kind: 'release', reservationId });
    expect(await rows(rig)).toEqual(['0 0 0']);
  });

  it('keeps what had no price whatever was held beside it', async () => {
    const soft: LimitFields = { limit: 0n, included: 0n, enforcement: 'soft', minLimit: 0n, thresholds: [] };
    const rig = await billing(await engine.open(), soft);
    await use(rig, '4');
    await saveFeature(rig, 'calls', { ...soft, price: perUnit('10') });
    await use(rig, '3');
    const { purpose: _, occurredAtMs: __, ...call } = rig.call('acme', { amount: unitsOf('6') });
    const reservationId = randomUUID();
    await rig.engine.execute({ ...call, kind: 'reserve', reservationId, ttlMs: 3_600_000 });
    await rig.engine.execute({ ...idsOf(rig), kind: 'release', reservationId });
    expect(await rows(rig)).toEqual(['7 4 0']);
  });

  it('is right when the period closes, also of what a gateway that bills nobody gave back last', async () => {
    const database = await engine.open();
    const rig = await billing(database);
    const other = await rigWith(database, PRICED);
    const plain = { ...other, tenantId: rig.tenantId, call: rig.call };
    await use(rig, '5');
    rig.clock.advance(WINDOW_MS);
    await collectNow(rig);
    await use(plain, '-3');
    rig.clock.set(END);
    await rig.engine.execute({ ...idsOf(rig), kind: 'settle' });
    await collectNow(rig);
    expect(await rows(rig)).toEqual(['0 0 0']);
  });

  it('has no row of a period that closes without ever having cost anything', async () => {
    const rig = await billing(await engine.open(), { limit: unitsOf('2'), enforcement: 'soft', thresholds: [] });
    await use(rig, '5');
    rig.clock.set(END);
    await rig.engine.execute({ ...idsOf(rig), kind: 'settle' });
    expect(await rows(rig)).toEqual([]);
  });

  it('keeps the statements of a batch as they are, and plain ones to the letter', async () => {
    const database = await engine.open();
    const textsOf = async (limits: LimitFields, reportWindowMs?: number) => {
      const counted = counting(database);
      const rig = await rigWith(counted.database, limits, reportWindowMs === undefined ? {} : { reportWindowMs });
      await use(rig, '1');
      counted.clear();
      await Promise.all(Array.from({ length: 20 }, () => use(rig, '1')));
      return counted.statements.map(({ text }) => text);
    };
    const plain = { limit: null, thresholds: [] };
    expect(await textsOf(plain, WINDOW_MS)).toEqual(await textsOf(plain));
    const [without, withOutbox] = [await textsOf(PRICED), await textsOf(PRICED, WINDOW_MS)];
    expect(withOutbox.length).toBe(without.length);
    expect(withOutbox.filter((text) => text.includes('usage_outbox')).length).toBe(1);
    expect(without.filter((text) => text.includes('usage_outbox')).length).toBe(0);
  });

  const move = fc.oneof(
    fc.record({ what: fc.constant('use' as const), amount: fc.integer({ min: -30, max: 60 }).filter((n) => n !== 0) }),
    fc.record({ what: fc.constant('late' as const), amount: fc.integer({ min: 1, max: 30 }) }),
    fc.record({ what: fc.constant('hold' as const), amount: fc.integer({ min: 1, max: 60 }) }),
    fc.record({ what: fc.constant('end' as const), amount: fc.integer({ min: 0, max: 40 }) }),
    fc.record({ what: fc.constant('grant' as const), amount: fc.integer({ min: 1, max: 20 }) }),
    fc.record({ what: fc.constant('collect' as const), amount: fc.constant(0) }),
    fc.record({ what: fc.constant('later' as const), amount: fc.integer({ min: 1, max: 40 }) }),
  );

  const pricing = fc.oneof(
    fc.record({ what: fc.constant('use' as const), amount: fc.integer({ min: -30, max: 60 }).filter((n) => n !== 0) }),
    fc.record({ what: fc.constant('reverse' as const), amount: fc.integer({ min: 1, max: 10 }) }),
    fc.record({ what: fc.constant('price' as const), amount: fc.integer({ min: 0, max: 1 }) }),
    fc.record({ what: fc.constant('collect' as const), amount: fc.constant(0) }),
    fc.record({ what: fc.constant('later' as const), amount: fc.integer({ min: 1, max: 40 }) }),
  );

  it('and its messages come to what had a price, whenever it had one', { timeout: 60_000 }, async () => {
    const database = await engine.open();
    const soft: LimitFields = { limit: unitsOf('2'), enforcement: 'soft', minLimit: 0n, thresholds: [] };
    await fc.assert(
      fc.asyncProperty(fc.array(pricing, { minLength: 5, maxLength: 25 }), async (moves) => {
        const rig = await billing(database, soft);
        for (const { what, amount } of moves) {
          if (what === 'price') await saveFeature(rig, 'calls', amount === 0 ? soft : PRICED);
          else await make(rig, [], what, what === 'reverse' ? BigInt(amount) : unitsOf(String(amount / 4)));
        }
        rig.clock.set(Date.parse('2026-09-01T00:00:00Z'));
        await rig.engine.execute({ ...idsOf(rig), kind: 'settle' });
        await collectNow(rig);
        const told = await query(
          database,
          'SELECT period_start, reported::text AS reported FROM usage_outbox WHERE tenant_id = $1 AND reported <> 0',
          rig.tenantId,
        );
        const spelled = told.map(
          ({ period_start, reported }) => `${(period_start as Date).toISOString()} ${short(reported)}`,
        );
        expect(spelled.toSorted()).toEqual((await billedByEvents(rig)).filter((line) => !line.endsWith(' 0')));
      }),
      { numRuns: 25 },
    );
  });

  it('and its messages come to what the counters are billed for, whatever customers do', {
    timeout: 60_000,
  }, async () => {
    const database = await engine.open();
    await fc.assert(
      fc.asyncProperty(fc.array(move, { minLength: 5, maxLength: 25 }), async (moves) => {
        const rig = await billing(database);
        const holds: string[] = [];
        for (const { what, amount } of moves) await make(rig, holds, what, unitsOf(String(amount / 4)));
        rig.clock.set(Date.parse('2026-06-01T00:00:00Z'));
        await rig.engine.execute({ ...idsOf(rig), kind: 'settle' }); // holds that nobody ended go back
        await collectNow(rig);
        const counters = await query(
          database,
          `SELECT c.overage::text AS overage, coalesce(o.reported, 0)::text AS reported, coalesce(m.sum, 0)::text AS sum
           FROM counters c LEFT JOIN usage_outbox o USING (customer_id, feature_key, period_start)
           LEFT JOIN (SELECT customer_id, feature_key, period_start, sum(quantity) FROM usage_messages GROUP BY 1, 2, 3) m
             USING (customer_id, feature_key, period_start)
           WHERE c.tenant_id = $1 AND c.entity_id = ''`,
          rig.tenantId,
        );
        for (const { overage, reported, sum } of counters) {
          expect(short(reported)).toBe(formatUnits(roundToWhole(unitsOf(String(overage)))));
          expect(short(sum)).toBe(short(reported));
        }
      }),
      { numRuns: 15 },
    );
  });
});

/**
 * What events say that is billed of each period, read one after the other: what had a price, without its part of what was given
 * back.
 */
async function billedByEvents(rig: Rig): Promise<readonly string[]> {
  const found = await query(
    rig.database,
    `SELECT period_start, overage::text AS overage, currency IS NOT NULL AS priced FROM events
     WHERE tenant_id = $1 ORDER BY sequence`,
    rig.tenantId,
  );
  const periods = new Map<number, { overage: bigint; unpriced: bigint }>();
  for (const { period_start, overage, priced } of found) {
    const key = (period_start as Date).getTime();
    const before = periods.get(key) ?? { overage: 0n, unpriced: 0n };
    const moved = unitsOf(String(overage));
    const after = before.overage + moved;
    const unpriced = priced && moved > 0n ? before.unpriced : unpricedAfter(before, moved);
    periods.set(key, { overage: after, unpriced: minUnits(unpriced, after) });
  }
  return [...periods]
    .map(
      ([key, { overage, unpriced }]) =>
        `${new Date(key).toISOString()} ${formatUnits(roundToWhole(overage - unpriced))}`,
    )
    .toSorted();
}

function unpricedAfter({ overage, unpriced }: { overage: Units; unpriced: Units }, moved: Units): Units {
  if (moved > 0n || overage === 0n) return maxUnits(unpriced + moved, 0n);
  const left = 2n * unpriced * maxUnits(overage + moved, 0n);
  return (left + overage) / (2n * overage); // half up, as Postgres rounds
}

/** One move of a customer; what is refused changes nothing. */
async function make(rig: Rig, holds: string[], what: string, amount: bigint): Promise<void> {
  const ids = idsOf(rig);
  try {
    if (what === 'use') await rig.engine.consume(rig.call('acme', { amount }));
    if (what === 'late')
      await rig.engine.consume(
        rig.call('acme', { amount, purpose: 'record', occurredAtMs: rig.clock.now() - 20 * 24 * 3_600_000 }),
      );
    if (what === 'hold') {
      const { purpose: _, occurredAtMs: __, ...call } = rig.call('acme', { amount });
      const reservationId = randomUUID();
      await rig.engine.execute({ ...call, kind: 'reserve', reservationId, ttlMs: 3_600_000 });
      holds.push(reservationId);
    }
    if (what === 'end') {
      const reservationId = holds.shift();
      if (reservationId === undefined) return;
      const release = { ...ids, kind: 'release', reservationId } as const;
      await rig.engine.execute(amount === 0n ? release : commitOf(rig, reservationId, amount));
    }
    if (what === 'grant')
      await rig.engine.execute({
        ...ids,
        kind: 'grant',
        grantId: randomUUID(),
        featureKey: 'calls',
        source: 'purchase',
        amount,
        priority: null,
        effectiveFromMs: null,
        expiresAtMs: null,
        recurring: null,
        settlesOverage: true,
      });
    if (what === 'reverse') await rig.engine.execute({ ...ids, kind: 'reverse', sequence: amount });
    if (what === 'collect') await collectNow(rig);
    if (what === 'later') rig.clock.advance(Number(amount / 1_000_000_000n) * 24 * 3_600_000 + 60_000);
  } catch (error) {
    if (!(error instanceof MeterError)) throw error;
  }
}
