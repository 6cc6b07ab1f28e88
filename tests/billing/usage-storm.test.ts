/**
 * Goal: after a storm the sum at Stripe is the ledger's, to the unit: nothing double, nothing lost. Method: 10,000 counters,
 * two gateways at once as processes of their own that collect and send, one of which sends by the stream, and one after the other of which is killed
 * between sending and marking, and a Stripe that loses answers, fails and refuses by chance.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { meterEventName } from '../../server/billing/stripe/names.ts';
import { openPostgres } from '../../server/db/postgres.ts';
import { seededRandom } from '../../server/demo/random.ts';
import { migrated } from '../support/engines.ts';
import { createDatabase, describePostgres } from '../support/postgres.ts';
import type { Fault } from '../support/stripe/faults.ts';
import { Hold } from '../support/stripe/faults.ts';
import { openUsage, type UsageRig } from './usage-rig.ts';

const CHILD = fileURLToPath(new URL('./usage-sender.process.ts', import.meta.url));
const SENDS = /meter_event/;
const CUSTOMERS = Array.from({ length: 200 }, (_, i) => `customer-${i}`);
const FEATURES = ['calls', 'tokens', 'seats', 'storage', 'jobs'];
const DAYS = 10;
const MESSAGES = CUSTOMERS.length * FEATURES.length * DAYS;
const DAY_MS = 24 * 3_600_000;
const FIRST_DAY_MS = Date.parse('2026-03-01T00:00:00Z');
/** Requests after which one of the gateways is killed. */
const KILLS = [30, 60, 90];
/** One gateway sends one by one alone, the next by the stream where there are many. */
const STREAM_FROM = ['Infinity', '100'];
const LEASE_MS = 3 * 60_000;

/** What of 100 requests goes wrong. */
const WRONG: readonly (readonly [number, Fault])[] = [
  [3, { kind: 'rate_limited' }],
  [4, { kind: 'rate_limited', retryAfterSeconds: 1 }],
  [7, { kind: 'fails_before' }],
  [11, { kind: 'fails_after' }],
  [13, { kind: 'cut_before' }],
  [16, { kind: 'cut_after' }],
  [18, { kind: 'lock_timeout' }],
];

describePostgres('a storm', () => {
  it(`of ${MESSAGES} messages leaves Stripe with what the ledger has`, { timeout: 120_000 }, async () => {
    await using server = await createDatabase({ template: migrated });
    const database = openPostgres({ url: server.url, poolSize: 4, statementTimeoutMs: 20_000 });
    const rig = await openUsage(database, { customers: CUSTOMERS, features: FEATURES });
    await fill(rig);
    const nextKill = goWrong(rig);
    let started = 0;
    const start = (afterMs: number) => startGateway(rig, server.url, afterMs, STREAM_FROM[started++ % 2]);
    let [dying, staying] = [start(0), start(0)];
    for (let kills = 1; kills <= KILLS.length; kills += 1) {
      const hold = nextKill();
      await Promise.race([hold.arrived, Promise.all([dying, staying].map(ended))]);
      await kill(dying); // whichever of them has sent what is held: the other one hears of it, or does not
      if (kills === KILLS.length) await kill(staying);
      hold.release();
      dying = staying;
      staying = start(kills * (LEASE_MS + 1_000));
    }
    const last = start((KILLS.length + 1) * (LEASE_MS + 1_000));
    await Promise.all([last, staying].map(ended));
    const [ledger] = await database.query({
      text: `SELECT sum(reported)::text AS reported, sum(messages)::integer AS messages FROM usage_outbox`,
      params: [],
    });
    const states = await database.query({
      text: `SELECT state, count(*)::integer AS count FROM usage_messages GROUP BY state`,
      params: [],
    });
    expect(states).toEqual([{ state: 'delivered', count: MESSAGES }]);
    expect(ledger?.messages).toBe(MESSAGES);
    rig.stripe.settle();
    const { events } = rig.stripe.account().usage;
    expect(new Set(events.map(({ identifier }) => identifier)).size).toBe(events.length);
    expect(events.length).toBe(MESSAGES);
    const sum = FEATURES.reduce(
      (total, key) => total + rig.stripe.usageOf({ eventName: meterEventName(rig.tenantId, key) }),
      0n,
    );
    expect(`${sum}.000000000`).toBe(ledger?.reported);
    const wrong = rig.stripe.requests.filter(({ operation, fault }) => SENDS.test(operation) && fault);
    expect(wrong.length).toBeGreaterThan(20);
    await database.close();
  });
});

/** Each counter of each day, for the gateways to collect. */
async function fill(rig: UsageRig): Promise<void> {
  const random = seededRandom(7);
  for (let day = 0; day < DAYS; day += 1) {
    const amounts = CUSTOMERS.flatMap((name) =>
      FEATURES.map((key) => [rig.customerId(name), key, amountOf(random)] as const),
    );
    await rig.database.query({
      text: `INSERT INTO usage_outbox (customer_id, feature_key, period_start, period_end, tenant_id, overage, changed_at, due_at)
        SELECT v.customer_id::uuid, v.feature_key, $6, $6::timestamptz + interval '1 day', $1, v.amount::numeric, $6, $2
        FROM unnest($3::text[], $4::text[], $5::text[]) AS v (customer_id, feature_key, amount)`,
      params: [
        rig.tenantId,
        new Date(rig.clock.now()).toISOString(),
        amounts.map(([customerId]) => customerId),
        amounts.map(([, key]) => key),
        amounts.map(([, , amount]) => amount),
        new Date(FIRST_DAY_MS + day * DAY_MS).toISOString(),
      ],
    });
  }
}

const amountOf = (random: () => number): string => String(1 + Math.floor(random() * 50));

/** @returns what gives the hold of the next request at which to kill. */
function goWrong({ stripe }: UsageRig): () => Hold {
  const random = seededRandom(11);
  const holds = KILLS.map(() => new Hold());
  let requests = 0;
  stripe.faults.choose(({ operation }) => {
    if (!SENDS.test(operation)) return undefined;
    requests += 1;
    const hold = holds[KILLS.indexOf(requests)];
    if (hold) return { kind: 'held_after', hold };
    const roll = random() * 100;
    return WRONG.find(([below]) => roll < below)?.[1];
  });
  let next = 0;
  return () => {
    const hold = holds[next];
    next += 1;
    if (!hold) throw new Error('there are no more');
    return hold;
  };
}

function startGateway(
  { stripe, tenantId, clock }: UsageRig,
  url: string,
  afterMs: number,
  streamFrom = '',
): ChildProcess {
  const args = [url, String(stripe.port), stripe.apiKey, tenantId, String(clock.now() + afterMs), streamFrom];
  return spawn(process.execPath, ['--import', 'tsx', CHILD, ...args], { stdio: ['ignore', 'inherit', 'inherit'] });
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGKILL');
  await closed;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null) await once(child, 'close');
  expect(child.exitCode).toBe(0);
}
