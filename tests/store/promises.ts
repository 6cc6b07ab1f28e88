/** promises — what the tables promise each other, whatever was done: a test breaks none of it. */
import { expect } from 'vitest';
import type { Database } from '../../server/db/client.ts';
import { query } from './rig.ts';

/**
 * Every promise that the tables make to each other, for whatever is in them, or for what mentions one of these ids.
 */
export async function expectConsistent(database: Database, ...ids: readonly string[]): Promise<void> {
  const wrong = await query(database, PROMISES.map(brokenPromise).join(' UNION ALL '));
  expect(wrong.filter(({ of }) => ids.length === 0 || ids.some((id) => String(of).includes(id)))).toEqual([]);
}

const brokenPromise = ([problem, wrong]: Broken): string =>
  `SELECT '${problem}' AS problem, to_json(wrong)::text AS of FROM (${wrong}) wrong`;

/** What is wrong, and the rows of which that is true. */
type Broken = readonly [problem: string, wrong: string];

const OPEN_HOLDS = `
  SELECT customer_id, feature_key, entity_id, period_start, amount, (split->>'credits')::numeric AS credits, (split->>'wallet')::numeric AS wallet,
    (split->>'overage')::numeric AS overage, (split->>'cost')::numeric AS cost, (split->>'walletCharge')::numeric AS wallet_charge
  FROM reservations WHERE state = 'open'`;

