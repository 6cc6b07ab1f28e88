/**
 * Goal: what the app says in its hooks holds on real databases: a synchronous one sees exact totals however many call at
 * once, a refusal writes nothing, takes its place in the order of refusal and is remembered like any other, and what is
 * told afterwards is told once and delays nobody.
 * Method: gateways with hooks of the test, their engine called directly; the tables before and after.
 */
import { randomUUID } from 'node:crypto';
import pino from 'pino';
import { beforeAll, expect, it, vi } from 'vitest';
import { syncConfig } from '../../server/actions/sync-config.ts';
import { Core } from '../../server/core.ts';
import type { Database } from '../../server/db/client.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { ONE, unitsOf } from '../../server/domain/units.ts';
import type { HookedEngine } from '../../server/hooks/hooked-engine.ts';
import { type AfterCall, type BeforeCall, type BeforeHook, type Hooks, NO_HOOKS } from '../../server/hooks.ts';
import { defineConfig } from '../../server/index.ts';
import type { ConsumeRequest, Request, ReserveRequest } from '../../server/metering/requests.ts';
import { createMetrics } from '../../server/metrics.ts';
import { parseConfig } from '../../server/parse-config.ts';
import { afterUse } from '../support/after-use.ts';
import { ManualClock } from '../support/clock.ts';
import { writingNothing } from '../support/digests.ts';
import { describeEngines } from '../support/engines.ts';
import { addTenant, query } from './rig.ts';

const CONFIG = defineConfig({
  features: {
    calls: { limit: 100 },
    rare: { limit: 100, rateLimit: { limit: 1, window: 'PT1M' } },
    off: { limit: 0 },
    seats: { limit: 100, minLimit: 0 },
  },
  plans: { pro: { features: { calls: {}, rare: {}, off: {}, seats: {} } }, none: { features: { calls: {} } } },
});

/** Runs a hook inside the decision, or before it. */
const before = (mode: 'sync' | 'async', run: BeforeHook): Partial<Hooks> => ({
  before: { run, mode, deadlineMs: 250, onFailure: 'deny' },
});
const nobody: Partial<Hooks> = { authorizeReference: () => false };

type Rig = {
  readonly database: Database;
  /** As an API key that may do everything. */
  readonly engine: HookedEngine;
  /** As the gateway itself. */
  readonly own: HookedEngine;
  call(fields?: Partial<ConsumeRequest>): ConsumeRequest;
  reserve(fields?: Partial<ReserveRequest>): ReserveRequest;
  drain(): Promise<void>;
};

