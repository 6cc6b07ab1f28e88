CREATE TABLE "plan_spans" (
	"customer_id" uuid NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	"tenant_id" uuid NOT NULL,
	"plan_key" text COLLATE "C",
	"plan_version" integer,
	CONSTRAINT "plan_spans_pkey" PRIMARY KEY("customer_id","since")
);
--> statement-breakpoint
-- Of customers before there was a history, the plan they have now is all that is known.
INSERT INTO "plan_spans" ("customer_id", "since", "tenant_id", "plan_key", "plan_version")
SELECT "id", "created_at", "tenant_id", "plan_key", "plan_version" FROM "customers";
--> statement-breakpoint
GRANT SELECT ON "plan_spans" TO metergraph_reader;
--> statement-breakpoint
ALTER TABLE "plan_spans" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY own_tenant ON "plan_spans" FOR SELECT TO metergraph_reader
	USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