const PROMISES: readonly Broken[] = [
  [
    'a counter is not the sum of its events and of what is held',
    `SELECT c.customer_id, c.feature_key, c.period_start, c.used, c.held, c.credits, c.wallet, c.overage, c.cost, c.wallet_charge,
      e.amount AS events, e.credits AS event_credits, e.wallet AS event_wallet, e.overage AS event_overage, e.cost AS event_cost,
      e.wallet_charge AS event_charge, h.amount AS holds
    FROM counters c
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(amount), 0) AS amount, coalesce(sum(credits), 0) AS credits, coalesce(sum(wallet), 0) AS wallet,
        coalesce(sum(overage), 0) AS overage, coalesce(sum(cost), 0) AS cost, coalesce(sum(wallet_charge), 0) AS wallet_charge
      FROM events e WHERE e.customer_id = c.customer_id AND e.feature_key = c.feature_key AND e.period_start = c.period_start) e
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(amount), 0) AS amount, coalesce(sum(credits), 0) AS credits, coalesce(sum(wallet), 0) AS wallet,
        coalesce(sum(overage), 0) AS overage, coalesce(sum(cost), 0) AS cost, coalesce(sum(wallet_charge), 0) AS wallet_charge
      FROM (${OPEN_HOLDS}) h WHERE h.customer_id = c.customer_id AND h.feature_key = c.feature_key AND h.period_start = c.period_start) h
    WHERE c.entity_id = '' AND (c.used, c.held) IS DISTINCT FROM (e.amount, h.amount)
      OR c.entity_id = '' AND (c.credits, c.wallet, c.overage, c.cost, c.wallet_charge) IS DISTINCT FROM
        (e.credits + h.credits, e.wallet + h.wallet, e.overage + h.overage, e.cost + h.cost, e.wallet_charge + h.wallet_charge)`,
  ],
  [
    'an entity’s counter is not the sum of its events and of what it holds',
    `SELECT c.customer_id, c.feature_key, c.entity_id, c.period_start, c.used, c.held FROM counters c
    WHERE c.entity_id <> '' AND (c.used, c.held) IS DISTINCT FROM (
      (SELECT coalesce(sum(amount), 0) FROM events e
        WHERE e.customer_id = c.customer_id AND e.feature_key = c.feature_key AND e.period_start = c.period_start AND e.entity_id = c.entity_id),
      (SELECT coalesce(sum(amount), 0) FROM (${OPEN_HOLDS}) h
        WHERE h.customer_id = c.customer_id AND h.feature_key = c.feature_key AND h.period_start = c.period_start AND h.entity_id = c.entity_id))`,
  ],
  [
    'a part of a counter is below 0, or they are more than the whole',
    `SELECT c.* FROM counters c
    WHERE least(held, credits, wallet, overage, cost, wallet_charge) < 0 OR credits + wallet + overage > greatest(used + held, 0)`,
  ],
  [
    'an event or a hold has no counter',
    `SELECT u.* FROM (SELECT customer_id, feature_key, entity_id, period_start FROM events
      UNION SELECT customer_id, feature_key, entity_id, period_start FROM (${OPEN_HOLDS}) h) u
    WHERE NOT EXISTS (SELECT FROM counters c
      WHERE c.customer_id = u.customer_id AND c.feature_key = u.feature_key AND c.entity_id = u.entity_id AND c.period_start = u.period_start)`,
  ],
  [
    'periods of one meter overlap',
    `SELECT c.customer_id, c.feature_key, c.entity_id, c.period_start, c.period_end, d.period_start AS next_start FROM counters c
    JOIN counters d ON d.customer_id = c.customer_id AND d.feature_key = c.feature_key AND d.entity_id = c.entity_id AND d.period_start > c.period_start
    WHERE c.entity_id = '' AND c.reset = d.reset AND coalesce(c.period_end, 'infinity') > d.period_start`,
  ],
  [
    'an event’s postings are not what it says paid for it',
    `SELECT e.customer_id, e.sequence, e.kind, e.credits, e.wallet_charge, p.* FROM events e
    CROSS JOIN LATERAL (
      SELECT coalesce(sum(amount) FILTER (WHERE commodity = e.feature_key), 0) AS posted_credits,
        coalesce(sum(amount) FILTER (WHERE commodity <> e.feature_key), 0) AS posted_money
      FROM postings p WHERE p.customer_id = e.customer_id AND p.sequence = e.sequence AND account = 'usage') p
    WHERE (e.credits, e.wallet_charge) IS DISTINCT FROM (p.posted_credits, p.posted_money)`,
  ],
  [
    'postings do not sum to zero',
    'SELECT customer_id, sequence, commodity, sum(amount) FROM postings GROUP BY customer_id, sequence, commodity HAVING sum(amount) <> 0',
  ],
  [
    'a grant holds something else than its postings say, or more than was given',
    `SELECT g.customer_id, g.id, g.source, g.state, g.amount, g.remaining, p.posted FROM grants g
    CROSS JOIN LATERAL (SELECT coalesce(sum(amount), 0) AS posted FROM postings p
      WHERE p.customer_id = g.customer_id AND p.grant_id = g.id AND p.account = 'grant') p
    WHERE g.remaining <> p.posted OR g.remaining > g.amount OR (g.state IN ('spent', 'expired', 'voided') AND g.remaining <> 0)`,
  ],
  [
    'a balance of credits is not what live grants hold',
    `SELECT coalesce(b.customer_id, g.customer_id) AS customer_id, coalesce(b.feature_key, g.feature_key) AS feature_key, b.live, g.remaining
    FROM credit_balances b
    FULL JOIN (SELECT customer_id, feature_key, sum(remaining) AS remaining FROM grants WHERE state = 'live' GROUP BY 1, 2) g
      ON g.customer_id = b.customer_id AND g.feature_key = b.feature_key
    WHERE coalesce(b.live, 0) <> coalesce(g.remaining, 0)`,
  ],
  [
    'a wallet’s balance is not the sum of its postings',
    `SELECT coalesce(w.customer_id, p.customer_id) AS customer_id, w.balance, p.posted FROM wallets w
    FULL JOIN (SELECT customer_id, commodity, sum(amount) AS posted FROM postings WHERE account = 'wallet' GROUP BY 1, 2) p
      ON p.customer_id = w.customer_id AND p.commodity = w.currency
    WHERE coalesce(w.balance, 0) <> coalesce(p.posted, 0)`,
  ],
  [
    'what is held is not what open reservations hold',
    `SELECT coalesce(p.customer_id, h.customer_id) AS customer_id, p.posted, h.held FROM (
      SELECT customer_id, commodity, sum(amount) AS posted FROM postings WHERE account = 'held' GROUP BY 1, 2) p
    FULL JOIN (
      SELECT customer_id, commodity, sum(held) AS held FROM (
        SELECT customer_id, feature_key AS commodity, (split->>'credits')::numeric AS held FROM reservations WHERE state = 'open'
        UNION ALL
        SELECT customer_id, split->>'currency', (split->>'walletCharge')::numeric FROM reservations WHERE state = 'open' AND split->>'currency' IS NOT NULL
      ) r GROUP BY 1, 2) h ON h.customer_id = p.customer_id AND h.commodity = p.commodity
    WHERE coalesce(p.posted, 0) <> coalesce(h.held, 0)`,
  ],
  [
    'a customer is not due when something of it is',
    `SELECT c.id, c.due_at, d.due_at AS first FROM customers c
    CROSS JOIN LATERAL (SELECT least(
      (SELECT min(expires_at) FROM reservations r WHERE r.customer_id = c.id AND r.state = 'open'),
      (SELECT min(due_at) FROM grants g WHERE g.customer_id = c.id),
      (SELECT min(period_end) FROM counters n WHERE n.customer_id = c.id AND n.closed_at IS NULL)) AS due_at) d
    WHERE d.due_at < coalesce(c.due_at, 'infinity')`,
  ],
  [
    'a customer’s events do not take every sequence',
    `SELECT c.id, c.sequence, e.* FROM customers c
    CROSS JOIN LATERAL (SELECT count(*) AS events, coalesce(max(sequence), 0) AS last FROM events e WHERE e.customer_id = c.id) e
    WHERE e.last > c.sequence OR (e.events <> c.sequence AND NOT c.prepaid AND c.limits_sequence = 0
      AND NOT EXISTS (SELECT FROM reservations r WHERE r.customer_id = c.id))`,
  ],
  [
    'rollups are not the sum of events',
    `SELECT coalesce(r.customer_id, e.customer_id) AS customer_id, coalesce(r.feature_key, e.feature_key) AS feature_key, r.*, e.*
    FROM (SELECT customer_id, feature_key, sum(events) AS events, sum(amount) AS amount, sum(cost) AS cost, sum(credits) AS credits FROM rollups GROUP BY 1, 2) r
    FULL JOIN (SELECT customer_id, feature_key, count(*) AS events, sum(amount) AS amount, sum(cost) AS cost, sum(credits) AS credits FROM events
      WHERE kind NOT IN ('carry', 'reset') GROUP BY 1, 2) e ON e.customer_id = r.customer_id AND e.feature_key = r.feature_key
    WHERE (r.events, r.amount, r.cost, r.credits) IS DISTINCT FROM (e.events, e.amount, e.cost, e.credits)`,
  ],
  [
    'a tenant’s alerts do not take every sequence',
    `SELECT t.id, t.alert_sequence, a.* FROM tenants t
    CROSS JOIN LATERAL (SELECT count(*) AS alerts, count(DISTINCT sequence) AS sequences, coalesce(max(sequence), 0) AS last FROM alerts a WHERE a.tenant_id = t.id) a
    WHERE t.alert_sequence <> a.last OR a.alerts <> a.last OR a.sequences <> a.last`,
  ],
  [
    'an alert is not known to its counter',
    `SELECT a.customer_id, a.threshold_key FROM alerts a
    WHERE a.threshold_key NOT LIKE '%#%' AND NOT EXISTS (SELECT FROM counters c WHERE c.customer_id = a.customer_id AND c.feature_key = a.feature_key
      AND c.period_start = a.period_start AND a.threshold_key = ANY (c.raised))`,
  ],
  [
    'an idempotency key was counted twice',
    `SELECT customer_id, idempotency_key FROM events e
    WHERE e.idempotency_key IS NOT NULL GROUP BY e.customer_id, e.idempotency_key HAVING count(*) > 1`,
  ],
  [
    'a recorded key has no answer',
    `SELECT e.customer_id, e.idempotency_key FROM events e WHERE e.idempotency_key IS NOT NULL
      AND NOT EXISTS (SELECT FROM answers a WHERE a.customer_id = e.customer_id AND a.idempotency_key = e.idempotency_key)`,
  ],
];