describeEngines('hooks', (engine) => {
  let database: Database;
  let tenantId: string;
  beforeAll(async () => {
    database = await engine.open();
    tenantId = await addTenant(database);
    const { definition } = parseConfig(CONFIG, 'the test');
    await syncConfig({ database, clock: new ManualClock(), announce: () => {} }, tenantId, definition);
  });

  /** An engine with hooks, and a customer of its own. */
  async function rigWith(hooks: Partial<Hooks>): Promise<Rig> {
    const logger = pino({ level: 'silent' });
    const options = { database, clock: new ManualClock(), logger, tokenSecret: new Uint8Array(32) };
    const core = new Core({ ...options, hooks: { ...NO_HOOKS, ...hooks } }, createMetrics());
    let drained: Promise<void> | undefined;
    const drain = () => {
      drained ??= core.drain();
      return drained;
    };
    afterUse(drain);
    const referenceId = `customer-${randomUUID()}`;
    await query(
      database,
      `INSERT INTO customers (id, tenant_id, reference_id, reference_type, time_zone, anchor_at, created_at)
       VALUES ($1, $2, $3, 'user', 'UTC', '2026-01-01', '2026-01-01')`,
      customerIdOf(tenantId, referenceId),
      tenantId,
      referenceId,
    );
    const own = core.services.engine;
    const use = {
      tenantId,
      customerId: customerIdOf(tenantId, referenceId),
      referenceId,
      featureKey: 'calls',
      amount: ONE,
      duration: null,
      mode: 'REJECT',
      overrideKey: null,
      entityId: null,
      idempotencyKey: null,
      properties: null,
      refusal: null,
    } as const;
    return {
      database,
      own,
      engine: own.onBehalfOf({
        kind: 'api-key',
        tenantId,
        keyId: 'Key00001',
        name: 'billing',
        scopes: new Set(['admin']),
        expiresAtMs: null,
      }),
      call: (fields = {}) => ({ ...use, kind: 'consume', purpose: 'use', occurredAtMs: null, ...fields }),
      reserve: (fields = {}) => ({
        ...use,
        kind: 'reserve',
        reservationId: randomUUID(),
        ttlMs: 60_000,
        ...fields,
      }),
      drain,
    };
  }

  it('a synchronous one sees exact totals, however many call at once', async () => {
    const budget: BeforeHook = ({ usage, amount }) =>
      Number(usage.used) + Number(amount) > 30 ? 'Budget spent.' : true;
    const rig = await rigWith(before('sync', budget));
    const answers = await Promise.all(Array.from({ length: 60 }, () => rig.engine.consume(rig.call())));
    expect(answers.filter(({ allowed }) => allowed)).toHaveLength(30);
    expect(new Set(answers.flatMap(({ denial }) => denial ?? []).map(({ reason }) => reason))).toEqual(
      new Set(['REFUSED_BY_HOOK']),
    );
  });

  it('each is told the call and the totals without it; a synchronous one, what is about to happen, too', async () => {
    const told: BeforeCall[] = [];
    const keep = (call: BeforeCall) => void told.push(call);
    for (const [mode, proposal] of [
      ['sync', { amount: '2.5', split: { included: '2.5', credits: '0', wallet: '0', overage: '0' } }],
      ['async', null],
    ] as const) {
      const rig = await rigWith(before(mode, keep));
      await rig.engine.consume(rig.call({ amount: unitsOf('7') }));
      told.length = 0;
      await rig.engine.execute(rig.reserve({ amount: unitsOf('2.5'), properties: '{"model":"large"}' }));
      expect(told).toMatchObject([
        {
          call: 'reserve',
          customer: { referenceId: rig.call().referenceId, planKey: null },
          feature: { key: 'calls', aggregation: 'sum' },
          amount: '2.5',
          usage: { used: '7', reserved: '0', limit: '100', remaining: '93' },
          proposal,
          properties: { model: 'large' },
        },
      ]);
    }
  });

  it.each([
    ['sync', 'consume'],
    ['sync', 'reserve'],
    ['sync', 'check'],
    ['async', 'consume'],
    ['async', 'reserve'],
    ['async', 'check'],
  ] as const)('a refusal by a %s hook of %s leaves no trace', async (mode, verb) => {
    const rig = await rigWith(before(mode, () => 'Not at night.'));
    const answer = await writingNothing(database, async () => {
      if (verb === 'check') return rig.engine.check(rig.call());
      return rig.engine.execute(verb === 'consume' ? rig.call() : rig.reserve());
    });
    expect(answer).toMatchObject({
      allowed: false,
      denial: { reason: 'REFUSED_BY_HOOK', message: 'Not at night.', retryAtMs: null },
      usage: { used: 0n, reserved: 0n },
    });
  });

  it.each(['sync', 'async'] as const)(
    'the first answer under a key stands, whatever the %s hook says later',
    async (mode) => {
      let refusal: string | null = 'Not now.';
      const rig = await rigWith(before(mode, () => refusal));
      const [refused, allowed] = [rig.call({ idempotencyKey: 'first' }), rig.call({ idempotencyKey: 'second' })];
      expect(await rig.engine.consume(refused)).toMatchObject({ allowed: false, replayed: false });
      refusal = null;
      expect(await rig.engine.consume(allowed)).toMatchObject({ allowed: true, replayed: false });
      expect(await rig.engine.consume(refused)).toMatchObject({
        allowed: false,
        denial: { reason: 'REFUSED_BY_HOOK', message: 'Not now.' },
        replayed: true,
      });
      refusal = 'Not any more.';
      expect(await rig.engine.consume(allowed)).toMatchObject({ allowed: true, denial: null, replayed: true });
    },
  );

  /** A key that may not act, or a hook that refuses, against everything else there is to refuse by. */
  it.each([
    ['calls', 'pro', 1, 'NOT_AUTHORIZED', 'REFUSED_BY_HOOK'],
    ['rare', 'pro', 1, 'NOT_AUTHORIZED', 'RATE_LIMITED'],
    ['seats', 'none', 1, 'NOT_AUTHORIZED', 'FEATURE_NOT_IN_PLAN'],
    ['off', 'pro', 1, 'NOT_AUTHORIZED', 'LIMIT_REACHED'],
    ['seats', 'pro', -1, 'NOT_AUTHORIZED', 'BELOW_MINIMUM'],
  ] as const)(
    '%s by plan %s, %s units: %s first, and the hook last',
    async (featureKey, overrideKey, amount, first, last) => {
      for (const [hooks, reason] of [
        [{ ...nobody, ...before('sync', () => 'No.') }, first],
        [{ ...nobody, ...before('async', async () => 'No.') }, first],
        [before('sync', () => 'No.'), last],
        [before('async', async () => 'No.'), last],
      ] as const) {
        const rig = await rigWith(hooks);
        if (featureKey === 'rare') await useRareSlot(rig);
        const call = rig.call({ featureKey, overrideKey, amount: unitsOf(String(amount)) });
        expect(await rig.engine.consume(call)).toMatchObject({ allowed: false, denial: { reason } });
      }
    },
  );

  /** Uses up the one call a minute, without asking the app. */
  async function useRareSlot(rig: Rig): Promise<void> {
    const unhooked = await rigWith({});
    await unhooked.engine.consume(rig.call({ featureKey: 'rare' }));
  }

  it.each<readonly [string, (rig: Rig) => Request]>([
    ['grant', (rig) => ({ ...base(rig), kind: 'grant', ...GRANT })],
    ['top-up', (rig) => ({ ...base(rig), kind: 'top-up', currency: 'usd', amount: unitsOf('500') })],
    ['set-wallet', (rig) => ({ ...base(rig), kind: 'set-wallet', currency: 'usd', floor: 0n })],
    ['commit', (rig) => ({ ...base(rig), kind: 'commit', reservationId: randomUUID(), amount: null, mode: 'REJECT' })],
    ['release', (rig) => ({ ...base(rig), kind: 'release', reservationId: randomUUID() })],
    ['reset', (rig) => ({ ...base(rig), kind: 'reset', featureKey: 'calls' })],
  ])('%s by a key that may not act is forbidden, and leaves no trace', async (_, requestOf) => {
    const rig = await rigWith(nobody);
    const error = await writingNothing(database, () =>
      rig.engine.execute(requestOf(rig)).catch((reason: unknown) => reason),
    );
    expect(error).toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('Key00001 may not act for') });
  });

  it('the gateway itself needs no authorization', async () => {
    const rig = await rigWith(nobody);
    expect(await rig.own.consume(rig.call())).toMatchObject({ allowed: true });
  });

  it('afterwards is told what was used, once each, and nothing else', async () => {
    const told: AfterCall[] = [];
    const rig = await rigWith({ after: (call) => told.push(call) });
    const { reservationId, ...held } = rig.reserve({ amount: unitsOf('5') });
    await rig.engine.consume(rig.call({ idempotencyKey: 'used', properties: '{"a":1}', entityId: 'seat' }));
    await rig.engine.consume(rig.call({ idempotencyKey: 'used', properties: '{"a":1}', entityId: 'seat' })); // a replay
    await rig.engine.consume(rig.call({ amount: unitsOf('1000') })); // denied
    await rig.engine.check(rig.call());
    await rig.engine.execute({ ...held, reservationId });
    await rig.engine.execute({ ...base(rig), kind: 'commit', reservationId, amount: unitsOf('4'), mode: 'REJECT' });
    await rig.engine.consumeMany([
      rig.call({ purpose: 'record', amount: unitsOf('2') }),
      rig.call({ featureKey: 'off' }),
    ]);
    await rig.drain();
    expect(told).toMatchObject([
      { amount: '1', usage: { used: '1' }, idempotencyKey: 'used', properties: { a: 1 }, entityId: 'seat' },
      { amount: '4', usage: { used: '5', reserved: '0' }, idempotencyKey: null, properties: null },
      { amount: '2', usage: { used: '7' } },
    ]);
  });

  it('one afterwards that never ends delays no answer', async () => {
    const ends: (() => void)[] = [];
    const rig = await rigWith({ after: () => new Promise<void>((resolve) => ends.push(resolve)) });
    const answers = await Promise.all(Array.from({ length: 50 }, () => rig.engine.consume(rig.call())));
    expect(answers.every(({ allowed }) => allowed)).toBe(true);
    expect(await rig.engine.consume(rig.call())).toMatchObject({ allowed: true, usage: { used: unitsOf('51') } });
    await vi.waitUntil(() => ends.length > 0);
    expect(ends).toHaveLength(16); // the others wait for a place
    const drained = rig.drain();
    await vi.waitUntil(() => {
      for (const end of ends.splice(0)) end();
      return Promise.race([drained.then(() => true), new Promise((resolve) => setImmediate(resolve, false))]);
    });
  });
});

const GRANT = {
  grantId: '01970000-0000-7000-8000-000000000001',
  featureKey: 'calls',
  source: 'purchase',
  amount: ONE,
  priority: null,
  effectiveFromMs: null,
  expiresAtMs: null,
  recurring: null,
  settlesOverage: false,
} as const;

function base(rig: Rig) {
  const { tenantId, customerId, referenceId } = rig.call();
  return { tenantId, customerId, referenceId, idempotencyKey: null };
}
