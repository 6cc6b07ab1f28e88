/**
 * usage-sender — a gateway that collects and sends until nothing is left, or it is killed: `usage-sender.process.ts <database URL> <port of
 * Stripe> <its key> <tenant id> <epoch milliseconds> <from how many on by the stream>`. Its clock runs faster than others, so that nobody waits long for a retry.
 */
import { setTimeout as untilLater } from 'node:timers/promises';
import Stripe from 'stripe';
import { collect } from '../../server/billing/stripe/usage/collector.ts';
import { nextAttemptMs } from '../../server/billing/stripe/usage/messages.ts';
import { dueRows } from '../../server/billing/stripe/usage/outbox.ts';
import { Sender } from '../../server/billing/stripe/usage/sender.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { customerIdOf } from '../../server/domain/customer.ts';
import type { Payer } from '../../server/domain/usage-report.ts';
import { payerOf, WINDOW_MS } from './usage-rig.ts';

/** Seconds in one. */
const SPEED = 120;
const EVERY_MS = 20;

const [url = '', port = '', apiKey = '', tenantId = '', startMs = '', streamFrom = ''] = process.argv.slice(2);
const database = openPostgres({ url, poolSize: 2, statementTimeoutMs: 10_000 });
const stripe = new Stripe(apiKey, { host: '127.0.0.1', port: Number(port), protocol: 'http', telemetry: false });
const clock = { now: () => Math.floor(Number(startMs) + performance.now() * SPEED) };
const payers = new Map<string, Payer>();
for await (const { id, name } of stripe.customers.list({ limit: 100 })) {
  payers.set(customerIdOf(tenantId, name ?? ''), payerOf(id));
}
const sender = new Sender(
  { query: database.query, clock, stripe, payersOf: async () => payers },
  { streamFrom: Number(streamFrom), perSecond: 250, timeoutMs: 5_000 },
);
const collecting = { query: database.query, clock, windowMs: WINDOW_MS };
for (;;) {
  await collect(collecting);
  const isLeft = (await dueRows(database.query, clock.now(), 1)).length > 0;
  if (!isLeft && (await nextAttemptMs(database.query)) === null) break;
  await sender.run();
  await untilLater(EVERY_MS);
}
await database.close();
