/** usage-rig — counters to be told of, a fake Stripe that knows their customers and meters, and what brings one to the other. */
import { randomUUID } from 'node:crypto';
import type Stripe from 'stripe';
import { meterEventName } from '../../server/billing/stripe/names.ts';
import { collect } from '../../server/billing/stripe/usage/collector.ts';
import { nextAttemptMs } from '../../server/billing/stripe/usage/messages.ts';
import { Sender, type SenderDeps, type SenderOptions } from '../../server/billing/stripe/usage/sender.ts';
import type { Database } from '../../server/db/client.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import { formatUnits, unitsOf } from '../../server/domain/units.ts';
import type { Payer } from '../../server/domain/usage-report.ts';
import type { ManualClock } from '../support/clock.ts';
import type { FakeStripe } from '../support/stripe/index.ts';
import { openStripe, type StripeRig } from '../support/stripe/rig.ts';

export const WINDOW_MS = 15 * 60_000;
const PERIOD = { start: '2026-03-01T00:00:00Z', end: '2026-04-01T00:00:00Z' };

/** By one long period, so that nothing hangs on its ends. */
export const payerOf = (stripeCustomerId: string): Payer => ({
  stripeCustomerId,
  stripeAccount: null,
  billedFromMs: Date.parse('2026-01-01T00:00:00Z'),
  billedUntilMs: Date.parse('2027-01-01T00:00:00Z'),
  isFirstPeriod: false,
  endedAtMs: null,
});

export type UsageRig = {
  readonly database: Database;
  readonly stripe: FakeStripe;
  readonly sdk: Stripe;
  readonly clock: ManualClock;
  readonly tenantId: string;
  /** By customer id; whoever is taken out, Stripe does not know. */
  readonly payers: Map<string, Payer>;
  customerId(referenceId: string): string;
  /** A counter's overage from now on, as the engine copies it. */
  copy(
    referenceId: string,
    featureKey: string,
    overage: string,
    period?: { start: string; end: string | null },
  ): Promise<void>;
  /** What has changed becomes messages, window by window. */
  collect(): Promise<number>;
  newSender(options?: Partial<SenderOptions>, onPaused?: SenderDeps['onPaused']): Sender;
  /** Sends, and lets time pass while something waits, for so long at most. @returns whether all has arrived, or is dead. */
  sendAll(sender?: Sender, forMs?: number): Promise<boolean>;
  /** `state quantity code` of each message, in order. */
  messages(): Promise<readonly string[]>;
  /** What Stripe counts. */
  counted(featureKey: string, referenceId?: string): string;
};

export type UsageOptions = {
  readonly customers?: readonly string[];
  readonly features?: readonly string[];
  /** One that tests share; left out, one of its own. */
  readonly stripeRig?: StripeRig;
};

/** A tenant with meters for these features, and a customer of Stripe for each of its own. */
export async function openUsage(
  database: Database,
  { customers = ['acme'], features = ['calls'], stripeRig }: UsageOptions = {},
): Promise<UsageRig> {
  const { stripe, sdk, clock } = stripeRig ?? (await openStripe());
  const tenantId = randomUUID();
  const payers = new Map<string, Payer>();
  const customerId = (referenceId: string): string => customerIdOf(tenantId, referenceId);
  await database.query({
    text: `WITH tenant AS (INSERT INTO tenants (id, name, mode) VALUES ($1, 'Acme', 'test'))
      INSERT INTO customers (id, tenant_id, reference_id, reference_type, time_zone, anchor_at, created_at)
      SELECT v.id::uuid, $1::uuid, v.reference_id, 'user', 'UTC', '2026-01-01', '2026-01-01' FROM unnest($2::text[], $3::text[]) AS v (id, reference_id)`,
    params: [tenantId, customers.map(customerId), customers],
  });
  for (const featureKey of features) {
    await sdk.billing.meters.create({
      display_name: featureKey,
      event_name: meterEventName(tenantId, featureKey),
      default_aggregation: { formula: 'sum' },
    });
  }
  for (const referenceId of customers) {
    const { id } = await sdk.customers.create({ name: referenceId });
    payers.set(customerId(referenceId), payerOf(id));
  }
  const newSender: UsageRig['newSender'] = (options = {}, onPaused = () => {}) =>
    new Sender(
      {
        query: database.query,
        clock,
        stripe: sdk,
        payersOf: async () => payers,
        random: () => 0.5,
        onPaused,
      },
      { streamFrom: Number.POSITIVE_INFINITY, ...options },
    );
  const rig: UsageRig = {
    database,
    stripe,
    sdk,
    clock,
    tenantId,
    payers,
    customerId,
    async copy(referenceId, featureKey, overage, { start, end } = PERIOD) {
      await database.query({
        text: `INSERT INTO usage_outbox (customer_id, feature_key, period_start, period_end, tenant_id, overage, changed_at, due_at)
          VALUES ($1, $2, $3, $4, $5, $6::numeric, $7, $7)
          ON CONFLICT (customer_id, feature_key, period_start) DO UPDATE SET overage = excluded.overage, changed_at = excluded.changed_at,
            due_at = excluded.due_at, moves = usage_outbox.moves + 1`,
        params: [
          customerId(referenceId),
          featureKey,
          start,
          end,
          tenantId,
          overage,
          new Date(clock.now()).toISOString(),
        ],
      });
    },
    collect: () => collect({ query: database.query, clock, windowMs: WINDOW_MS }),
    newSender,
    async sendAll(sender = newSender(), forMs = 3_600_000) {
      const untilMs = clock.now() + forMs;
      for (;;) {
        await sender.run();
        const nextMs = await nextAttemptMs(database.query);
        if (nextMs === null) return true;
        if (nextMs > untilMs) return false;
        clock.set(Math.max(nextMs, clock.now() + 1));
      }
    },
    async messages() {
      const rows = await database.query({
        text: `SELECT state, quantity::text AS quantity, reason_code FROM usage_messages WHERE tenant_id = $1
          ORDER BY customer_id, feature_key, period_start, number`,
        params: [tenantId],
      });
      return rows.map(({ state, quantity, reason_code }) =>
        [state, formatUnits(unitsOf(String(quantity))), reason_code ?? ''].join(' ').trim(),
      );
    },
    counted(featureKey, referenceId) {
      stripe.settle();
      const customer = referenceId && payers.get(customerId(referenceId))?.stripeCustomerId;
      const eventName = meterEventName(tenantId, featureKey);
      return stripe.usageOf({ eventName, ...(customer && { customer }) }).toString();
    },
  };
  return rig;
}
