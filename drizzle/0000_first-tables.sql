CREATE TABLE "alerts" (
	"customer_id" uuid NOT NULL,
	"feature_key" text COLLATE "C" NOT NULL,
	"period_start" timestamp (3) with time zone NOT NULL,
	"threshold_key" text NOT NULL,
	"tenant_id" uuid NOT NULL,
	"period_end" timestamp (3) with time zone,
	"used" numeric(38, 9) NOT NULL,
	"limit" numeric(38, 9),
	"sequence" bigint NOT NULL,
	"event_sequence" bigint NOT NULL,
	"raised_at" timestamp (3) with time zone NOT NULL,
	"acknowledged_at" timestamp (3) with time zone,
	CONSTRAINT "alerts_pkey" PRIMARY KEY("customer_id","feature_key","period_start","threshold_key")
);
--> statement-breakpoint
CREATE TABLE "answers" (
	"customer_id" uuid NOT NULL,
	"idempotency_key" text COLLATE "C" NOT NULL,
	"tenant_id" uuid NOT NULL,
	"fingerprint" text NOT NULL,
	"answer" json NOT NULL,
	"answered_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "answers_pkey" PRIMARY KEY("customer_id","idempotency_key")
);
--> statement-breakpoint
CREATE TABLE "api_keys" (
	"id" text COLLATE "C" PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"name" text,
	"secret_hash" text NOT NULL,
	"scopes" text[] NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone,
	"revoked_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "counters" (
	"customer_id" uuid NOT NULL,
	"feature_key" text COLLATE "C" NOT NULL,
	"period_start" timestamp (3) with time zone NOT NULL,
	"period_end" timestamp (3) with time zone,
	"reset" text NOT NULL,
	"tenant_id" uuid NOT NULL,
	"used" numeric(38, 9) NOT NULL,
	"overage" numeric(38, 9) NOT NULL,
	"raised" text[] NOT NULL,
	"sequence" bigint NOT NULL,
	CONSTRAINT "counters_pkey" PRIMARY KEY("customer_id","feature_key","period_start"),
	CONSTRAINT "counters_period_is_half_open" CHECK ("counters"."period_end" > "counters"."period_start"),
	CONSTRAINT "counters_overage_is_part_of_used" CHECK ("counters"."overage" >= 0)
);
--> statement-breakpoint
CREATE TABLE "customers" (
	"id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"reference_id" text COLLATE "C" NOT NULL,
	"reference_type" text NOT NULL,
	"name" text,
	"email" text,
	"plan_key" text COLLATE "C",
	"time_zone" text NOT NULL,
	"metadata" jsonb,
	"overrides" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"sequence" bigint DEFAULT 0 NOT NULL,
	"limits_sequence" bigint DEFAULT 0 NOT NULL,
	"rate_started_at" timestamp (3) with time zone,
	"rate_calls" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "events" (
	"customer_id" uuid NOT NULL,
	"sequence" bigint NOT NULL,
	"tenant_id" uuid NOT NULL,
	"feature_key" text COLLATE "C" NOT NULL,
	"period_start" timestamp (3) with time zone NOT NULL,
	"amount" numeric(38, 9) NOT NULL,
	"overage" numeric(38, 9) NOT NULL,
	"used_after" numeric(38, 9) NOT NULL,
	"idempotency_key" text COLLATE "C",
	"properties" jsonb,
	"occurred_at" timestamp (3) with time zone NOT NULL,
	"recorded_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "events_pkey" PRIMARY KEY("customer_id","sequence"),
	CONSTRAINT "events_amount_is_not_zero" CHECK ("events"."amount" <> 0)
);
--> statement-breakpoint
CREATE TABLE "features" (
	"tenant_id" uuid NOT NULL,
	"key" text COLLATE "C" NOT NULL,
	"display_name" text NOT NULL,
	"unit" text,
	"aggregation" text NOT NULL,
	"reset" text NOT NULL,
	"limits" jsonb NOT NULL,
	"details" text[] NOT NULL,
	"archived_at" timestamp (3) with time zone,
	CONSTRAINT "features_pkey" PRIMARY KEY("tenant_id","key"),
	CONSTRAINT "features_aggregation_is_known" CHECK ("features"."aggregation" in ('count', 'sum'))
);
--> statement-breakpoint
CREATE TABLE "plans" (
	"tenant_id" uuid NOT NULL,
	"key" text COLLATE "C" NOT NULL,
	"display_name" text NOT NULL,
	"version" integer NOT NULL,
	"prices" jsonb NOT NULL,
	"rate_limit" jsonb,
	"features" jsonb NOT NULL,
	"archived_at" timestamp (3) with time zone,
	CONSTRAINT "plans_pkey" PRIMARY KEY("tenant_id","key"),
	CONSTRAINT "plans_version_counts_from_one" CHECK ("plans"."version" >= 1)
);
--> statement-breakpoint
CREATE TABLE "secrets" (
	"name" text PRIMARY KEY NOT NULL,
	"value" text NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tenants" (
	"id" uuid PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"mode" text NOT NULL,
	"time_zone" text DEFAULT 'UTC' NOT NULL,
	"default_plan_key" text COLLATE "C",
	"catalog_version" bigint DEFAULT 0 NOT NULL,
	"alert_sequence" bigint DEFAULT 0 NOT NULL,
	"demo" boolean DEFAULT false NOT NULL,
	"created_at" timestamp (3) with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "tenants_mode_is_known" CHECK ("tenants"."mode" in ('live', 'test'))
);
--> statement-breakpoint
CREATE INDEX "alerts_tenant_sequence" ON "alerts" USING btree ("tenant_id","sequence");--> statement-breakpoint
CREATE INDEX "alerts_customer_sequence" ON "alerts" USING btree ("customer_id","sequence");--> statement-breakpoint
CREATE INDEX "api_keys_tenant" ON "api_keys" USING btree ("tenant_id");--> statement-breakpoint
CREATE INDEX "customers_tenant_reference" ON "customers" USING btree ("tenant_id","reference_id");--> statement-breakpoint
CREATE INDEX "events_tenant_recorded" ON "events" USING btree ("tenant_id","recorded_at");