-- Events are kept in a partition for each month in which they were recorded, so that old ones go by dropping a table.
-- What is there stays where it is: the table becomes the partition of everything until now, and no row is copied.
ALTER TABLE "events" RENAME TO "events_before";
--> statement-breakpoint
ALTER TABLE "events_before" RENAME CONSTRAINT "events_pkey" TO "events_before_pkey";
--> statement-breakpoint
ALTER INDEX "events_reversals" RENAME TO "events_before_reversals";
--> statement-breakpoint
ALTER INDEX "events_tenant_recorded" RENAME TO "events_before_tenant_recorded";
--> statement-breakpoint
-- The primary key is each partition's own: Postgres would want the instant to be a part of one over all of them.
CREATE TABLE "events" (LIKE "events_before" INCLUDING DEFAULTS) PARTITION BY RANGE ("recorded_at");
--> statement-breakpoint
CREATE INDEX "events_reversals" ON "events" USING btree ("customer_id","reverses") WHERE "events"."reverses" IS NOT NULL;
--> statement-breakpoint
CREATE INDEX "events_tenant_recorded" ON "events" USING btree ("tenant_id","recorded_at");
--> statement-breakpoint
GRANT SELECT ON "events" TO metergraph_reader;
--> statement-breakpoint
ALTER TABLE "events" ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY own_tenant ON "events" FOR SELECT TO metergraph_reader
	USING (tenant_id = nullif(current_setting('app.tenant', true), '')::uuid);
--> statement-breakpoint
-- Readers come by the whole table, where their policy is.
REVOKE SELECT ON "events_before" FROM metergraph_reader;
--> statement-breakpoint
-- Partitions live in a schema of their own, beside that of the tables; where none may be made, in the same one.
DO $$
DECLARE
	home text := current_schema() || '_partitions';
	-- Months are of UTC. A row that a clock ahead of ours has recorded is among those that are there, too.
	until timestamptz := (SELECT date_trunc('month', greatest(now(), max("recorded_at")), 'UTC') FROM "events_before");
	name text;
BEGIN
	until := ((until AT TIME ZONE 'UTC') + interval '1 month') AT TIME ZONE 'UTC';
	name := 'events_before_' || to_char(until AT TIME ZONE 'UTC', 'YYYY_MM');
	EXECUTE format('ALTER TABLE "events_before" RENAME TO %I', name);
	EXECUTE format('ALTER TABLE "events" ATTACH PARTITION %I FOR VALUES FROM (MINVALUE) TO (%L)', name, until);
	IF to_regnamespace(quote_ident(home)) IS NULL AND has_database_privilege(current_database(), 'CREATE') THEN
		EXECUTE format('CREATE SCHEMA %I', home);
	END IF;
	IF has_schema_privilege(to_regnamespace(quote_ident(home))::oid, 'CREATE') THEN
		EXECUTE format('ALTER TABLE %I SET SCHEMA %I', name, home);
	END IF;
END $$;
--> statement-breakpoint
-- What has expired is found by its age.
CREATE INDEX "answers_answered" ON "answers" USING btree ("answered_at");
