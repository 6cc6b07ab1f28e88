--> statement-breakpoint
-- Outgoing webhooks, by hand: readers see their own tenant's rows, and of an endpoint everything but its secrets.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['webhook_endpoints', 'outgoing_events', 'webhook_deliveries'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', name);
    EXECUTE format(
      'CREATE POLICY own_tenant ON %I FOR SELECT TO metergraph_reader USING (tenant_id = nullif(current_setting(''app.tenant'', true), '''')::uuid)',
      name
    );
  END LOOP;
END $$;
--> statement-breakpoint
GRANT SELECT ON "outgoing_events", "webhook_deliveries" TO metergraph_reader;
--> statement-breakpoint
GRANT SELECT ("id", "tenant_id", "kind", "url", "event_types", "managed", "created_at", "disabled_at", "disabled_reason", "failing_since")
	ON "webhook_endpoints" TO metergraph_reader;
