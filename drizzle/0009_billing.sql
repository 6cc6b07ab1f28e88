CREATE TABLE "billing_accounts" (
	"customer_id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"stripe_customer_id" text NOT NULL,
	"stripe_subscription_id" text,
	"status" text,
	"plan_key" text COLLATE "C",
	"anchor_at" timestamp (3) with time zone,
	"period_start" timestamp (3) with time zone,
	"period_end" timestamp (3) with time zone,
	"cancels_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"past_due_since" timestamp (3) with time zone,
	"open_checkout_id" text,
	"soft_declines" integer DEFAULT 0 NOT NULL,
	"top_ups_stopped" text,
	"payment_method_id" text,
	"revision" bigint DEFAULT 0 NOT NULL,
	"updated_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "billing_payments" (
	"payment_id" text PRIMARY KEY NOT NULL,
	"customer_id" uuid NOT NULL,
	"tenant_id" uuid NOT NULL,
	"purpose" text NOT NULL,
	"currency" text NOT NULL,
	"amount" numeric(38, 9) NOT NULL,
	"grant_id" uuid,
	"feature_key" text,
	"returned" numeric(38, 9) DEFAULT '0' NOT NULL,
	"taken_back" numeric(38, 9) DEFAULT '0' NOT NULL,
	"pending_return" jsonb,
	"revision" bigint DEFAULT 0 NOT NULL,
	"paid_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "stripe_events" (
	"id" text PRIMARY KEY NOT NULL,
	"type" text NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"handled_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "stripe_sweeps" (
	"account" text PRIMARY KEY NOT NULL,
	"swept_through" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX "billing_accounts_stripe_customer" ON "billing_accounts" USING btree ("stripe_customer_id");--> statement-breakpoint
CREATE UNIQUE INDEX "billing_accounts_tenant" ON "billing_accounts" USING btree ("tenant_id","customer_id");--> statement-breakpoint
CREATE INDEX "billing_payments_customer" ON "billing_payments" USING btree ("customer_id","paid_at");--> statement-breakpoint
CREATE INDEX "stripe_events_received" ON "stripe_events" USING btree ("received_at");--> statement-breakpoint
CREATE INDEX "stripe_events_unhandled" ON "stripe_events" USING btree ("received_at") WHERE "stripe_events"."handled_at" IS NULL;
--> statement-breakpoint
-- By hand: what belongs to a tenant is its own to read; notices of Stripe, which mix tenants, are nobody's.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['billing_accounts', 'billing_payments'] LOOP
    EXECUTE format('GRANT SELECT ON %I TO metergraph_reader', name);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY own_tenant ON %I FOR SELECT TO metergraph_reader USING (tenant_id = nullif(current_setting(''app.tenant'', true), '''')::uuid)',
      name
    );
  END LOOP;
END $$;
--> statement-breakpoint
ALTER TABLE "stripe_events" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE "stripe_sweeps" ENABLE ROW LEVEL SECURITY;
