CREATE TABLE "invoice_books" (
	"tenant_id" uuid PRIMARY KEY NOT NULL,
	"last_number" bigint DEFAULT 0 NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "invoice_books_count_up" CHECK ("invoice_books"."last_number" >= 0)
);
--> statement-breakpoint
CREATE TABLE "invoice_lines" (
	"customer_id" uuid NOT NULL,
	"number" bigint NOT NULL,
	"line" integer NOT NULL,
	"tenant_id" uuid NOT NULL,
	"currency" text NOT NULL,
	"kind" text NOT NULL,
	"adjustment" boolean NOT NULL,
	"feature_key" text COLLATE "C",
	"description" text NOT NULL,
	"quantity" numeric(38, 9) NOT NULL,
	"unit_amount" numeric(38, 9),
	"amount" numeric(38, 9) NOT NULL,
	"period_start" timestamp (3) with time zone NOT NULL,
	"period_end" timestamp (3) with time zone,
	CONSTRAINT "invoice_lines_pkey" PRIMARY KEY("customer_id","number","line"),
	CONSTRAINT "invoice_lines_are_whole" CHECK ("invoice_lines"."amount" = trunc("invoice_lines"."amount")),
	CONSTRAINT "invoice_lines_count_from_one" CHECK ("invoice_lines"."line" >= 1)
);
--> statement-breakpoint
CREATE TABLE "invoice_positions" (
	"customer_id" uuid PRIMARY KEY NOT NULL,
	"tenant_id" uuid NOT NULL,
	"invoiced_from" timestamp (3) with time zone,
	"invoiced_until" timestamp (3) with time zone,
	"sequence" bigint DEFAULT 0 NOT NULL,
	"look_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "invoices" (
	"customer_id" uuid NOT NULL,
	"number" bigint NOT NULL,
	"tenant_id" uuid NOT NULL,
	"currency" text NOT NULL,
	"period_start" timestamp (3) with time zone NOT NULL,
	"period_end" timestamp (3) with time zone NOT NULL,
	"status" text DEFAULT 'open' NOT NULL,
	"total" numeric(38, 9) NOT NULL,
	"paid_from_wallet" numeric(38, 9) NOT NULL,
	"due" numeric(38, 9) NOT NULL,
	"issued_at" timestamp (3) with time zone NOT NULL,
	"voided_at" timestamp (3) with time zone,
	CONSTRAINT "invoices_pkey" PRIMARY KEY("customer_id","number"),
	CONSTRAINT "invoices_once_a_period" UNIQUE("customer_id","period_start","currency"),
	CONSTRAINT "invoices_period_is_half_open" CHECK ("invoices"."period_end" > "invoices"."period_start"),
	CONSTRAINT "invoices_add_up" CHECK ("invoices"."due" = "invoices"."total" - "invoices"."paid_from_wallet"),
	CONSTRAINT "invoices_are_whole" CHECK ("invoices"."total" = trunc("invoices"."total") AND "invoices"."paid_from_wallet" = trunc("invoices"."paid_from_wallet")),
	CONSTRAINT "invoices_status_is_known" CHECK ("invoices"."status" in ('open', 'void')),
	CONSTRAINT "invoices_void_has_its_instant" CHECK (("invoices"."status" = 'void') = ("invoices"."voided_at" is not null))
);
--> statement-breakpoint
CREATE INDEX "invoice_lines_of_counter" ON "invoice_lines" USING btree ("customer_id","feature_key","period_start") WHERE "invoice_lines"."feature_key" IS NOT NULL;--> statement-breakpoint
CREATE INDEX "invoice_positions_due" ON "invoice_positions" USING btree ("look_at");--> statement-breakpoint
CREATE INDEX "invoices_tenant_number" ON "invoices" USING btree ("tenant_id","number");--> statement-breakpoint
CREATE INDEX "invoices_tenant_issued" ON "invoices" USING btree ("tenant_id","issued_at","number");--> statement-breakpoint
-- By hand, from here on: row level security, and the customers that are there.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['invoices', 'invoice_lines', 'invoice_positions', 'invoice_books'] LOOP
    EXECUTE format('GRANT SELECT ON %I TO metergraph_reader', name);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY own_tenant ON %I FOR SELECT TO metergraph_reader USING (tenant_id = nullif(current_setting(''app.tenant'', true), '''')::uuid)',
      name
    );
  END LOOP;
END $$;
--> statement-breakpoint
-- Where nobody makes invoices these rows are looked at by nobody.
INSERT INTO "invoice_positions" ("customer_id", "tenant_id", "look_at") SELECT "id", "tenant_id", "created_at" FROM "customers";
