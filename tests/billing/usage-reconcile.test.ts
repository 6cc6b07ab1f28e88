/**
 * Goal: between the ledger and Stripe's sums every difference has a name, and names add up to it. Method: one counter
 * after the other is brought into a state that is known to differ, on both databases; then the table.
 */
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { isSound } from '../../server/billing/stripe/usage/differences.ts';
import { Meters } from '../../server/billing/stripe/usage/meters.ts';
import { type Reconciled, reconcile } from '../../server/billing/stripe/usage/reconcile.ts';
import { UsageReporter } from '../../server/billing/stripe/usage/reporter.ts';
import { tellTroubles } from '../../server/billing/stripe/usage/troubles.ts';
import { dropOldMessages } from '../../server/billing/stripe/usage/upkeep.ts';
import type { Database } from '../../server/db/client.ts';
import { formatUnits } from '../../server/domain/units.ts';
import { describeEngines } from '../support/engines.ts';
import { openStripe, type StripeRig } from '../support/stripe/rig.ts';
import { openUsage, type UsageRig, WINDOW_MS } from './usage-rig.ts';

const SENDS = 'POST /v1/billing/meter_events';

describeEngines('reconciling', (engine) => {
  let database: Database;
  let stripeRig: StripeRig;
  let rig: UsageRig;
  beforeAll(async () => {
    database = await engine.open();
    stripeRig = await openStripe();
  });
  beforeEach(async () => {
    stripeRig.clock.set('2026-03-15T12:00:00Z');
    for (const table of ['usage_messages', 'usage_outbox', 'daily_runs'])
      await database.query({ text: `DELETE FROM ${table}`, params: [] });
    rig = await openUsage(database, { stripeRig });
    unread = [];
  });

  /** Of those that could not be read, why. */
  let unread: unknown[];

  async function table(endedAfterMs = rig.clock.now()): Promise<readonly string[]> {
    const { tenantId, clock, payers, sdk } = rig;
    const onUnread = (error: unknown) => void unread.push(error);
    const deps = { query: database.query, clock, payersOf: async () => payers, meters: new Meters(sdk), onUnread };
    const lines: string[] = [];
    for await (const row of reconcile(deps, { tenantId, endedAfterMs })) {
      const sum = [...row.differences.values()].reduce((total, units) => total + units, 0n);
      expect(sum).toBe(row.overage - (row.counted ?? 0n)); // whatever the names are
      lines.push(spell(row));
    }
    return lines;
  }

  const tell = async (overage: string): Promise<void> => {
    await rig.copy('acme', 'calls', overage);
    await rig.collect();
  };
  /** Stripe has counted what it has accepted. */
  const settled = (): void => {
    rig.stripe.settle();
    rig.clock.advance(15 * 60_000);
  };

  it('finds nothing where all has arrived', async () => {
    await tell('7');
    await rig.sendAll();
    settled();
    expect(await table()).toEqual(['7, 7 at Stripe: sound']);
  });

  it('names what is on its way, step by step', async () => {
    await rig.copy('acme', 'calls', '7.5');
    expect(await table()).toEqual(['7.5, 0 at Stripe: open_window 7.5, sound']);
    await rig.collect();
    expect(await table()).toEqual(['7.5, 0 at Stripe: fraction 0.5, waiting 7, sound']);
    rig.stripe.faults.next(SENDS, { kind: 'fails_after' });
    await rig.newSender().run();
    rig.stripe.settle();
    expect(await table()).toEqual(['7.5, 7 at Stripe: fraction 0.5, waiting 7, in_flight -7, sound']);
    await rig.sendAll();
    expect(await table()).toEqual(['7.5, 7 at Stripe: fraction 0.5, sound']);
    await tell('9');
    await rig.sendAll();
    expect(await table()).toEqual(['9, 7 at Stripe: settling 2, sound']);
  });

  it('names what nobody brings there any more', async () => {
    await rig.copy('acme', 'tokens', '5'); // which Stripe has no meter for
    await rig.collect();
    await rig.sendAll();
    expect(await table()).toEqual(['5, null at Stripe: dead 5, troubled']);
    rig.payers.clear();
    await tell('7');
    expect(await table()).toEqual(['7, null at Stripe: waiting 7, sound', '5, null at Stripe: dead 5, troubled']);
  });

  it('names a customer that Stripe has deleted, and goes on', async () => {
    await tell('7');
    await rig.sendAll();
    const payer = rig.payers.get(rig.customerId('acme'));
    await rig.sdk.customers.del(payer?.stripeCustomerId ?? '');
    expect(await table()).toEqual(['7, null at Stripe: deleted_customer 7, troubled']);
  });

  it('names a counter whose payer is nobody here any more, and goes on', async () => {
    await tell('7');
    await rig.sendAll();
    rig.payers.clear();
    expect(await table()).toEqual(['7, null at Stripe: no_customer 7, troubled']);
  });

  it('names what was moved by a gateway that bills nobody, and does not go by itself once its period is closed', async () => {
    await tell('7');
    await rig.sendAll();
    settled();
    const counter = (closedAt: string | null) =>
      database.query({
        text: `INSERT INTO counters (customer_id, feature_key, period_start, period_end, tenant_id, reset, raised, overage, used, sequence, closed_at)
          VALUES ($1, 'calls', '2026-03-01T00:00:00Z', '2026-04-01T00:00:00Z', $2, 'monthly', '{}', 4, 4, 1, $3)
          ON CONFLICT (customer_id, feature_key, entity_id, period_start) DO UPDATE SET closed_at = excluded.closed_at`,
        params: [rig.customerId('acme'), rig.tenantId, closedAt],
      });
    await counter(null);
    expect(await table()).toEqual(['4, 7 at Stripe: not_copied -3, sound']);
    await counter('2026-04-01T00:00:00Z');
    expect(await table()).toEqual(['4, 7 at Stripe: never_copied -3, troubled']);
  });

  it('names what Stripe could not be asked of, and compares the others', async () => {
    await tell('7');
    await rig.sendAll();
    await rig.copy('acme', 'calls', '3', { start: '2026-02-01T00:00:00Z', end: '2026-03-01T00:00:00Z' });
    await rig.collect();
    await rig.sendAll();
    settled();
    const february = String(Date.parse('2026-02-01T00:00:00Z') / 1_000);
    const isFebruary = (params: unknown) => String((params as Record<string, unknown>).start_time) === february;
    rig.stripe.faults.choose(({ operation, params }) =>
      operation.endsWith('/event_summaries') && isFebruary(params) ? { kind: 'fails_before' } : undefined,
    );
    expect(await table(0)).toEqual(['3, null at Stripe: unread 3, troubled', '7, 7 at Stripe: sound']);
    expect(unread).toHaveLength(1);
    rig.stripe.faults.clear();
    expect(await table(0)).toEqual(['3, 3 at Stripe: sound', '7, 7 at Stripe: sound']);
  });

  it('names what Stripe has not, and what only Stripe has', async () => {
    await tell('7');
    await rig.sendAll();
    const [letter] = rig.stripe.requests.filter(({ operation }) => operation === SENDS).slice(-1);
    const { event_name, payload, identifier, timestamp } = letter?.params ?? {};
    await rig.sdk.billing.meterEventAdjustments.create({
      event_name: String(event_name),
      type: 'cancel',
      cancel: { identifier: String(identifier) },
    });
    settled();
    expect(await table()).toEqual(['7, 0 at Stripe: missing_at_stripe 7, troubled']);
    await rig.sdk.billing.meterEvents.create({
      event_name: String(event_name),
      timestamp: Number(timestamp),
      payload: { ...(payload as Record<string, string>), value: '20' },
    });
    settled();
    expect(await table()).toEqual(['7, 20 at Stripe: unknown_at_stripe -13, troubled']);
  });

  it('names what counts on the next invoice, in both periods', async () => {
    await tell('7');
    await rig.sendAll();
    const id = rig.customerId('acme');
    const payer = rig.payers.get(id);
    rig.clock.set('2026-04-01T03:00:00Z');
    if (payer) rig.payers.set(id, { ...payer, billedFromMs: Date.parse('2026-04-01T00:00:00Z') });
    await tell('9');
    await rig.copy('acme', 'calls', '1', { start: '2026-04-01T00:00:00Z', end: '2026-05-01T00:00:00Z' });
    await rig.collect();
    await rig.sendAll();
    settled();
    expect(await table(0)).toEqual(['9, 7 at Stripe: elsewhere 2, sound', '1, 3 at Stripe: elsewhere -2, sound']);
  });

  it('is done once a day by one of all gateways, however often they start, beside closing windows, sending, and telling of trouble', async () => {
    const told: string[] = [];
    const start = () =>
      new UsageReporter({
        query: database.query,
        clock: rig.clock,
        stripe: rig.sdk,
        payersOf: async () => rig.payers,
        windowMs: WINDOW_MS,
        tellTroubles: (nowMs) => tellTroubles(database, nowMs),
        onTrouble: ({ kind, code }) => told.push(`${kind} ${code}`),
        onReconciled: (rows, troubled) => told.push(`${rows} compared, ${troubled.length} troubled`),
        onError: (error) => told.push(String(error)),
      });
    const first = start();
    await rig.copy('acme', 'calls', '7');
    await rig.copy('acme', 'tokens', '5');
    await first.run();
    expect(await rig.messages()).toEqual(['delivered 7', 'dead 5 no_meter']);
    expect(told).toEqual(['dead no_meter']);
    await first.stop();
    rig.stripe.settle();
    rig.clock.advance(24 * 3_600_000);
    const [second, third] = [start(), start()];
    await Promise.all([second.run(), third.run()]);
    await Promise.all([second.whenCompared(), third.whenCompared()]);
    expect(told).toEqual(['dead no_meter', '2 compared, 1 troubled']);
    rig.clock.advance(3_600_000);
    await third.run();
    await third.whenCompared();
    expect(told).toHaveLength(2);
    await Promise.all([second.stop(), third.stop()]);
  });

  it('is begun again within the hour where it could not be ended', async () => {
    const told: string[] = [];
    let fails = true;
    const reporter = new UsageReporter({
      query: database.query,
      clock: rig.clock,
      stripe: rig.sdk,
      payersOf: async () => {
        if (fails) throw new Error('the database is away');
        return rig.payers;
      },
      windowMs: WINDOW_MS,
      tellTroubles: async () => [],
      onTrouble: () => {},
      onReconciled: (rows) => told.push(`${rows} compared`),
      onError: (error) => told.push(String(error)),
    });
    await rig.copy('acme', 'calls', '7', { start: '2026-03-01T00:00:00Z', end: null });
    await database.query({ text: 'DELETE FROM daily_runs', params: [] });
    await database.query({ text: 'UPDATE usage_outbox SET due_at = NULL', params: [] });
    await reporter.run();
    rig.clock.advance(24 * 3_600_000);
    await reporter.run();
    await reporter.whenCompared();
    expect(told).toEqual(['Error: the database is away']);
    fails = false;
    rig.clock.advance(3_600_000);
    await reporter.run();
    await reporter.whenCompared();
    expect(told).toEqual(['Error: the database is away', '1 compared']);
    await reporter.stop();
  });

  it('drops messages that nobody compares any more, and tells corrections still as the difference', async () => {
    await tell('7');
    await rig.copy('acme', 'calls', '2', { start: '2026-01-01T00:00:00Z', end: null });
    await rig.collect();
    await rig.sendAll();
    rig.clock.set('2026-06-09T00:00:00Z');
    expect(await dropOldMessages(database.query, rig.clock.now())).toBe(0);
    rig.clock.set('2026-06-11T00:00:00Z');
    expect(await dropOldMessages(database.query, rig.clock.now())).toBe(1); // a counter that never ends keeps its own
    await rig.copy('acme', 'calls', '9');
    await rig.collect();
    expect(await rig.messages()).toEqual(['delivered 2', 'waiting 2']);
  });
});

function spell(row: Reconciled): string {
  const named = [...row.differences].map(([name, units]) => `${name} ${formatUnits(units)}`);
  const counted = row.counted === null ? 'null' : formatUnits(row.counted);
  return `${formatUnits(row.overage)}, ${counted} at Stripe: ${[...named, isSound(row) ? 'sound' : 'troubled'].join(', ')}`;
}
