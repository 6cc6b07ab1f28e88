CREATE TABLE "daily_runs" (
	"name" text PRIMARY KEY NOT NULL,
	"began_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "usage_messages_counted" ON "usage_messages" USING btree ("customer_id","feature_key","counted_at") WHERE "usage_messages"."counted_at" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "usage_messages_delivered" ON "usage_messages" USING btree ("delivered_at") WHERE "usage_messages"."state" = 'delivered';--> statement-breakpoint
-- By hand: nobody reads it as a tenant.
ALTER TABLE "daily_runs" ENABLE ROW LEVEL SECURITY;
