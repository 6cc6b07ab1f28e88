ALTER TABLE "features" ADD COLUMN "from_config" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "plans" ADD COLUMN "from_config" boolean DEFAULT false NOT NULL;