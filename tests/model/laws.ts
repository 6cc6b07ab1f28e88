/** laws — what the tables promise each other whatever happened: nothing prepaid appears from nowhere or is lost. */
import type { Database } from '../../server/db/client.ts';

/** Each law selects what breaks it, of the customers in `$1`. */
const LAWS: Readonly<Record<string, string>> = {
  'the postings of an entry sum to zero': `
    SELECT customer_id::text || ' ' || sequence || ' ' || commodity || ' ' || sum(amount) AS what FROM postings
    WHERE customer_id = ANY ($1::uuid[]) GROUP BY customer_id, sequence, commodity HAVING sum(amount) <> 0`,
  'what is left of a grant is what was posted to it': `
    SELECT g.id::text || ' has ' || g.remaining || ', posted ' || coalesce(p.amount, 0) AS what FROM grants g
    LEFT JOIN LATERAL (SELECT sum(amount) AS amount FROM postings p
      WHERE p.customer_id = g.customer_id AND p.grant_id = g.id AND p.account = 'grant') p ON true
    WHERE g.customer_id = ANY ($1::uuid[]) AND g.remaining <> coalesce(p.amount, 0)`,
  'live credits are what live grants have left': `
    SELECT b.feature_key || ' has ' || b.live || ', grants ' || coalesce(g.remaining, 0) AS what FROM credit_balances b
    LEFT JOIN LATERAL (SELECT sum(remaining) AS remaining FROM grants g
      WHERE g.customer_id = b.customer_id AND g.feature_key = b.feature_key AND g.state = 'live') g ON true
    WHERE b.customer_id = ANY ($1::uuid[]) AND b.live <> coalesce(g.remaining, 0)`,
  'a wallet is what was posted to it': `
    SELECT w.currency || ' has ' || coalesce(w.balance, 0) || ', posted ' || coalesce(p.amount, 0) AS what FROM wallets w
    LEFT JOIN LATERAL (SELECT sum(amount) AS amount FROM postings p
      WHERE p.customer_id = w.customer_id AND p.commodity = w.currency AND p.account = 'wallet') p ON true
    WHERE w.customer_id = ANY ($1::uuid[]) AND coalesce(w.balance, 0) <> coalesce(p.amount, 0)`,
  'a counter is the sum of its events': `
    SELECT c.feature_key || ' ' || c.period_start || ' has ' || c.used || ', events ' || coalesce(e.amount, 0) AS what
    FROM counters c LEFT JOIN LATERAL (SELECT sum(amount) AS amount FROM events e
      WHERE e.customer_id = c.customer_id AND e.feature_key = c.feature_key AND e.period_start = c.period_start
        AND (c.entity_id = '' OR e.entity_id = c.entity_id)) e ON true
    WHERE c.customer_id = ANY ($1::uuid[]) AND c.used <> coalesce(e.amount, 0)`,
  'a counter holds what its open reservations hold': `
    SELECT c.feature_key || ' ' || c.period_start || ' holds ' || c.held || ', reserved ' || coalesce(r.amount, 0) AS what
    FROM counters c LEFT JOIN LATERAL (SELECT sum(amount) AS amount FROM reservations r
      WHERE r.customer_id = c.customer_id AND r.feature_key = c.feature_key AND r.period_start = c.period_start
        AND r.state = 'open' AND (c.entity_id = '' OR r.entity_id = c.entity_id)) r ON true
    WHERE c.customer_id = ANY ($1::uuid[]) AND c.held <> coalesce(r.amount, 0)`,
  'what paid for a counter is what paid for its events and reservations': `
    SELECT c.feature_key || ' ' || c.period_start AS what FROM counters c
    LEFT JOIN LATERAL (SELECT sum(credits) AS credits, sum(wallet) AS wallet, sum(overage) AS overage, sum(cost) AS cost,
        sum(wallet_charge) AS charge FROM events e
      WHERE e.customer_id = c.customer_id AND e.feature_key = c.feature_key AND e.period_start = c.period_start) e ON true
    LEFT JOIN LATERAL (SELECT sum((split->>'credits')::numeric) AS credits, sum((split->>'wallet')::numeric) AS wallet,
        sum((split->>'overage')::numeric) AS overage, sum((split->>'cost')::numeric) AS cost,
        sum((split->>'walletCharge')::numeric) AS charge FROM reservations r
      WHERE r.customer_id = c.customer_id AND r.feature_key = c.feature_key AND r.period_start = c.period_start
        AND r.state = 'open') r ON true
    WHERE c.customer_id = ANY ($1::uuid[]) AND c.entity_id = ''
      AND (c.credits, c.wallet, c.overage, c.cost, c.wallet_charge) IS DISTINCT FROM
        (coalesce(e.credits, 0) + coalesce(r.credits, 0), coalesce(e.wallet, 0) + coalesce(r.wallet, 0),
         coalesce(e.overage, 0) + coalesce(r.overage, 0), coalesce(e.cost, 0) + coalesce(r.cost, 0),
         coalesce(e.charge, 0) + coalesce(r.charge, 0))`,
  'no part of a counter is more than the whole': `
    SELECT c.feature_key || ' ' || c.period_start AS what FROM counters c
    WHERE c.customer_id = ANY ($1::uuid[]) AND c.used >= 0 AND c.credits + c.wallet + c.overage > c.used + c.held`,
};

/** The laws that are broken for these customers, each with its first few cases; empty when all hold. */
export async function brokenLaws(database: Database, customerIds: readonly string[]): Promise<string[]> {
  const text = Object.values(LAWS)
    .map((law, i) => `SELECT ${i} AS law, what FROM (${law}) AS broken_${i}`)
    .join(' UNION ALL ');
  const ids = `{${customerIds.join(',')}}`;
  const rows = await database.query<{ law: number; what: string }>({ text, params: [ids] });
  const names = Object.keys(LAWS);
  return rows.slice(0, 5).map(({ law, what }) => `broken law: ${names[law]} (${what})`);
}
