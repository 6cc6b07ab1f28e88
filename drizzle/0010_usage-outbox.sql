CREATE TABLE "usage_messages" (
	"customer_id" uuid NOT NULL,
	"feature_key" text COLLATE "C" NOT NULL,
	"period_start" timestamp (3) with time zone NOT NULL,
	"number" integer NOT NULL,
	"tenant_id" uuid NOT NULL,
	"period_end" timestamp (3) with time zone,
	"quantity" numeric(38, 9) NOT NULL,
	"used_at" timestamp (3) with time zone NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"identifier" text NOT NULL,
	"round" integer DEFAULT 0 NOT NULL,
	"state" text DEFAULT 'waiting' NOT NULL,
	"reason_code" text,
	"reason" text,
	"attempts" integer DEFAULT 0 NOT NULL,
	"next_attempt_at" timestamp (3) with time zone NOT NULL,
	"lease" uuid,
	"unknown_since" timestamp (3) with time zone,
	"counted_at" timestamp (3) with time zone,
	"stripe_customer_id" text,
	"delivered_at" timestamp (3) with time zone,
	"told_at" timestamp (3) with time zone,
	CONSTRAINT "usage_messages_pkey" PRIMARY KEY("customer_id","feature_key","period_start","number"),
	CONSTRAINT "usage_messages_state_is_known" CHECK ("usage_messages"."state" in ('waiting', 'sent', 'delivered', 'dead')),
	CONSTRAINT "usage_messages_quantity_is_whole" CHECK ("usage_messages"."quantity" <> 0 AND "usage_messages"."quantity" = trunc("usage_messages"."quantity")),
	CONSTRAINT "usage_messages_identifier_fits" CHECK (length("usage_messages"."identifier") <= 100)
);
--> statement-breakpoint
CREATE TABLE "usage_outbox" (
	"customer_id" uuid NOT NULL,
	"feature_key" text COLLATE "C" NOT NULL,
	"period_start" timestamp (3) with time zone NOT NULL,
	"tenant_id" uuid NOT NULL,
	"period_end" timestamp (3) with time zone,
	"overage" numeric(38, 9) NOT NULL,
	"unpriced" numeric(38, 9) DEFAULT '0' NOT NULL,
	"reported" numeric(38, 9) DEFAULT '0' NOT NULL,
	"messages" integer DEFAULT 0 NOT NULL,
	"moves" bigint DEFAULT 1 NOT NULL,
	"changed_at" timestamp (3) with time zone NOT NULL,
	"due_at" timestamp (3) with time zone,
	CONSTRAINT "usage_outbox_pkey" PRIMARY KEY("customer_id","feature_key","period_start"),
	CONSTRAINT "usage_outbox_unpriced_is_part_of_overage" CHECK ("usage_outbox"."unpriced" between 0 and "usage_outbox"."overage"),
	CONSTRAINT "usage_outbox_reported_is_whole" CHECK ("usage_outbox"."reported" = trunc("usage_outbox"."reported"))
);
--> statement-breakpoint
CREATE INDEX "usage_messages_due" ON "usage_messages" USING btree ("next_attempt_at") WHERE "usage_messages"."state" in ('waiting', 'sent');--> statement-breakpoint
CREATE INDEX "usage_messages_open" ON "usage_messages" USING btree ("customer_id","feature_key","period_start","number") WHERE "usage_messages"."state" in ('waiting', 'sent');--> statement-breakpoint
CREATE INDEX "usage_messages_dead" ON "usage_messages" USING btree ("tenant_id","created_at") WHERE "usage_messages"."state" = 'dead';--> statement-breakpoint
CREATE INDEX "usage_messages_untold" ON "usage_messages" USING btree ("created_at") WHERE "usage_messages"."told_at" IS NULL AND "usage_messages"."state" <> 'delivered';--> statement-breakpoint
CREATE INDEX "usage_messages_identifier" ON "usage_messages" USING btree ("identifier");--> statement-breakpoint
CREATE INDEX "usage_outbox_due" ON "usage_outbox" USING btree ("due_at") WHERE "usage_outbox"."due_at" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "usage_outbox_tenant" ON "usage_outbox" USING btree ("tenant_id","period_start");--> statement-breakpoint
-- By hand from here on: who may read them, and room on the page for rows that are updated often.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['usage_outbox', 'usage_messages'] LOOP
    EXECUTE format('GRANT SELECT ON %I TO metergraph_reader', name);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY own_tenant ON %I FOR SELECT TO metergraph_reader USING (tenant_id = nullif(current_setting(''app.tenant'', true), '''')::uuid)',
      name
    );
  END LOOP;
END $$;
--> statement-breakpoint
ALTER TABLE "usage_outbox" SET (fillfactor = 50);
--> statement-breakpoint
ALTER TABLE "usage_messages" SET (fillfactor = 70);
