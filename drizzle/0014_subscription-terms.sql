ALTER TABLE "billing_accounts" ADD COLUMN "followed" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "billing_accounts" ADD COLUMN "interval" text;--> statement-breakpoint
ALTER TABLE "billing_accounts" ADD COLUMN "currency" text;--> statement-breakpoint
ALTER TABLE "billing_accounts" ADD COLUMN "grace_ends_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "customers" ADD COLUMN "anchor_time_zone" text;--> statement-breakpoint
CREATE INDEX "billing_accounts_not_followed" ON "billing_accounts" USING btree ("tenant_id") WHERE NOT "billing_accounts"."followed";
--> statement-breakpoint
-- By hand: whoever follows a subscription already is counted as it is from now on; a period that is open runs to its end.
UPDATE "customers" SET "anchor_time_zone" = 'UTC' FROM "billing_accounts" "a"
WHERE "a"."customer_id" = "customers"."id" AND "a"."anchor_at" = "customers"."anchor_at"
  AND "a"."status" NOT IN ('incomplete', 'incomplete_expired');
--> statement-breakpoint
-- Whose grace is another by the config hears of it with the next notice.
UPDATE "billing_accounts" SET "grace_ends_at" = "past_due_since" + interval '7 days' WHERE "past_due_since" IS NOT NULL;
