-- Reads for the API run as metergraph_reader, who sees only the rows of the tenant named by the setting app.tenant.
-- The owner of the tables (migrations, and the engine, whose batches mix tenants) is not held by these policies.
DO $$ BEGIN
  CREATE ROLE metergraph_reader NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$;
--> statement-breakpoint
DO $$ BEGIN
  IF NOT pg_has_role(CURRENT_USER, 'metergraph_reader', 'MEMBER') THEN GRANT metergraph_reader TO CURRENT_USER; END IF;
END $$;
--> statement-breakpoint
DO $$
DECLARE
  name text;
BEGIN
  EXECUTE format('GRANT USAGE ON SCHEMA %I TO metergraph_reader', current_schema());
  FOREACH name IN ARRAY ARRAY['api_keys', 'features', 'plans', 'customers', 'counters', 'events', 'answers', 'alerts'] LOOP
    EXECUTE format('GRANT SELECT ON %I TO metergraph_reader', name);
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY own_tenant ON %I FOR SELECT TO metergraph_reader USING (tenant_id = nullif(current_setting(''app.tenant'', true), '''')::uuid)',
      name
    );
  END LOOP;
END $$;
--> statement-breakpoint
GRANT SELECT ON "tenants" TO metergraph_reader;
--> statement-breakpoint
ALTER TABLE "tenants" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY own_tenant ON "tenants" FOR SELECT TO metergraph_reader USING (id = nullif(current_setting('app.tenant', true), '')::uuid);
--> statement-breakpoint
-- Rows that every batch updates keep room on their page, so that the new version stays there and no index is touched.
ALTER TABLE "counters" SET (fillfactor = 50);
--> statement-breakpoint
ALTER TABLE "customers" SET (fillfactor = 50);
