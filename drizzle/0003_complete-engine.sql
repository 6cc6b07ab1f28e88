CREATE TABLE "credit_balances" (
	"customer_id" uuid NOT NULL,
	"feature_key" text COLLATE "C" NOT NULL,
	"tenant_id" uuid NOT NULL,
	"live" numeric(38, 9) NOT NULL,
	"allocation_id" uuid,
	"rule" text,
	"sequence" bigint NOT NULL,
	CONSTRAINT "credit_balances_pkey" PRIMARY KEY("customer_id","feature_key"),
	CONSTRAINT "credit_balances_are_not_negative" CHECK ("credit_balances"."live" >= 0)
);
--> statement-breakpoint
CREATE TABLE "grants" (
	"customer_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"tenant_id" uuid NOT NULL,
	"feature_key" text COLLATE "C" NOT NULL,
	"source" text NOT NULL,
	"amount" numeric(38, 9) NOT NULL,
	"remaining" numeric(38, 9) NOT NULL,
	"priority" integer NOT NULL,
	"effective_from" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"created_at" timestamp (3) with time zone NOT NULL,
	"state" text NOT NULL,
	"renewal" jsonb,
	"renews_at" timestamp (3) with time zone,
	"origin_id" uuid,
	"rolled_over" boolean DEFAULT false NOT NULL,
	"due_at" timestamp (3) with time zone,
	"sequence" bigint NOT NULL,
	CONSTRAINT "grants_pkey" PRIMARY KEY("customer_id","id"),
	CONSTRAINT "grants_remaining_is_not_negative" CHECK ("grants"."remaining" >= 0)
);
--> statement-breakpoint
CREATE TABLE "plan_versions" (
	"tenant_id" uuid NOT NULL,
	"key" text COLLATE "C" NOT NULL,
	"version" integer NOT NULL,
	"prices" jsonb NOT NULL,
	"rate_limits" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"spend_limit" jsonb,
	"wallet" jsonb,
	"features" jsonb NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "plan_versions_pkey" PRIMARY KEY("tenant_id","key","version"),
	CONSTRAINT "plan_versions_count_from_one" CHECK ("plan_versions"."version" >= 1)
);
--> statement-breakpoint
CREATE TABLE "postings" (
	"customer_id" uuid NOT NULL,
	"sequence" bigint NOT NULL,
	"line" integer NOT NULL,
	"tenant_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"account" text NOT NULL,
	"grant_id" uuid,
	"commodity" text COLLATE "C" NOT NULL,
	"feature_key" text COLLATE "C",
	"amount" numeric(38, 9) NOT NULL,
	"recorded_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "postings_pkey" PRIMARY KEY("customer_id","sequence","line")
);
--> statement-breakpoint
CREATE TABLE "reservations" (
	"customer_id" uuid NOT NULL,
	"id" uuid NOT NULL,
	"tenant_id" uuid NOT NULL,
	"feature_key" text COLLATE "C" NOT NULL,
	"entity_id" text COLLATE "C" DEFAULT '' NOT NULL,
	"period_start" timestamp (3) with time zone NOT NULL,
	"override_key" text COLLATE "C",
	"amount" numeric(38, 9) NOT NULL,
	"split" jsonb NOT NULL,
	"draws" jsonb NOT NULL,
	"properties" jsonb,
	"state" text NOT NULL,
	"committed" numeric(38, 9),
	"answer" json,
	"sequence" bigint NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"closed_at" timestamp (3) with time zone,
	CONSTRAINT "reservations_pkey" PRIMARY KEY("customer_id","id"),
	CONSTRAINT "reservations_state_is_known" CHECK ("reservations"."state" in ('open', 'committed', 'released', 'expired'))
);
--> statement-breakpoint
CREATE TABLE "rollups" (
	"customer_id" uuid NOT NULL,
	"feature_key" text COLLATE "C" NOT NULL,
	"minute" timestamp (3) with time zone NOT NULL,
	"dimensions" text COLLATE "C" NOT NULL,
	"currency" text COLLATE "C" DEFAULT '' NOT NULL,
	"tenant_id" uuid NOT NULL,
	"events" bigint NOT NULL,
	"amount" numeric(38, 9) NOT NULL,
	"credits" numeric(38, 9) NOT NULL,
	"wallet" numeric(38, 9) NOT NULL,
	"overage" numeric(38, 9) NOT NULL,
	"cost" numeric(38, 9) NOT NULL,
	"largest" numeric(38, 9) NOT NULL,
	CONSTRAINT "rollups_pkey" PRIMARY KEY("customer_id","feature_key","minute","dimensions","currency"),
	CONSTRAINT "rollups_sum_up_events" CHECK ("rollups"."events" > 0)
);
--> statement-breakpoint
CREATE TABLE "top_up_requests" (
	"customer_id" uuid NOT NULL,
	"sequence" bigint NOT NULL,
	"tenant_id" uuid NOT NULL,
	"currency" text NOT NULL,
	"amount" numeric(38, 9) NOT NULL,
	"state" text NOT NULL,
	"asked_at" timestamp (3) with time zone NOT NULL,
	"settled_at" timestamp (3) with time zone,
	CONSTRAINT "top_up_requests_pkey" PRIMARY KEY("customer_id","sequence","currency")
);
--> statement-breakpoint
CREATE TABLE "unique_values" (
	"customer_id" uuid NOT NULL,
	"feature_key" text COLLATE "C" NOT NULL,
	"value" text NOT NULL,
	"period_start" timestamp (3) with time zone NOT NULL,
	"tenant_id" uuid NOT NULL,
	CONSTRAINT "unique_values_pkey" PRIMARY KEY("customer_id","feature_key","value","period_start")
);
--> statement-breakpoint
CREATE TABLE "wallets" (
	"customer_id" uuid NOT NULL,
	"currency" text NOT NULL,
	"tenant_id" uuid NOT NULL,
	"balance" numeric(38, 9),
	"floor" numeric(38, 9),
	"spent" numeric(38, 9) NOT NULL,
	"spent_since" timestamp (3) with time zone NOT NULL,
	"top_ups" integer DEFAULT 0 NOT NULL,
	"top_up_asked_at" timestamp (3) with time zone,
	"top_up_failed_at" timestamp (3) with time zone,
	"sequence" bigint NOT NULL,
	CONSTRAINT "wallets_pkey" PRIMARY KEY("customer_id","currency")
);
--> statement-breakpoint
ALTER TABLE "events" DROP CONSTRAINT "events_amount_is_not_zero";--> statement-breakpoint
ALTER TABLE "features" DROP CONSTRAINT "features_aggregation_is_known";--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "muted_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "counters" ADD COLUMN "entity_id" text COLLATE "C" DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "counters" ADD COLUMN "held" numeric(38, 9) DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "counters" ADD COLUMN "credits" numeric(38, 9) DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "counters" ADD COLUMN "wallet" numeric(38, 9) DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "counters" ADD COLUMN "cost" numeric(38, 9) DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "counters" ADD COLUMN "wallet_charge" numeric(38, 9) DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "counters" ADD COLUMN "level" numeric(38, 9);--> statement-breakpoint
ALTER TABLE "counters" ADD COLUMN "level_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "counters" ADD COLUMN "area" numeric;--> statement-breakpoint
ALTER TABLE "counters" ADD COLUMN "closed_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "counters" ADD COLUMN "corrected_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "customers" ADD COLUMN "plan_version" integer;--> statement-breakpoint
ALTER TABLE "customers" ADD COLUMN "pending_plan" jsonb;--> statement-breakpoint
ALTER TABLE "customers" ADD COLUMN "anchor_at" timestamp (3) with time zone;--> statement-breakpoint
UPDATE "customers" SET "anchor_at" = "created_at";--> statement-breakpoint
ALTER TABLE "customers" ALTER COLUMN "anchor_at" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "customers" ADD COLUMN "mutes" jsonb DEFAULT '[]'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "customers" ADD COLUMN "rate_windows" jsonb DEFAULT '{}'::jsonb NOT NULL;--> statement-breakpoint
ALTER TABLE "customers" ADD COLUMN "prepaid" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "customers" ADD COLUMN "due_at" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "kind" text DEFAULT 'use' NOT NULL;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "entity_id" text COLLATE "C" DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "reported" numeric(38, 9);--> statement-breakpoint
UPDATE "events" SET "reported" = "amount";--> statement-breakpoint
ALTER TABLE "events" ALTER COLUMN "reported" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "credits" numeric(38, 9) DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "wallet" numeric(38, 9) DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "cost" numeric(38, 9) DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "wallet_charge" numeric(38, 9) DEFAULT '0' NOT NULL;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "currency" text;--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "reverses" bigint;--> statement-breakpoint
ALTER TABLE "features" ADD COLUMN "of" text;--> statement-breakpoint
ALTER TABLE "features" ADD COLUMN "anchor" text DEFAULT 'calendar' NOT NULL;--> statement-breakpoint
ALTER TABLE "features" ADD COLUMN "dimensions" text[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "plans" ADD COLUMN "moved_version" integer DEFAULT 1 NOT NULL;--> statement-breakpoint
CREATE INDEX "grants_burn_order" ON "grants" USING btree ("customer_id","feature_key","priority","expires_at","created_at","id") WHERE "grants"."state" = 'live';--> statement-breakpoint
CREATE INDEX "grants_renewing" ON "grants" USING btree ("customer_id","feature_key") WHERE "grants"."state" IN ('live', 'spent') AND ("grants"."source" = 'plan' OR "grants"."rolled_over");--> statement-breakpoint
CREATE INDEX "grants_origin" ON "grants" USING btree ("customer_id","origin_id") WHERE "grants"."origin_id" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "grants_due" ON "grants" USING btree ("customer_id","due_at") WHERE "grants"."due_at" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "postings_drawn" ON "postings" USING btree ("customer_id","commodity","sequence") WHERE "postings"."grant_id" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "postings_grant" ON "postings" USING btree ("customer_id","grant_id","sequence") WHERE "postings"."grant_id" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "reservations_open" ON "reservations" USING btree ("customer_id","expires_at") WHERE "reservations"."state" = 'open';--> statement-breakpoint
CREATE INDEX "rollups_tenant_feature_minute" ON "rollups" USING btree ("tenant_id","feature_key","minute");--> statement-breakpoint
CREATE INDEX "top_up_requests_tenant" ON "top_up_requests" USING btree ("tenant_id","asked_at","customer_id","sequence");--> statement-breakpoint
CREATE INDEX "top_up_requests_asked" ON "top_up_requests" USING btree ("tenant_id","asked_at","customer_id","sequence") WHERE "top_up_requests"."state" = 'asked';--> statement-breakpoint
CREATE INDEX "counters_of_entities" ON "counters" USING btree ("customer_id","feature_key","period_start","entity_id") WHERE "counters"."entity_id" <> '';--> statement-breakpoint
CREATE INDEX "counters_open" ON "counters" USING btree ("customer_id","period_end") WHERE "counters"."closed_at" IS NULL AND "counters"."period_end" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "customers_due" ON "customers" USING btree ("due_at") WHERE "customers"."due_at" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "events_reversals" ON "events" USING btree ("customer_id","reverses") WHERE "events"."reverses" IS NOT NULL;--> statement-breakpoint
ALTER TABLE "counters" DROP CONSTRAINT "counters_pkey";
--> statement-breakpoint
ALTER TABLE "counters" ADD CONSTRAINT "counters_pkey" PRIMARY KEY("customer_id","feature_key","entity_id","period_start");--> statement-breakpoint
ALTER TABLE "counters" ADD CONSTRAINT "counters_parts_are_not_negative" CHECK ("counters"."held" >= 0 AND "counters"."credits" >= 0 AND "counters"."wallet" >= 0);--> statement-breakpoint
ALTER TABLE "features" ADD CONSTRAINT "features_anchor_is_known" CHECK ("features"."anchor" in ('calendar', 'subscription'));--> statement-breakpoint
ALTER TABLE "features" ADD CONSTRAINT "features_unique_names_its_property" CHECK (("features"."aggregation" = 'unique') = ("features"."of" is not null));--> statement-breakpoint
ALTER TABLE "features" ADD CONSTRAINT "features_aggregation_is_known" CHECK ("features"."aggregation" in ('count', 'sum', 'max', 'unique', 'duration', 'latest', 'weighted_sum'));--> statement-breakpoint
ALTER TABLE "plans" ADD CONSTRAINT "plans_moved_version_is_one_of_them" CHECK ("plans"."moved_version" between 1 and "plans"."version");--> statement-breakpoint
-- What a plan says moves to its versions, and customers stay on the version they have.
INSERT INTO "plan_versions" ("tenant_id", "key", "version", "prices", "rate_limits", "features")
SELECT "tenant_id", "key", "version", "prices", CASE WHEN "rate_limit" IS NULL THEN '[]'::jsonb ELSE jsonb_build_array("rate_limit") END, "features" FROM "plans";
--> statement-breakpoint
UPDATE "customers" c SET "plan_version" = p."version" FROM "plans" p WHERE p."tenant_id" = c."tenant_id" AND p."key" = c."plan_key";
--> statement-breakpoint
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['plan_versions', 'grants', 'credit_balances', 'wallets', 'top_up_requests', 'reservations', 'postings', 'unique_values', 'rollups'] LOOP
    EXECUTE format('GRANT SELECT ON %I TO metergraph_reader', name);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY own_tenant ON %I FOR SELECT TO metergraph_reader USING (tenant_id = nullif(current_setting(''app.tenant'', true), '''')::uuid)',
      name
    );
  END LOOP;
END $$;
--> statement-breakpoint
ALTER TABLE "credit_balances" SET (fillfactor = 50);
--> statement-breakpoint
ALTER TABLE "wallets" SET (fillfactor = 50);
--> statement-breakpoint
ALTER TABLE "grants" SET (fillfactor = 70);
--> statement-breakpoint
ALTER TABLE "rollups" SET (fillfactor = 70);

--> statement-breakpoint
-- Overage was priced when it was shown; from now on use is priced as it happens, so what has happened gets its price.
UPDATE "events" e SET "currency" = p."price"->>'currency', "cost" = e."overage" * (p."price"->>'unitAmount')::numeric
FROM (
	SELECT c."id", f."key", coalesce(c."overrides"->f."key"->'price', pl."features"->f."key"->'price', f."limits"->'price') AS "price"
	FROM "customers" c JOIN "features" f ON f."tenant_id" = c."tenant_id"
	LEFT JOIN "plans" pl ON pl."tenant_id" = c."tenant_id" AND pl."key" = c."plan_key"
) p WHERE p."id" = e."customer_id" AND p."key" = e."feature_key" AND p."price" IS NOT NULL;
--> statement-breakpoint
UPDATE "counters" c SET "cost" = e."cost"
FROM (SELECT "customer_id", "feature_key", "period_start", sum("cost") AS "cost" FROM "events" GROUP BY 1, 2, 3) e
WHERE e."customer_id" = c."customer_id" AND e."feature_key" = c."feature_key" AND e."period_start" = c."period_start" AND e."cost" <> 0;
--> statement-breakpoint
-- Series are read from sums by the minute; features had no dimensions.
INSERT INTO "rollups" ("customer_id", "feature_key", "minute", "dimensions", "currency", "tenant_id", "events", "amount", "credits", "wallet", "overage", "cost", "largest")
SELECT "customer_id", "feature_key", date_trunc('minute', "occurred_at", 'UTC'), '{}', coalesce("currency", ''), "tenant_id",
	count(*), sum("amount"), 0, 0, sum("overage"), sum("cost"), max("reported")
FROM "events" GROUP BY 1, 2, 3, 5, 6;
--> statement-breakpoint
-- A rate limit's open window goes on, under the name that says what it counts (all features) and for how long.
UPDATE "customers" c SET "rate_windows" = jsonb_build_object(' ' || (p."rate_limit"->>'windowMs'),
	jsonb_build_array((extract(epoch FROM c."rate_started_at") * 1000)::bigint, c."rate_calls"))
FROM "plans" p WHERE p."tenant_id" = c."tenant_id" AND p."key" = c."plan_key" AND p."rate_limit" IS NOT NULL AND c."rate_started_at" IS NOT NULL;
--> statement-breakpoint
-- Periods are settled when they end; those that have ended already, at the first touch.
UPDATE "customers" c SET "due_at" = p."due_at"
FROM (SELECT "customer_id", min("period_end") AS "due_at" FROM "counters" GROUP BY 1) p
WHERE p."customer_id" = c."id";
