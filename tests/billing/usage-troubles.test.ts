/**
 * Goal: whoever listens hears of usage that Stripe will not bill, or not in time, once for each time that it fails, and whoever is
 * told is told for good. Method: messages that get nowhere, and what is written down for an endpoint, on both databases.
 */
import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { findDeadLetters, resendDeadLetters } from '../../server/billing/stripe/usage/dead-letters.ts';
import { UsageReporter } from '../../server/billing/stripe/usage/reporter.ts';
import { tellTroubles } from '../../server/billing/stripe/usage/troubles.ts';
import type { Database } from '../../server/db/client.ts';
import { describeEngines } from '../support/engines.ts';
import { openUsage, type UsageRig, WINDOW_MS } from './usage-rig.ts';

describeEngines('usage that gets nowhere', (engine) => {
  let database: Database;
  let rig: UsageRig;
  beforeAll(async () => {
    database = await engine.open();
  });
  beforeEach(async () => {
    rig = await openUsage(database);
    await database.query({
      text: `INSERT INTO webhook_endpoints (id, tenant_id, kind, url, event_types, secrets, created_at)
        VALUES ($1, $2, 'webhook', 'https://example.com', ARRAY['billing.dead_letter'], '[]', '2026-01-01')`,
      params: [randomUUID(), rig.tenantId],
    });
  });

  const tell = () => tellTroubles(database, rig.clock.now());
  const heard = async (): Promise<readonly string[]> => {
    const rows = await database.query<{ reference_id: string; code: string; amount: string; deliveries: string }>({
      text: `SELECT e.reference_id, e.data->>'code' AS code, e.data->>'amount' AS amount,
          (SELECT count(*) FROM webhook_deliveries d WHERE d.event_id = e.id)::text AS deliveries
        FROM outgoing_events e WHERE e.tenant_id = $1 ORDER BY e.created_at, e.dedupe_key`,
      params: [rig.tenantId],
    });
    return rows.map(
      ({ reference_id, code, amount, deliveries }) => `${reference_id} ${amount} ${code}, to ${deliveries}`,
    );
  };
  /** Which Stripe has no meter for. */
  const fail = async (): Promise<void> => {
    await rig.copy('acme', 'tokens', '5');
    await rig.collect();
    await rig.sendAll();
  };
  const resend = async (): Promise<void> => {
    const { tenantId, clock } = rig;
    const letters = await findDeadLetters(database.query, tenantId);
    await resendDeadLetters(
      database.query,
      { tenantId, identifiers: letters.map(({ identifier }) => identifier) },
      clock.now(),
    );
    clock.advance(1_000);
    await rig.sendAll();
  };

  it('is told once, and again when it was sent again in vain', async () => {
    await fail();
    expect(await tell()).toMatchObject([{ kind: 'dead', code: 'no_meter', referenceId: 'acme' }]);
    expect(await tell()).toEqual([]);
    expect(await heard()).toEqual(['acme 5 no_meter, to 1']);
    await resend();
    await tell();
    expect(await heard()).toEqual(['acme 5 no_meter, to 1', 'acme 5 no_meter, to 1']);
  });

  it('of which nobody knows whether it has arrived is told again under its name', async () => {
    await rig.copy('acme', 'calls', '5');
    await rig.collect();
    rig.stripe.faults.next('POST /v1/billing/meter_events', { kind: 'fails_after' }, 2);
    await rig.newSender().run();
    const die = () =>
      database.query({
        text: `UPDATE usage_messages SET state = 'dead', told_at = NULL, reason_code = 'unknown_fate', reason = 'Nobody knows.' WHERE tenant_id = $1`,
        params: [rig.tenantId],
      });
    await die();
    await tell();
    await resend();
    await die();
    await tell();
    expect(await heard()).toEqual(['acme 5 unknown_fate, to 1', 'acme 5 unknown_fate, to 1']);
  });

  it('is told when it is late for its invoice, and then when it is dead', async () => {
    rig.payers.clear();
    rig.clock.set('2026-03-31T23:30:00Z');
    await rig.copy('acme', 'calls', '7');
    await rig.collect();
    rig.clock.set('2026-04-01T00:44:59Z');
    await tell();
    expect(await heard()).toEqual([]);
    rig.clock.set('2026-04-01T00:45:00Z');
    await rig.newSender().run();
    await tell();
    rig.clock.set('2026-05-06T00:00:00Z');
    await rig.newSender().run();
    await tell();
    await tell();
    expect(await heard()).toEqual(['acme 7 overdue, to 1', 'acme 7 too_old, to 1']);
  });

  it.each([
    // billing period known       told at                 its invoice is that of the counter's month, the 15th, or none
    [null, '2026-03-15T12:45:00Z', ''],
    [['2026-02-15T12:20:00Z', '2026-03-15T12:20:00Z'], '2026-03-15T13:04:59Z', ''],
    [['2026-02-15T12:20:00Z', '2026-03-15T12:20:00Z'], '2026-03-15T13:05:00Z', 'acme 7 overdue, to 1'],
    [['2026-03-15T12:20:00Z', '2026-04-15T12:20:00Z'], '2026-03-15T13:04:59Z', ''], // renewed meanwhile
    [['2026-03-15T12:20:00Z', '2026-04-15T12:20:00Z'], '2026-03-15T13:05:00Z', 'acme 7 overdue, to 1'],
    [['2026-03-01T00:00:00Z', '2026-04-15T00:00:00Z'], '2026-03-16T11:59:59Z', ''],
    [['2026-03-01T00:00:00Z', '2026-04-15T00:00:00Z'], '2026-03-16T12:00:00Z', 'acme 7 overdue, to 1'], // for a day
  ] as const)('with the billing period %s is told by %s: %s', async (period, at, says) => {
    rig.clock.set('2026-03-15T12:00:00Z');
    await rig.copy('acme', 'calls', '7');
    await rig.collect();
    const [start = null, end = null] = period ?? [];
    await database.query({
      text: `INSERT INTO billing_accounts (customer_id, tenant_id, stripe_customer_id, period_start, period_end, updated_at)
        VALUES ($1, $2, $3, $4, $5, '2026-03-01')`,
      params: [rig.customerId('acme'), rig.tenantId, `cus_${rig.tenantId}`, start, end],
    });
    rig.clock.set(at);
    await tell();
    expect((await heard()).join()).toBe(says);
  });

  it('is told, and windows are closed, while Stripe does not answer', async () => {
    const { clock, sdk, payers } = rig;
    const told: string[] = [];
    const reporter = new UsageReporter({
      query: database.query,
      clock,
      stripe: sdk,
      payersOf: async () => payers,
      windowMs: WINDOW_MS,
      tellTroubles: (nowMs) => tellTroubles(database, nowMs),
      onTrouble: ({ kind }) => told.push(kind),
      onReconciled: () => {},
      onError: (error) => told.push(String(error)),
      sender: { streamFrom: Number.POSITIVE_INFINITY },
    });
    clock.set('2026-03-31T23:50:00Z');
    await rig.copy('acme', 'calls', '7');
    const hold = rig.stripe.faults.hold('POST /v1/billing/meter_events');
    const stuck = reporter.run();
    await hold.arrived;
    await rig.copy('acme', 'calls', '9');
    clock.set('2026-04-01T00:50:00Z');
    const next = reporter.run();
    await expect.poll(() => rig.messages()).toEqual(['sent 7', 'waiting 2']);
    await expect.poll(() => told).toEqual(['overdue']);
    hold.release();
    await Promise.all([stuck, next]);
    await reporter.stop();
  });

  it('is told by one of two gateways that look at once', async () => {
    await fail();
    const told = await Promise.all([tell(), tell()]);
    expect(told.flat()).toHaveLength(1);
    expect(await heard()).toEqual(['acme 5 no_meter, to 1']);
  });

  it('stays to be told where the telling is not committed', async () => {
    await fail();
    const broken: Pick<Database, 'db'> = {
      db: Object.assign(Object.create(database.db), {
        transaction: (work: Parameters<typeof database.db.transaction>[0]) =>
          database.db.transaction(async (tx) => {
            await work(tx);
            throw new Error('killed');
          }),
      }),
    };
    await expect(tellTroubles(broken, rig.clock.now())).rejects.toThrow('killed');
    expect(await heard()).toEqual([]);
    await tell();
    expect(await heard()).toEqual(['acme 5 no_meter, to 1']);
  });
});
