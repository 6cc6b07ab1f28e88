ALTER TABLE "counters" ADD COLUMN "currency" text;--> statement-breakpoint
CREATE INDEX "counters_closed" ON "counters" USING btree ("customer_id","period_end","feature_key") WHERE "counters"."closed_at" IS NOT NULL AND "counters"."entity_id" = '';--> statement-breakpoint
-- By hand from here on: what counters have cost so far is in the currency of the last event that cost anything.
UPDATE "counters" c SET "currency" = e.currency
FROM (
  SELECT DISTINCT ON (customer_id, feature_key, period_start) customer_id, feature_key, period_start, currency FROM "events"
  WHERE currency IS NOT NULL AND (cost <> 0 OR wallet_charge <> 0)
  ORDER BY customer_id, feature_key, period_start, sequence DESC
) e
WHERE (c.cost <> 0 OR c.wallet_charge <> 0) AND c.entity_id = ''
  AND c.customer_id = e.customer_id AND c.feature_key = e.feature_key AND c.period_start = e.period_start;
--> statement-breakpoint
-- Where only holds have cost anything, in theirs.
UPDATE "counters" c SET "currency" = h.currency
FROM (
  SELECT DISTINCT ON (customer_id, feature_key, period_start) customer_id, feature_key, period_start, split->>'currency' AS currency FROM "reservations"
  WHERE split->>'currency' IS NOT NULL ORDER BY customer_id, feature_key, period_start, sequence DESC
) h
WHERE (c.cost <> 0 OR c.wallet_charge <> 0) AND c.entity_id = '' AND c.currency IS NULL
  AND c.customer_id = h.customer_id AND c.feature_key = h.feature_key AND c.period_start = h.period_start;
--> statement-breakpoint
-- Where events are gone, in the only currency that the customer ever spent.
UPDATE "counters" c SET "currency" = w.currency
FROM (SELECT customer_id, min(currency) AS currency FROM "wallets" GROUP BY customer_id HAVING count(*) = 1) w
WHERE (c.cost <> 0 OR c.wallet_charge <> 0) AND c.entity_id = '' AND c.currency IS NULL AND c.customer_id = w.customer_id;
